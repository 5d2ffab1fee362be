"""The chat's API for the widget and the apps. Each view: the visitor, the limits, one service, the answer."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from omni.channels.webchat.adapter import FILE_LIMIT
from omni.chat import devices, facts, feed, forms, messages, sessions, sites, tokens, uploads
from omni.chat.entry import PROTECTED_BY, Answer, body_of, count, entrance, own_origin, presented_token, visitor_of
from omni.chat.messages import Draft
from omni.chat.sessions import Presented
from omni.chat.sites import Site
from omni.chat.tokens import Device
from omni.models import ChatToken
from omni.services import files

# A multipart body is a little longer than its file.
UPLOAD_BODY_LIMIT = FILE_LIMIT + 64 * 1024


@entrance("POST")
def begin(request: HttpRequest) -> Answer:
    """{site_key, device_id, page_url?, app?, identity?} -> token, settings, newest messages, state (omni.chat.sessions.opening)."""
    now, body = timezone.now(), body_of(request)
    site = sites.find_site(str(body.get("site_key") or ""))
    sites.check_origin(site, origin=request.headers.get("Origin", ""), own=own_origin(request))
    count(request, site, "sessions", now=now)
    device = Device(
        secret=tokens.check_device(body.get("device_id")),
        page_url=str(body.get("page_url") or ""),
        user_agent=request.headers.get("User-Agent", ""),
        facts=facts.read(body.get("app")) if site.is_app else {},
    )
    text = presented_token(request)
    row = tokens.find(text, now=now)
    visitor = sessions.start(site=site, device=device, claim=body.get("identity"), presented=Presented(text, row) if row else None, now=now)
    return sessions.opening(site=site, visitor=visitor, now=now)


@entrance("POST")
def post_message(request: HttpRequest) -> Answer:
    """{client_msg_id, text, uploads?, prechat?} -> {id, seq, sent_at, client_msg_id}; 202 with nulls when it will appear later."""
    now, body = timezone.now(), body_of(request)
    site, token = visitor_of(request, now=now)
    client_id = messages.parse_client_id(body.get("client_msg_id"), request.headers.get("Idempotency-Key"))
    count(request, site, "messages", token=token, member=str(client_id), now=now)
    draft = Draft(
        client_id=client_id,
        text=str(body.get("text") or ""),
        upload_ids=_ids(body.get("uploads")),
        answers=_answers(site, token, body.get("prechat")),
    )
    posted = messages.post(site=site, token=token, draft=draft, user_agent=request.headers.get("User-Agent", ""), now=now)
    return JsonResponse(posted.shown(), status=200 if posted.message else 202)


def _ids(given: Any) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(str(value)) for value in given or ()]
    except (ValueError, TypeError):
        raise Refusal("file_unknown", _("A file is no longer there. Please attach it again."), status=400) from None


def _answers(site: Site, token: ChatToken, given: Any) -> dict[str, str]:
    """The answers before the chat; they are due with the first message of a dialogue only."""
    identity = feed.identity_of(token) if site.fields else None
    begun = identity is not None and feed.has_open_session(identity=identity, account=site.account)
    return {} if begun or not site.fields else forms.check(site, given)


@entrance("GET")
def list_messages(request: HttpRequest) -> Answer:
    """?after=seq -> {messages, more, state}: what came since; everything up to `after` counts as delivered. ?before=seq reads back.

    With ?wait=seconds too the answer comes when there is something (omni.chat.long_poll).
    """
    now = timezone.now()
    site, token = visitor_of(request, now=now)
    count(request, site, "reads", token=token, now=now)
    if "before" in request.GET:
        page = feed.list_before(identity=feed.identity_of(token), account=site.account, before=_number(request.GET["before"]))
        return {"messages": page.messages, "more": page.more}
    news = feed.read_news(site=site, token=token, after=_number(request.GET.get("after", "0")), now=now)
    return {"messages": news.page.messages, "more": news.page.more, "state": news.state}


def converse(request: HttpRequest) -> HttpResponseBase:
    """POST writes a message, GET reads."""
    return post_message(request) if request.method == "POST" else list_messages(request)


def _number(given: Any) -> int:
    try:
        number = int(given)
    except (ValueError, TypeError):
        number = -1
    if not 0 <= number < 2**63:
        raise Refusal("seq", _("A message number is a whole number."), status=400)
    return number


@entrance("POST")
def upload(request: HttpRequest) -> Answer:
    """A multipart body with the field `file` -> {id, name, mime, size}."""
    now = timezone.now()
    site, token = visitor_of(request, now=now)
    count(request, site, "uploads", token=token, now=now)
    if int(request.META.get("CONTENT_LENGTH") or 0) > UPLOAD_BODY_LIMIT:
        raise uploads.too_large()
    file = request.FILES.get("file")
    if file is None:
        raise Refusal("file_empty", _("The file is empty."), status=400)
    return uploads.shown(uploads.take(token=token, name=file.name or "", data=file.read(FILE_LIMIT + 1), now=now))


@entrance("GET")
def download(request: HttpRequest, public_id: uuid.UUID) -> Answer:
    """A file of the visitor's own dialogue: pictures may be shown, all else is a download."""
    now = timezone.now()
    site, token = visitor_of(request, now=now)
    count(request, site, "reads", token=token, now=now)
    row = uploads.find_file(identity=feed.identity_of(token), token=token, public_id=public_id, now=now)
    shown = row.mime in files.SHOWN_INLINE
    answer = HttpResponse(files.read(row), content_type=row.mime if shown else "application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(not shown, row.name or "file") or "attachment"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@entrance("POST")
def seen(request: HttpRequest) -> Answer:
    """{seq} -> {}: the guest has looked at everything up to this message."""
    now, body = timezone.now(), body_of(request)
    site, token = visitor_of(request, now=now)
    count(request, site, "reads", token=token, now=now)
    identity = feed.identity_of(token)
    if identity is not None:
        feed.mark_seen(identity=identity, account=site.account, up_to=_number(body.get("seq")), now=now)
    return {}


@entrance("POST")
def tell_typing(request: HttpRequest) -> Answer:
    """{text_length} -> {}: the guest is typing; 0 = stopped."""
    now, body = timezone.now(), body_of(request)
    site, token = visitor_of(request, now=now)
    count(request, site, "reads", token=token, now=now)
    feed.tell_typing(token=token, text_length=_number(body.get("text_length", 0)))
    return {}


@entrance("POST")
def register_device(request: HttpRequest) -> Answer:
    """{vendor, token, notices?} -> {}: the app takes pushes under this token; `notices` false = only answers of the chat."""
    now, body = timezone.now(), body_of(request)
    site, token = visitor_of(request, now=now)
    count(request, site, "devices", token=token, now=now)
    devices.register(site=site, token=token, given=body, now=now)
    return {}


@entrance("POST")
def forget_device(request: HttpRequest) -> Answer:
    """-> {}: nothing is pushed to this device any more; the chat goes on."""
    now = timezone.now()
    site, token = visitor_of(request, now=now)
    count(request, site, "devices", token=token, now=now)
    devices.forget(token=token, now=now)
    return {}


@entrance("POST")
def forget(request: HttpRequest) -> Answer:
    """-> {}: sign out; every token of this device ends."""
    now = timezone.now()
    _site, token = visitor_of(request, now=now)
    tokens.forget(token=token, now=now)
    return {}


converse.right, converse.public_because = None, PROTECTED_BY  # type: ignore[attr-defined]
converse.csrf_exempt = True  # type: ignore[attr-defined]
