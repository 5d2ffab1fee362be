"""What a visitor sees: the messages of the visitor's dialogues, and how the dialogue stands.

`seq` of a message is its number in our database: it only grows within one identity, because a message takes its number under the
lock of its session, and an identity has one open session at a time. So "after seq" can miss nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from customers.models import Identity
from omni.channels.webchat.adapter import is_upload
from omni.chat import sites
from omni.chat.sites import Site
from omni.models import Attachment, ChannelAccount, ChatToken, Message, Session
from omni.services import sending, typing
from omni.states import Direction, FileState, SendState, SessionState
from worklist.models import Item
from worklist.states import Kind

PAGE = 50
_SHOWN = Q(direction=Direction.IN) | (Q(direction=Direction.OUT) & ~Q(send_state=SendState.CANCELLED))


@dataclass(frozen=True)
class State:
    """How the dialogue stands. `status` is none, waiting, active, parked or closed; times are ISO 8601 in UTC.

    `queue_position` counts from 1 while waiting; `seen_seq` is the newest of the guest's messages that an operator has read.
    """

    status: str
    operator: str
    queue_position: int | None
    seen_seq: int
    unread: int
    working: bool
    opens_at: str | None


@dataclass(frozen=True)
class Page:
    """Messages, oldest first; `more` = there are others beyond them."""

    messages: Sequence[dict[str, Any]]
    more: bool


def identity_of(token: ChatToken) -> Identity | None:
    """The identity behind a token; None until the visitor's first message."""
    return Identity.objects.filter(scope=str(token.account.public_id), external_id=token.visitor).first()


def _messages(identity: Identity, account: ChannelAccount) -> "QuerySet[Message]":
    ours = Message.objects.filter(session__identity=identity, session__account=account).filter(_SHOWN)
    return ours.select_related("author", "choices").prefetch_related("attachments").defer("search")


def list_after(*, identity: Identity | None, account: ChannelAccount, after: int, limit: int = PAGE) -> Page:
    """Messages with a greater seq."""
    if identity is None:
        return Page([], more=False)
    found = list(_messages(identity, account).filter(pk__gt=after).order_by("pk")[: limit + 1])
    return Page([shown(message) for message in found[:limit]], more=len(found) > limit)


def has_after(*, identity: Identity | None, account: ChannelAccount, after: int) -> bool:
    """Whether there is a message with a greater seq."""
    return identity is not None and _messages(identity, account).filter(pk__gt=after).exists()


def list_before(*, identity: Identity | None, account: ChannelAccount, before: int | None, limit: int = PAGE) -> Page:
    """The newest messages, or those with a smaller seq."""
    if identity is None:
        return Page([], more=False)
    found = _messages(identity, account)
    found = found if before is None else found.filter(pk__lt=before)
    page = list(found.order_by("-pk")[: limit + 1])
    return Page([shown(message) for message in page[:limit]][::-1], more=len(page) > limit)


def shown(message: Message) -> dict[str, Any]:
    """A message as the visitor gets it; what was deleted keeps its place without its text."""
    gone, chosen = message.deleted_at is not None, getattr(message, "choices", None)
    return {
        **({"choices": chosen.labels} if chosen and chosen.labels else {}),
        "id": str(message.public_id),
        "seq": message.pk,
        "client_msg_id": _client_id(message),
        "from": "guest" if message.direction == Direction.IN else "operator" if message.author_id else "machine",
        "author": message.author.get_short_name() if message.author else "",
        "text": "" if gone else message.visible_text or message.text,
        "sent_at": message.sent_at.isoformat(),
        "deleted": gone,
        "attachments": [] if gone else [_file(row) for row in sorted(message.attachments.all(), key=attrgetter("pk"))],
    }


def _client_id(message: Message) -> str | None:
    return message.external_id.rpartition(":")[2] if message.direction == Direction.IN else None


def _file(row: Attachment) -> dict[str, Any]:
    # A guest's own upload is in our storage before its message is.
    ready = row.state == FileState.STORED or (row.state == FileState.PENDING and is_upload(row.ref))
    return {"id": str(row.public_id), "name": row.name, "mime": row.mime, "size": row.size, "kind": row.kind, "ready": ready}


def state_of(*, site: Site, identity: Identity | None, now: datetime) -> State:
    """How the visitor's newest dialogue stands."""
    hours = sites.hours_of(site, now=now)
    session = None
    if identity is not None:
        mine = Session.objects.filter(identity=identity, account=site.account).select_related("owner")
        session = mine.order_by("-opened_at", "-pk").first()
    return State(
        status=session.state if session else "none",
        operator=session.owner.get_short_name() if session and session.owner else "",
        queue_position=_position(session) if session else None,
        seen_seq=_seen(session) if session else 0,
        unread=_unread(identity, site.account) if identity else 0,
        working=hours.working,
        opens_at=hours.opens_at.isoformat() if hours.opens_at else None,
    )


def has_open_session(*, identity: Identity, account: ChannelAccount) -> bool:
    return Session.objects.filter(identity=identity, account=account).exclude(state=SessionState.CLOSED).exists()


def tell_typing(*, token: ChatToken, text_length: int) -> None:
    """Tell the operators' screens that the visitor is typing; 0 characters = stopped. Before the first message nobody can see it."""
    identity = identity_of(token)
    open_ones = Session.objects.filter(identity=identity, account=token.account).exclude(state=SessionState.CLOSED)
    session = open_ones.first() if identity else None
    if session is not None:
        typing.guest_types(guest_id=session.guest_id, session_id=session.pk, text_length=text_length)


def _position(session: Session) -> int | None:
    """The place in the queue, by the order in which distribution gives out."""
    if session.state != SessionState.WAITING:
        return None
    own = Item.objects.waiting().filter(kind=Kind.SESSION, subject_id=session.pk).first()
    if own is None:
        return None
    waiting = Item.objects.waiting().filter(kind=Kind.SESSION, group_id=own.group_id)
    same = Q(priority=own.priority)
    first = Q(priority__gt=own.priority) | same & Q(waiting_since__lt=own.waiting_since)
    return 1 + waiting.filter(first | same & Q(waiting_since=own.waiting_since, pk__lt=own.pk)).count()


def _seen(session: Session) -> int:
    """The newest inbound message that a person has read; closing alone is no reading, an answer is."""
    inbound = session.messages.filter(direction=Direction.IN).order_by("-pk").values_list("pk", flat=True)
    if session.state == SessionState.CLOSED:
        answered = session.messages.filter(direction=Direction.OUT, author__isnull=False).order_by("-pk").values_list("pk", flat=True)
        return inbound.filter(pk__lt=answered.first() or 0).first() or 0
    return next(iter(inbound[session.unread : session.unread + 1]), 0)


def _unread(identity: Identity, account: ChannelAccount) -> int:
    """Answers that the guest has not looked at."""
    answers = Message.objects.filter(session__identity=identity, session__account=account, direction=Direction.OUT)
    unseen = Q(session__guest_read_at__isnull=True) | Q(sent_at__gt=F("session__guest_read_at"))
    return answers.filter(unseen).exclude(send_state=SendState.CANCELLED).count()


def mark_seen(*, identity: Identity, account: ChannelAccount, up_to: int, now: datetime) -> None:
    """The guest has looked at everything up to this seq."""
    answers = Message.objects.filter(session__identity=identity, session__account=account, direction=Direction.OUT, pk__lte=up_to)
    last = answers.order_by("-pk").first()
    if last is None:
        return
    behind = Q(guest_read_at__isnull=True) | Q(guest_read_at__lt=last.sent_at)
    Session.objects.filter(behind, pk=last.session_id).update(guest_read_at=last.sent_at)
    settle(identity=identity, account=account, up_to=up_to, now=now)


def settle(*, identity: Identity, account: ChannelAccount, up_to: int, now: datetime) -> None:
    """Answers up to this seq are on the guest's device: they are delivered, and read if the guest has looked at them.

    An answer whose attempt is not finished yet is settled by the next look, which its finishing calls for.
    """
    answers = Message.objects.filter(session__identity=identity, session__account=account, direction=Direction.OUT, pk__lte=up_to)
    looked_at = Q(sent_at__lte=F("session__guest_read_at"))
    open_ended = answers.filter(Q(send_state=SendState.SENT) | Q(send_state=SendState.DELIVERED) & looked_at)
    for message in open_ended.select_related("session").order_by("pk")[:PAGE]:
        read_at = message.session.guest_read_at
        state = SendState.READ if read_at and message.sent_at <= read_at else SendState.DELIVERED
        with transaction.atomic():
            sending.apply_status(account=account, external_id=message.external_id, state=state.value, error="", now=now)


@dataclass(frozen=True)
class News:
    """What a visitor's screen lacks. `state` as State, ready for JSON."""

    page: Page
    state: dict[str, Any]


def read_news(*, site: Site, token: ChatToken, after: int, now: datetime) -> News:
    """Messages after a seq and the state; everything up to `after` counts as delivered."""
    identity = identity_of(token)
    if identity is not None:
        settle(identity=identity, account=site.account, up_to=after, now=now)
    page = list_after(identity=identity, account=site.account, after=after)
    return News(page, asdict(state_of(site=site, identity=identity, now=now)))
