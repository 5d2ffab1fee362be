"""The page on which a store answers by its link."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.entrance import public
from core.refusal import Refusal
from omni.channels.contract import OutgoingFile
from omni.services import files
from tickets.masking import without_contacts
from tickets.models import AskingSettings, StoreLink
from tickets.pages.by_link import address_of, by_link
from tickets.services import asked, numbers, store_links
from tickets.services.store_links import LinkRefused

_WHY = "the address holds a signed token that works once, for one ticket of one store"
# By the first bytes, whatever the name says.
TAKEN = files.SHOWN_INLINE | {"image/heic", "image/heif", "application/pdf"}
HOURS = (1, 2, 4, 8, 24, 48, 72, 120)


@public(_WHY)
@require_safe
@by_link
def show(request: HttpRequest, token: str) -> HttpResponse:
    link = _opened(request, token)
    store_links.note_look(link, now=timezone.now())
    return _page(request, link, token)


@public(_WHY)
@require_POST
@by_link
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The answer, or that it is not about this store; a second press of the button is no second answer."""
    link, fields = _opened(request, token), request.POST
    try:
        uploads = _uploads(request.FILES.getlist("files"), numbers.current())
        store_links.answer(
            token=token,
            words=fields.get("words", ""),
            signed=fields.get("signed", ""),
            not_ours=fields.get("deed") == "not_ours",
            uploads=uploads,
            now=timezone.now(),
        )
    except LinkRefused as refusal:
        _note(request, token, refusal)
        if refusal.code != "link_used":
            raise
    except Refusal as refusal:
        return _page(request, link, token, refusal=refusal)
    return _back(token)


@public(_WHY)
@require_POST
@by_link
def ask_time(request: HttpRequest, token: str) -> HttpResponse:
    link, fields = _opened(request, token), request.POST
    hours = fields.get("hours", "")
    try:
        store_links.ask_time(
            token=token,
            hours=int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 6 else 0,
            words=fields.get("words", ""),
            signed=fields.get("signed", ""),
            now=timezone.now(),
        )
    except LinkRefused as refusal:
        _note(request, token, refusal)
        if refusal.code != "link_used":
            raise
    except Refusal as refusal:
        return _page(request, link, token, refusal=refusal, deed="time")
    return _back(token)


def _opened(request: HttpRequest, token: str) -> StoreLink:
    """The link of the address. Raises LinkRefused, which is written down."""
    try:
        return store_links.find(token, now=timezone.now())
    except LinkRefused as refusal:
        _note(request, token, refusal)
        raise


def _note(request: HttpRequest, token: str, refusal: LinkRefused) -> None:
    store_links.note_refusal(token, refusal, address=address_of(request), now=timezone.now())


def _back(token: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("store_link", kwargs={"token": token}))


def _uploads(chosen: "Sequence[UploadedFile[Any]]", rules: AskingSettings) -> list[OutgoingFile]:
    """The photos of the form. Raises Refusal: too many, too large, of another type."""
    if len(chosen) > rules.most_photos:
        raise Refusal("too_many_files", _("At most %(number)d files at a time.") % {"number": rules.most_photos}, status=400)
    return [_upload(file, rules.most_megabytes) for file in chosen]


def _upload(file: "UploadedFile[Any]", megabytes: int) -> OutgoingFile:
    if (file.size or 0) > megabytes * 1024 * 1024:
        raise Refusal("file_too_large", _("The file is too large: at most %(megabytes)d MB.") % {"megabytes": megabytes}, status=413)
    data = file.read()
    if not data:
        raise Refusal("file_empty", _("The file is empty."), status=400)
    if files.sniff(data) not in TAKEN:
        raise Refusal("file_type", _("Only photos and PDF files are taken."), status=415)
    return OutgoingFile(name=file.name or "photo", mime=file.content_type or "", data=data)


def _page(request: HttpRequest, link: StoreLink, token: str, *, refusal: Refusal | None = None, deed: str = "answer") -> HttpResponse:
    rules = numbers.current()
    context = {
        "token": token,
        "link": link,
        "case": link.case,
        "matter": without_contacts(link.case.summary),
        "details": asked.for_store(link.case),
        "due_at": link.promised_at or store_links.due_at(link.case),
        "files": list(link.message.attachments.order_by("pk")) if link.message else [],
        "rules": rules,
        "hours": [hours for hours in HOURS if hours <= rules.most_time_hours] or [rules.most_time_hours],
        "may_ask_time": link.time_asks < rules.most_time_asks,
        "typed": request.POST if refusal else {},
        "refusal": refusal,
        "deed": deed,
        "now": timezone.now(),
    }
    with timezone.override(ZoneInfo(link.store.time_zone)):
        return render(request, "tickets/store_link.html", context, status=refusal.status if refusal else 200)
