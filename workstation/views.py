"""Pages and partial pages of the desk."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

from accounts.entrance import public
from accounts.models import Staff
from accounts.rights import Right
from core.live import stand_by
from core.refusal import Refusal
from omni.models import Attachment, Message
from omni.selectors import find_messages, list_feed, list_feed_from
from omni.services import files, offers
from omni.states import FileState
from stores.selectors import find_stores
from tickets.selectors import list_templates, list_topics
from worklist.models import Item
from worklist.selectors import count_tabs, find_item
from worklist.services.items import row
from workstation import screen
from workstation.entrances import at_desk, may_enter, staff_of
from workstation.feed import entries
from workstation.panels import group_names
from workstation.rows import address_of, render_rows
from workstation.selectors import (
    ListQuery,
    Opened,
    draft_texts,
    facts_of,
    find_colleagues,
    list_drafts,
    list_groups,
    list_page,
    list_places,
    list_topics_of,
    only_session,
    open_item,
    search,
)
from workstation.wording import channel_name

TEXTS_KEPT_SECONDS = 600


@public("shows the signed-in person's own choices only; strangers are sent to the sign-in")
@require_safe
def start(request: HttpRequest) -> HttpResponseBase:
    """The first page: the desk for those who work there, else what the person may do here."""
    if not isinstance(request.user, Staff):
        return redirect_to_login(request.get_full_path(), login_url=settings.LOGIN_URL)
    if may_enter(request.user):
        return redirect("desk")
    rights = [right.label for right in Right if request.user.has_right(right)]
    return render(request, "workstation/start.html", {"rights": rights, "is_admin": request.user.has_right(Right.ADMIN)})


@at_desk
@require_safe
def desk(request: HttpRequest, kind: str = "", subject_id: int = 0) -> HttpResponseBase:
    """The whole desk, with an open item when the address names one."""
    staff, now = staff_of(request), timezone.now()
    query = ListQuery.of(request.GET, staff)
    item = find_item(staff=staff, kind=kind, subject_id=subject_id) if kind else None
    # Watching begins before reading: what changes in between is in the log behind this position.
    position = stand_by(staff.pk, [*list_topics_of(staff), *([f"guest:{item.guest_id}"] if item else [])])
    opened = open_item(staff=staff, item=item) if item else None
    return render(
        request, "workstation/desk.html", screen.page_context(staff=staff, query=query, opened=opened, position=position, now=now)
    )


@at_desk
@require_safe
def list_part(request: HttpRequest) -> HttpResponseBase:
    """A page of the list: rows as HTML and as data, the next cursor, the tabs' counts."""
    staff = staff_of(request)
    query = ListQuery.of(request.GET, staff)
    page, drafts = list_page(staff=staff, query=query), draft_texts(list_drafts(staff))
    rows = render_rows(page.items, staff=staff, base=screen.BASE, drafts=drafts, current="", now=timezone.now())
    data = [row(item) for item in page.items]
    return JsonResponse({"html": rows, "rows": data, "next": page.next_cursor or "", "counts": count_tabs(staff), "drafts": dict(drafts)})


@at_desk
@require_safe
def counts(request: HttpRequest) -> HttpResponseBase:
    """The numbers on the tabs."""
    return JsonResponse({"counts": count_tabs(staff_of(request))})


def _opened(request: HttpRequest, kind: str, subject_id: int) -> Opened:
    staff = staff_of(request)
    return open_item(staff=staff, item=find_item(staff=staff, kind=kind, subject_id=subject_id))


@at_desk
@require_safe
def open_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """An item opened from the list: dialogue and right panel as HTML. `?panel=` chooses the panel's tab."""
    staff, now = staff_of(request), timezone.now()
    item = find_item(staff=staff, kind=kind, subject_id=subject_id)
    stand_by(staff.pk, [f"guest:{item.guest_id}"])
    opened = open_item(staff=staff, item=item)
    panel = screen.panel_context(opened=opened, staff=staff, panel=request.GET.get("panel", ""), now=now)
    context = {
        "sprite": static("icons/sprite.svg"),
        "base": screen.BASE,
        **screen.item_context(opened=opened, staff=staff, now=now),
        **panel,
    }
    return JsonResponse(
        {
            "opened": facts_of(item),
            "row": row(item),
            "dialogue": render_to_string("workstation/_dialogue.html", context),
            "panel": render_to_string("workstation/_panel.html", context),
        }
    )


@at_desk
@require_safe
def header_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """The open item's header, the composer's permission and the panel again: its state has changed."""
    opened, staff, now = _opened(request, kind, subject_id), staff_of(request), timezone.now()
    panel = screen.panel_context(opened=opened, staff=staff, panel=request.GET.get("panel", ""), now=now)
    context = {
        "sprite": static("icons/sprite.svg"),
        "base": screen.BASE,
        **screen.item_context(opened=opened, staff=staff, now=now),
        **panel,
    }
    return JsonResponse(
        {
            "header": render_to_string("workstation/_header.html", context),
            "panel": render_to_string("workstation/_panel.html", context),
            "why_silent": context["why_silent"],
            "row": row(opened.item),
            "guest": opened.item.guest_id,
        }
    )


@at_desk
@require_safe
def feed_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """Entries above `?before=`, below `?after=`, the very first ones with `?first=1`, else the newest; `has_newer` as in FeedPage.

    Both are a cursor of an answer or the id of an entry.
    """
    staff, asked = staff_of(request), request.GET
    item = find_item(staff=staff, kind=kind, subject_id=subject_id)
    guest_id, only = item.guest_id, only_session(staff, item)
    if asked.get("after") or asked.get("first"):
        page = list_feed_from(guest_id=guest_id, session_id=only, after=asked.get("after", ""))
    else:
        page = list_feed(guest_id=guest_id, session_id=only, before=asked.get("before", ""))
    return JsonResponse({"html": _entries(item, page.messages, staff=staff), "before": page.before or "", "has_newer": page.has_newer})


@at_desk
@require_safe
def messages_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """The entries `?ids=1,2`, new or changed; `?after=` is the entry before them on the screen."""
    staff = staff_of(request)
    item = find_item(staff=staff, kind=kind, subject_id=subject_id)
    ids = [int(number) for number in request.GET.get("ids", "").split(",") if number.isdecimal()][:200]
    last = request.GET.get("after", "")
    after = int(last) if last.isdecimal() else 0
    only = only_session(staff, item)
    found = find_messages(guest_id=item.guest_id, ids=[*ids, after])
    seen = [message for message in found if only is None or message.session_id == only]
    before = next((message for message in seen if message.pk == after and after not in ids), None)
    return JsonResponse({"html": _entries(item, [message for message in seen if message.pk in ids], staff=staff, after=before)})


def _entries(item: Item, messages: Any, *, staff: Staff, after: Message | None = None) -> str:
    guest, sprite = item.guest_name or _("Guest without a name"), static("icons/sprite.svg")
    shown = {"entries": entries(messages, after=after), "may_split": screen.may_split(item, staff)}
    return render_to_string("workstation/_entries.html", {**shown, "guest_name": guest, "sprite": sprite})


@at_desk
@require_safe
def attachment(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """A file of a message that the person may see. Only safe images open in the page, all else is a download (OWASP, file upload)."""
    staff = staff_of(request)
    found = Attachment.objects.select_related("message").filter(public_id=public_id, state=FileState.STORED).first()
    if found is None or not _may_see(staff, found.message):
        raise Refusal("not_found", _("There is no such file, or you may not see it."), status=404)
    inline = found.mime in files.SHOWN_INLINE and "download" not in request.GET
    kind = found.mime if inline else "application/octet-stream"
    answer = FileResponse(files.open_stored(found), content_type=kind, as_attachment=not inline, filename=found.name or "file")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def _may_see(staff: Staff, message: Message) -> bool:
    whole_feed = Q(guest_id=message.guest_id) if staff.has_right(Right.DESK) else Q(session_id=message.session_id)
    return Item.objects.visible_to(staff).filter(whole_feed).exists()


@at_desk
@require_safe
def topics(request: HttpRequest) -> HttpResponseBase:
    """The topics that a ticket can have, whole paths."""
    found = [{"id": topic.id, "name": topic.path, "store_required": topic.store_required} for topic in list_topics()]
    return JsonResponse({"found": found})


@at_desk
@require_safe
def stores(request: HttpRequest) -> HttpResponseBase:
    """Stores by number, name or address: `?q=`."""
    found = find_stores(request.GET.get("q", ""), limit=12)
    return JsonResponse({"found": [{"id": store.pk, "name": str(store), "hint": store.address} for store in found]})


@at_desk
@require_safe
def colleagues(request: HttpRequest) -> HttpResponseBase:
    """People an item can be handed to: `?q=` is part of a name."""
    found = find_colleagues(staff=staff_of(request), words=request.GET.get("q", ""))
    return JsonResponse({"found": [{"id": one.id, "name": one.name, "state": one.state, "load": one.load} for one in found]})


@at_desk
@require_safe
def groups(request: HttpRequest) -> HttpResponseBase:
    """Groups that a ticket can go to."""
    return JsonResponse({"found": group_names(list_groups(), translation.get_language())})


@at_desk
@require_safe
def places(request: HttpRequest) -> HttpResponseBase:
    """Queues and groups in which a dialogue can wait."""
    return JsonResponse({"found": list_places(translation.get_language())})


@at_desk
@require_safe
def offers_part(request: HttpRequest) -> HttpResponseBase:
    """What is offered to the person at this moment, and why an offer may be declined."""
    return JsonResponse({"offers": offers.list_open(staff_of(request)), "reasons": offers.list_reasons()})


@at_desk
@require_safe
def templates_part(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """Ready answers for the item, the guest's name and the ticket's number filled in."""
    opened = _opened(request, kind, subject_id)
    words = {"{guest}": opened.item.guest_name, "{number}": opened.item.number}
    found = list_templates(opened.case.topic_id if opened.case else None)
    return JsonResponse({"found": [{"id": one.pk, "name": one.name, "text": _fill(one.text, words)} for one in found]})


def _fill(text: str, words: dict[str, str]) -> str:
    for slot, word in words.items():
        text = text.replace(slot, word)
    return text


@at_desk
@require_safe
def search_part(request: HttpRequest) -> HttpResponseBase:
    """What the palette finds: tickets by number, guests by name, telephone or e-mail."""
    found = search(staff=staff_of(request), words=request.GET.get("q", ""))
    return JsonResponse({"found": [_result(item) for item in found]})


def _result(item: Item) -> dict[str, Any]:
    return {
        "url": address_of(item, screen.BASE),
        "kind": item.kind,
        "id": item.subject_id,
        "name": item.guest_name,
        "number": item.number,
        "hint": item.title or item.preview,
        "channel": channel_name(item.channel),
        "state": item.get_state_display(),
    }


class _Texts(JavaScriptCatalog):
    packages = ["workstation"]


@public("the scripts' texts hold no data")
@require_safe
def texts(request: HttpRequest, language: str) -> HttpResponseBase:
    """The scripts' texts in a language, as a script."""
    with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        answer = _Texts.as_view()(request)
    answer.headers["Cache-Control"] = f"public, max-age={TEXTS_KEPT_SECONDS}"
    return answer
