"""Reads of channels, sessions and the guest's feed."""

import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from core.statements import Among, Prepared
from customers.models import Guest
from omni.models import Attachment, ChannelAccount, InboundEvent, Message, Session
from omni.states import AccountState, EventState
from worklist.models import Item

FEED_PAGE = 50
# The largest number that a message's id can be; a longer one is somebody's invention.
MOST_ID = 2**63 - 1


# A switched-off account may take events for so many seconds more: they are kept in the journal like all others.
ACCOUNT_KEPT_SECONDS = 2.0
_accounts: dict[tuple[str, str], tuple[float, ChannelAccount]] = {}


def find_account(*, kind: str, public_id: str) -> ChannelAccount | None:
    """A channel account that takes events; None when there is none such. A process keeps it for a moment: webhooks come in bursts."""
    asked = (kind, str(public_id))
    kept = _accounts.get(asked)
    if kept is not None and time.monotonic() - kept[0] < ACCOUNT_KEPT_SECONDS:
        return kept[1]
    account = _read_account(kind, str(public_id))
    if account is not None:
        _accounts[asked] = (time.monotonic(), account)
    return account


def _read_account(kind: str, public_id: str) -> ChannelAccount | None:
    try:
        key = uuid.UUID(public_id)
    except ValueError:
        return None
    return ChannelAccount.objects.filter(kind=kind, public_id=key).exclude(state=AccountState.DISABLED).first()


def find_guest(*, staff: Staff, guest_id: int) -> Guest:
    """A guest with whom the person has, or had, something to do. Raises Refusal (404)."""
    if not Item.objects.visible_to(staff).filter(guest_id=guest_id).exists():
        raise Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)
    return Guest.objects.get(pk=guest_id)


@dataclass(frozen=True)
class FeedPage:
    """Part of a guest's feed, oldest first. `before` = the cursor of the page above; None = this is the beginning.

    `has_newer` = the page was read from above, and it does not reach the newest message.
    """

    messages: Sequence[Message]
    before: str | None
    has_newer: bool = False


# What a feed shows; the rest of these wide rows is not carried over.
_FEED_FIELDS = (
    "session_id", "guest_id", "direction", "text", "visible_text", "sent_at", "sequence", "received_at", "is_automatic", "is_outside",
    "edited_at", "deleted_at", "send_state", "send_error", "possibly_delivered", "external_id", "author__full_name", "account__kind",
    "letter__subject",
)  # fmt: skip


def _feed(guest_id: Any) -> "QuerySet[Message]":
    feed = Message.objects.filter(guest_id=guest_id).select_related("author", "account", "letter").only(*_FEED_FIELDS)
    return feed.order_by("-sent_at", "-sequence", "-id")


def list_feed(*, guest_id: int, before: str = "", limit: int = FEED_PAGE, session_id: int | None = None) -> FeedPage:
    """The guest's messages of all channels up to a cursor (a page's, or a message's id), or of one session only.

    The caller has checked that the guest may be seen. Raises Refusal.
    """
    found = _older(guest_id, before, session_id, limit) if before or limit != FEED_PAGE else _newest(guest_id, session_id)
    page = found[:limit][::-1]
    return FeedPage(messages=page, before=_write_cursor(page[0]) if len(found) > limit else None)


def list_feed_from(*, guest_id: int, after: str = "", limit: int = FEED_PAGE, session_id: int | None = None) -> FeedPage:
    """The messages that follow a cursor, or the very first ones without it; else as `list_feed`. Raises Refusal."""
    feed = _whole(guest_id, session_id).order_by("sent_at", "sequence", "id")
    if after:
        at, sequence, pk = _read_cursor(after, guest_id)
        newer = Q(sent_at__gt=at) | Q(sent_at=at, sequence__gt=sequence) | Q(sent_at=at, sequence=sequence, pk__gt=pk)
        feed = feed.filter(sent_at__gte=at).filter(newer)
    found = list(feed[: limit + 1])
    return FeedPage(messages=found[:limit], before=after or None, has_newer=len(found) > limit)


def _older(guest_id: int, before: str, session_id: int | None, limit: int) -> list[Message]:
    feed = _whole(guest_id, session_id)
    if before:
        at, sequence, pk = _read_cursor(before, guest_id)
        older = Q(sent_at__lt=at) | Q(sent_at=at, sequence__lt=sequence) | Q(sent_at=at, sequence=sequence, pk__lt=pk)
        feed = feed.filter(sent_at__lte=at).filter(older)
    return list(feed[: limit + 1])


def _whole(guest_id: int, session_id: int | None) -> "QuerySet[Message]":
    feed = _feed(guest_id).prefetch_related("attachments")
    return feed if session_id is None else feed.filter(session_id=session_id)


_NEWEST = Prepared(lambda guest: _feed(guest)[: FEED_PAGE + 1])
_NEWEST_OF_SESSION = Prepared(lambda guest, session: _feed(guest).filter(session_id=session)[: FEED_PAGE + 1])
_FILES = Prepared(lambda messages: Attachment.objects.filter(Among("message_id", messages)).order_by("pk"))


def _newest(guest_id: int, session_id: int | None) -> list[Message]:
    if session_id is None:
        found = _NEWEST.all(guest=guest_id)
    else:
        found = _NEWEST_OF_SESSION.all(guest=guest_id, session=session_id)
    files: dict[int, list[Attachment]] = defaultdict(list)
    for file in _FILES.all(messages=[message.pk for message in found]) if found else ():
        files[file.message_id].append(file)
    for message in found:
        # What prefetch_related would have filled.
        cast(Any, message)._prefetched_objects_cache = {"attachments": _prefetched(message, files[message.pk])}
    return found


def _prefetched(message: Message, files: Sequence[Attachment]) -> "QuerySet[Attachment]":
    found = message.attachments.all()
    found._result_cache, found._prefetch_done = list(files), True  # type: ignore[attr-defined]
    return found


def _write_cursor(message: Message) -> str:
    return f"{message.sent_at.isoformat()}~{message.sequence}~{message.pk}"


def _read_cursor(cursor: str, guest_id: int) -> tuple[datetime, int, int]:
    if cursor.isdecimal():
        places = Message.objects.filter(pk=min(int(cursor), MOST_ID), guest_id=guest_id).values_list("sent_at", "sequence", "pk")
        if place := places.first():
            return place
    try:
        at, sequence, pk = cursor.split("~")
        return datetime.fromisoformat(at), int(sequence), int(pk)
    except ValueError:
        raise Refusal("bad_cursor", _("The feed cannot go on from there; please load it again."), status=400) from None


def find_messages(*, guest_id: int, ids: Sequence[int]) -> Sequence[Message]:
    """These messages of the guest's feed, oldest first."""
    return list(_feed(guest_id).prefetch_related("attachments").filter(pk__in=ids))[::-1]


def find_session(session_id: int) -> Session | None:
    return Session.objects.select_related("account", "guest", "identity", "queue__group", "owner").filter(pk=session_id).first()


def list_troubled_events(*, limit: int = 100) -> Sequence[InboundEvent]:
    """Events that could not be read or processed, newest first."""
    troubled = InboundEvent.objects.filter(state__in=[EventState.UNREADABLE, EventState.FAILED])
    return list(troubled.select_related("account").order_by("-received_at")[:limit])
