"""Answering a guest in the channel the guest came by."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.statements import Prepared
from omni.channels.contract import OutgoingFile
from omni.models import Message, Session, TemplateUse
from omni.services import approved, conversations, files, sending, waiting
from omni.services.approved import Choice
from omni.services.reach import capabilities_of, obstacle
from omni.states import Direction, SessionState

__all__ = ["answer", "answer_with_template", "capabilities_of", "note", "refusal_of", "resend", "take_back"]


@transaction.atomic
def answer(
    *,
    session_id: int,
    text: str,
    by: Staff,
    now: datetime,
    seen_message_id: int | None = None,
    over_newer: bool = False,
    uploads: Sequence[OutgoingFile] = (),
    even_closed: bool = False,
) -> Message:
    """Write an answer and queue its sending. `seen_message_id` = the newest message on the sender's screen.

    `even_closed` = we begin: a closed dialogue takes the text and stays closed until the guest answers.
    Raises Refusal: empty or too long text, closed session, the guest blocked us, the reply window is over, or a newer message
    has come that the sender has not seen (unless `over_newer`).
    """
    session = conversations.lock(session_id)
    _check(session, text, uploads, now=now, even_closed=even_closed)
    _check_news(session, seen_message_id, by, over_newer=over_newer)
    message = _write(session, text, by=by, now=now)
    files.store_uploads(message=message, uploads=uploads)
    return _send(session, message, by=by, now=now)


@transaction.atomic
def answer_with_template(
    *,
    session_id: int,
    choice: Choice,
    by: Staff,
    now: datetime,
    seen_message_id: int | None = None,
    over_newer: bool = False,
    even_closed: bool = False,
) -> Message:
    """Answer with a text that the channel's provider has approved: the way out when the reply window is over; allowed before, too.

    Raises Refusal as `answer`, and for a text that is unknown, not approved (any more), or not filled in.
    """
    session = conversations.lock(session_id)
    row, text = approved.filled(session, choice)
    _check(session, text, (), now=now, approved_text=True, even_closed=even_closed)
    _check_news(session, seen_message_id, by, over_newer=over_newer)
    message = _write(session, text, by=by, now=now)
    approved.keep_use(message=message, row=row, choice=choice)
    return _send(session, message, by=by, now=now)


def _check_news(session: Session, seen_message_id: int | None, by: Staff, *, over_newer: bool) -> None:
    if not over_newer and seen_message_id is not None and _has_news(session, seen_message_id, by):
        raise Refusal("newer_messages", _("New messages came while you were writing. Read them, or send all the same."))


def _write(session: Session, text: str, *, by: Staff, now: datetime) -> Message:
    last = _ANSWERED.first(session=session.pk)
    return conversations.add_outgoing(session=session, text=text, by=by, now=now, reply_to=last or "")


# The guest's last word, not ours: a second answer in a row answers the same mail and keeps its thread.
_ANSWERED = Prepared(
    lambda session: Message.objects.filter(session_id=session, direction=Direction.IN, is_automatic=False)
    .exclude(external_id="")
    .order_by("-seq")
    .values_list("external_id", flat=True)[:1]
)


def _send(session: Session, message: Message, *, by: Staff, now: datetime) -> Message:
    waiting.stop(session, message, now=now)
    sending.queue(message=message, not_before=now + timedelta(seconds=capabilities_of(session).undo_seconds), now=now)
    audit.record(action="message.answered", by=by, subject=session, now=now, details={"message": message.pk})
    return message


@transaction.atomic
def note(*, session_id: int, text: str, by: Staff, now: datetime) -> Message:
    """An internal note in the feed. Raises Refusal when it is empty."""
    if not text.strip():
        raise Refusal("empty", _("Write something first."), status=400)
    return conversations.add_line(session=conversations.lock(session_id), direction=Direction.NOTE, text=text, by=by, now=now)


def _has_news(session: Session, seen_message_id: int, by: Staff) -> bool:
    """Whether the guest or a colleague has written since; one's own answers are no news to their author."""
    if session.last_inbound_id <= seen_message_id:
        return False
    since = Message.objects.filter(session=session, pk__gt=seen_message_id, direction__in=[Direction.IN, Direction.OUT])
    return since.exclude(author=by).exists()


def refusal_of(session: Session, text: str, *, now: datetime, approved_text: bool = False, even_closed: bool = False) -> Refusal | None:
    """Why this text could not be sent in the dialogue just now; None = nothing is in the way."""
    try:
        _check(session, text, (), now=now, approved_text=approved_text, even_closed=even_closed)
    except Refusal as refusal:
        return refusal
    return None


def _check(
    session: Session,
    text: str,
    uploads: Sequence[OutgoingFile],
    *,
    now: datetime,
    approved_text: bool = False,
    even_closed: bool = False,
) -> None:
    can = capabilities_of(session)
    if session.state == SessionState.CLOSED and not even_closed:
        raise Refusal("closed", _("The dialogue is closed. Open it again to write to the guest."))
    if not text.strip() and not uploads:
        raise Refusal("empty", _("Write something first."), status=400)
    if can.text_limit and len(text) > can.text_limit:
        limit = _("The text is %(excess)d characters over this channel's limit of %(limit)d.")
        raise Refusal("too_long", limit % {"excess": len(text) - can.text_limit, "limit": can.text_limit}, status=400)
    if uploads and not can.attachments:
        raise Refusal("no_files", _("This channel takes no files."), status=400)
    if len(uploads) > can.attachments_per_message:
        raise Refusal("too_many_files", _("This channel takes fewer files at a time."), status=400)
    if can.attachment_bytes and sum(len(file.data) for file in uploads) > can.attachment_bytes:
        raise Refusal("file_too_large", _("The files are too large for this channel."), status=400)
    if refusal := obstacle(session, now=now, approved=approved_text):
        raise refusal


@transaction.atomic
def take_back(*, message_id: int, by: Staff) -> Message:
    """Undo a send that has not begun. Raises Refusal when it is too late."""
    message = Message.objects.select_related("session").get(pk=message_id)
    session = conversations.lock(message.session_id)
    if not sending.cancel(message=message):
        raise Refusal("too_late", _("The message is already on its way."))
    waiting.again(session, message, now=timezone.now())
    audit.record(action="message.taken_back", by=by, subject=session, now=timezone.now(), details={"message": message.pk})
    return message


@transaction.atomic
def resend(*, message_id: int, by: Staff, now: datetime) -> Message:
    """Send a failed message again: a new attempt. Raises Refusal when it has not failed."""
    message = Message.objects.select_related("session").get(pk=message_id)
    session = conversations.lock(message.session_id)
    message.refresh_from_db()
    refusal = obstacle(session, now=now, approved=TemplateUse.objects.filter(message=message).exists())
    # Not every channel tells that a block is over: whoever sends again finds it out.
    if refusal is not None and refusal.code != "blocked":
        raise refusal
    sending.requeue(message=message, now=now)
    if not session.messages.filter(direction=Direction.IN, seq__gt=message.seq).exists():
        waiting.stop(session, message, now=now)
    audit.record(action="message.resent", by=by, subject=session, now=now, details={"message": message.pk})
    return message
