"""Moves of a notice's row that sending and statuses share. The row is locked by the caller, who saves it."""

from datetime import datetime, timedelta

from omni import dispatch
from omni.channels.abilities import Tracking
from omni.channels.registry import adapter_for
from omni.models import Notice, NoticeAttempt
from omni.states import SendState

TASK = "omni.tasks.send_notice"
# Seconds after which a provider is asked what became of a send that it has told nothing of.
ASK_AFTER = (120, 600, 3600, 6 * 3600)
ARRIVED = (SendState.SENT, SendState.DELIVERED, SendState.READ)


def call_up(notice: Notice, *, now: datetime) -> None:
    """The row is the timer; the call only spares the wait for the next sweep."""
    wait = (notice.next_at - now).total_seconds()
    if wait <= 60:
        dispatch.after_commit(TASK, delay=max(0.0, wait), notice_id=notice.pk)


def queue(notice: Notice, next_at: datetime, *, code: str, now: datetime) -> None:
    """Once more, or by the next way, not before `next_at`; `code` says why."""
    notice.state, notice.next_at, notice.error_code, notice.finished_at = SendState.QUEUED, next_at, code[:64], None
    call_up(notice, now=now)


def end(notice: Notice, state: SendState, code: str, *, now: datetime) -> None:
    """Nothing more is tried; `code` says why it failed."""
    notice.state, notice.error_code, notice.finished_at = state, code[:64], now


def next_question(attempt: NoticeAttempt, *, now: datetime) -> datetime | None:
    """When the vendor is asked about a send; None = it cannot be asked, or was asked often enough."""
    if not isinstance(adapter_for(attempt.account.kind), Tracking) or attempt.asked >= len(ASK_AFTER):
        return None
    return now + timedelta(seconds=ASK_AFTER[attempt.asked])
