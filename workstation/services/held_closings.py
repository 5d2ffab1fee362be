"""Closing with a few seconds to take it back: held as a row, carried out by the worker.

Until then nothing has happened: no clock is met, no guest is told, nothing is counted, so taking it back restores nothing. A screen
that dies in between changes nothing either: the row is carried out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.models import Staff
from core.live import announce, staff_topic
from core.refusal import Refusal
from core.statements import Prepared
from omni import dispatch
from omni.models import Presence, Session
from omni.services import conversations, presence_states
from tickets.models import Case
from worklist.models import Item
from worklist.states import Kind
from workstation import life
from workstation.models import HeldClosing
from workstation.services import presence

log = structlog.get_logger(__name__)
HOLD = timedelta(seconds=5)
# After a fault of our own a closing is tried again, each time after twice as long, and given up after so many tries.
FIRST_PAUSE = timedelta(seconds=10)
MOST_TRIES = 5
TASK = "workstation.tasks.close_held"


@transaction.atomic
def hold(*, item: Item, by: Staff, now: datetime, cause: str = "", note: str = "") -> datetime:
    """Close the item in HOLD from now; returns when. A repeat while it is held changes nothing.

    Raises Refusal whatever the closing itself would raise now.
    """
    with transaction.atomic():
        # The closing's own rules say whether it could be done; then it is as if it had not been.
        _close(item.kind, item.subject_id, by=by, now=now, cause=cause, note=note)
        transaction.set_rollback(True)
    session, owner_id = _as_it_is(item.kind, item.subject_id)
    seen = {"owner_id": owner_id, "seen_id": session.last_inbound_id}
    row = HeldClosing(kind=item.kind, subject_id=item.subject_id, by=by, cause=cause, note=note, due_at=now + HOLD, **seen)
    HeldClosing.objects.bulk_create([row], ignore_conflicts=True)
    held = HeldClosing.objects.get(kind=item.kind, subject_id=item.subject_id)
    dispatch.after_commit(TASK, delay=HOLD.total_seconds(), held_id=held.pk)
    return held.due_at


@transaction.atomic
def take_back(*, item: Item, by: Staff) -> None:
    """Let the item stay open. Raises Refusal when it is too late, or a colleague asked for the closing."""
    taken, _rows = HeldClosing.objects.filter(kind=item.kind, subject_id=item.subject_id, by=by).delete()
    if not taken:
        raise Refusal("too_late", gettext_lazy("It is closed already."))


def list_held(by: Staff, *, now: datetime) -> Sequence[HeldClosing]:
    """What the person asked to close and can still take back, the newest last."""
    return _HELD.all(by=by.pk, now=now)


_HELD = Prepared(lambda by, now: HeldClosing.objects.filter(by_id=by, due_at__gt=now).order_by("due_at"))


def close_due(*, now: datetime) -> int:
    """Carry out all whose time has come; returns how many were closed. Safe to run twice and in parallel; each stands for itself."""
    due = HeldClosing.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
    return sum(carry_out(held_id=pk, now=now) for pk in due)


def carry_out(*, held_id: int, now: datetime) -> bool:
    """Close what is held, in a transaction of its own.

    False = taken back, not due yet, in other hands, or something came in between: then the person is told. After a fault of the system
    it is tried again later, MOST_TRIES times, then the person is told.
    """
    try:
        with transaction.atomic():
            return _carry_out(held_id, now=now)
    except Exception:  # one row's fault must not stop the others
        log.exception("a held closing failed", held=held_id)
    with transaction.atomic():
        _try_later(held_id, now=now)
    return False


def _try_later(held_id: int, *, now: datetime) -> None:
    """Another worker that has the row locked has it in hand."""
    held = HeldClosing.objects.select_for_update(skip_locked=True, of=("self",)).select_related("by").filter(pk=held_id).first()
    if held is None:
        return
    held.tries += 1
    if held.tries < MOST_TRIES:
        held.due_at = now + FIRST_PAUSE * 2 ** (held.tries - 1)
        held.save(update_fields=["tries", "due_at"])
        return
    log.error("a held closing is given up", held=held_id, kind=held.kind, subject=held.subject_id)
    held.delete()
    with override(held.by.language):
        _tell_why(held, _("Not closed: a fault of the system. Please close it again."))


def _tell_why(held: HeldClosing, why: str) -> None:
    announce(kind="not_closed", payload={"kind": held.kind, "id": held.subject_id, "why": why}, topics=[staff_topic(held.by_id)])


def _carry_out(held_id: int, *, now: datetime) -> bool:
    # The row's lock decides between this and a taking back.
    found = HeldClosing.objects.select_for_update(skip_locked=True, of=("self",)).select_related("by")
    held = found.filter(pk=held_id, due_at__lte=now).first()
    if held is None:
        return False
    why = ""
    with override(held.by.language):
        try:
            with transaction.atomic():
                _check(held)
                _close(held.kind, held.subject_id, by=held.by, now=now, cause=held.cause, note=held.note)
        except Refusal as refusal:
            why = str(refusal.text)
    held.delete()
    if why:
        _tell_why(held, why)
        return False
    if held.kind == Kind.SESSION:
        _free(held.by, now=now)
    return True


def _free(person: Staff, *, now: datetime) -> None:
    """The person's screens show the smaller load; there may be room for what waits."""
    state = Presence.objects.filter(staff=person).first()
    if state is not None:
        presence_states.tell(state)
    presence.look_for_work(staff=person, now=now)


def _check(held: HeldClosing) -> None:
    """Raises Refusal when the item is not as the person left it. The conversation stays locked."""
    conversations.lock(_as_it_is(held.kind, held.subject_id)[0].pk)
    session, owner_id = _as_it_is(held.kind, held.subject_id)
    if session.last_inbound_id > held.seen_id:
        raise Refusal("newer_messages", _("Not closed: the guest has written."))
    if owner_id != held.owner_id:
        raise Refusal("taken", _("Not closed: somebody else has it now."))


def _as_it_is(kind: str, subject_id: int) -> tuple[Session, int | None]:
    """The item's conversation and its owner."""
    if kind == Kind.CASE:
        case = Case.objects.select_related("session").get(pk=subject_id)
        return case.session, case.owner_id
    session = Session.objects.get(pk=subject_id)
    return session, session.owner_id


def _close(kind: str, subject_id: int, *, by: Staff, now: datetime, cause: str, note: str) -> None:
    if kind == Kind.CASE:
        life.close_with(case_id=subject_id, choice=cause, note=note, by=by, now=now)
    else:
        conversations.close(session_id=subject_id, by=by, now=now)
