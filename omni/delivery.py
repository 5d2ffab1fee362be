"""Why a message has not arrived, in words: each try with its time, what the channel said, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from omni.models import Attempt, Fallback, Message
from omni.services import fallbacks
from omni.services.sending import BACK_OFF
from omni.states import AccountState, Direction, FallbackState, SendState

FAULTS = {
    "lost": lambda: _("Our own sender stopped in the middle, so we cannot know whether it went out."),
    "adapter_fault": lambda: _("Our own sender failed; the fault is in the log."),
    "secret_lost": lambda: _("The account's keys cannot be read any more."),
    "file_lost": lambda: _("A file of the message is not in our storage any more."),
    "no_connection": lambda: _("The channel could not be reached."),
    "no_answer": lambda: _("The channel did not answer, so we cannot know whether it took the message."),
    "throttled": lambda: _("The channel asked us to slow down."),
    "gave_up": lambda: _("The channel did not answer for too long."),
}


@dataclass(frozen=True)
class Try:
    """One attempt. `code` is for looking things up, `said` the sentence, `detail` the channel's own words."""

    number: int
    at: datetime
    ended_at: datetime | None
    state: SendState
    said: str
    code: str
    detail: str
    possibly_delivered: bool


@dataclass(frozen=True)
class Story:
    """A message's way out. `next_at` = when it is tried next; None = not by itself."""

    message: Message
    tries: Sequence[Try]
    next_step: str
    next_at: datetime | None
    ways: Sequence[fallbacks.Way]
    """Other channels through which it may be sent now."""


def story_of(message: Message, *, now: datetime) -> Story:
    """All tries of an outgoing message and what happens next; tries were made in the channel's account of the message."""
    attempts = list(Attempt.objects.filter(message=message).select_related("account").order_by("number"))
    last = attempts[-1] if attempts else None
    waiting = last if last is not None and last.state == SendState.QUEUED else None
    failed = message.send_state == SendState.FAILED
    return Story(
        message=message,
        tries=[_try(attempt) for attempt in attempts],
        next_step=_next_step(message, last, now=now),
        next_at=waiting.next_at if waiting else None,
        ways=fallbacks.list_ways(message, now=now) if failed else [],
    )


def _try(attempt: Attempt) -> Try:
    return Try(
        number=attempt.number,
        at=attempt.created_at,
        ended_at=attempt.finished_at,
        state=SendState(attempt.state),
        said=_said(attempt),
        code=attempt.error_code,
        detail=attempt.error_text,
        possibly_delivered=attempt.possibly_delivered,
    )


def _said(attempt: Attempt) -> str:
    if attempt.error_code in FAULTS:
        return FAULTS[attempt.error_code]()
    if attempt.error_code or attempt.error_text:
        return _("The channel refused it for good.") if attempt.is_permanent else _("The channel could not take it just then.")
    words = {
        SendState.QUEUED: _("Waits for its turn."),
        SendState.SENDING: _("Is being handed to the channel."),
        SendState.SENT: _("The channel has taken it."),
        SendState.DELIVERED: _("It has arrived at the guest's device."),
        SendState.READ: _("The guest has read it."),
        SendState.FAILED: _("It was not sent."),
        SendState.CANCELLED: _("It was taken back before it went out."),
    }
    return words[SendState(attempt.state)]


def _next_step(message: Message, last: Attempt | None, *, now: datetime) -> str:
    if message.direction != Direction.OUT or last is None:
        return ""
    if last.state == SendState.QUEUED:
        return _of_waiting(last, now=now)
    if last.state == SendState.SENDING:
        return _("If the sender dies, the next try begins by itself.")
    if message.send_state != SendState.FAILED:
        return _("Nothing more is to be done.")
    return _of_failed(message)


def _of_waiting(attempt: Attempt, *, now: datetime) -> str:
    account = attempt.account
    if account.state == AccountState.DISABLED:
        return _("It is sent when the channel's account is switched on again.")
    if account.paused_until and account.paused_until > now:
        return _("The account pauses, as the channel has asked; then it goes on by itself.")
    earlier = Attempt.objects.filter(session_id=attempt.session_id, message_id__lt=attempt.message_id)
    if earlier.filter(state__in=[SendState.QUEUED, SendState.SENDING]).exists():
        return _("It follows an earlier message of this dialogue that is still on its way.")
    if attempt.tries > 1:
        return _("Try %(number)d of %(most)d is made by itself.") % {"number": attempt.tries, "most": len(BACK_OFF) + 1}
    return _("It goes out as soon as the channel's limits allow.")


def _of_failed(message: Message) -> str:
    wish = Fallback.objects.filter(origin=message).select_related("message__account").first()
    if wish is not None and wish.state == FallbackState.DUE:
        return _("By the queue's rule another channel is being looked for.")
    if wish is not None and wish.message is not None:
        return _("It was sent through %(channel)s instead.") % {"channel": wish.message.account.name}
    if wish is not None:
        return _("Nothing by itself: the guest has agreed to no other channel. Somebody has to send it again or call.")
    return _("Nothing by itself: somebody has to send it again, or through another channel.")
