"""Giving waiting dialogues to ready operators, or offering them: priority, then the longest wait; to whom the queue's strategy names."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from accounts.rights import Right
from core.live import announce, staff_topic
from core.locks import serialise
from core.refusal import Refusal
from core.statements import Prepared
from omni import dispatch
from omni.choosing import Operator, Verdict, Why, Work, dead_end, decide
from omni.models import Presence, Ring, Session
from omni.services import boards, conversations, offering, offers, presence
from omni.services.boards import Board
from omni.states import DecisionKind, Delivery, SessionState
from worklist.models import Item
from worklist.states import Kind

# So many of those who came next, and of those left out for each reason, are kept with a decision.
NEXT_BEST = 5
LEFT_OUT = 20
_STAFF = Prepared(lambda pk: Staff.objects.filter(pk=pk))
_WAITING = Prepared(
    lambda pk: (
        Session.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("account", "guest", "queue__policy__calendar", "identity")
        .filter(pk=pk, state=SessionState.WAITING, offered_until=None)
    )
)
# Seconds after which those are looked at again whom somebody else had locked; a transaction is over by then.
LOOK_AGAIN = 1
_PERSON = Prepared(lambda staff: Presence.objects.select_for_update(skip_locked=True).filter(staff_id=staff))


def give_out(*, group_id: int, now: datetime, limit: int = 100) -> int:
    """Give or offer waiting dialogues of a group until they or the room run out. Returns how many.

    One process at a time per group, so the order of waiting holds; each gift is a transaction of its own. Who came on line after the
    call began is found by the next one. A dialogue or person locked by somebody else is passed over, and looked at again a moment later.
    """
    board = boards.read(group_id, now=now)
    given = 0
    while given < limit and board.room > 0 and _give_one(board, now=now):
        given += 1
    if board.passed_over:
        dispatch.wake("omni.tasks.distribute_waiting", delay=LOOK_AGAIN)
    return given


@transaction.atomic
def _give_one(board: Board, *, now: datetime) -> bool:
    serialise(f"distribution:{board.group_id}")
    # A dialogue that nobody may get waits, but does not keep those behind it waiting.
    for work in boards.waiting(board, now=now):
        end = dead_end(work, now=now)
        if end not in board.dead_ends and _place(board, work, now=now):
            return True
        board.dead_ends.add(end)
        if board.room <= 0:
            return False
    return False


def _place(board: Board, work: Work, *, now: datetime) -> bool:
    """Find somebody for the dialogue; False when nobody can get it, or somebody is taking it at this moment."""
    session: Session | None = None
    while True:
        verdict = decide(work, board.operators.values(), limits=board.book.limits, now=now)
        chosen = verdict.chosen
        if chosen is None:
            return False
        # What a person is taking at this moment is left to that person.
        session = session or _WAITING.first(pk=work.id)
        if session is None:
            board.passed_over = True
            return False
        row = _still_so(board, chosen, now=now)
        if row is not None and _hand(session, work, verdict, row, limits=bool(board.book.limits), now=now):
            chosen.load += work.weight
            chosen.assigned_at = now
            chosen.live = {**chosen.live, work.channel: chosen.live.get(work.channel, 0) + 1}
            return True


def _still_so(board: Board, chosen: Operator, *, now: datetime) -> Presence | None:
    """The person's row, locked, if it is as the board says. If not, the board is corrected and has to be asked again."""
    row = _PERSON.first(staff=chosen.id)
    if row is None:  # being changed by somebody else: the others come first
        board.passed_over = True
        del board.operators[chosen.id]
        return None
    alive = row.seen_at >= now - presence.GRACE
    before = (chosen.state, chosen.alive, chosen.capacity, chosen.load, chosen.assigned_at)
    chosen.state, chosen.alive, chosen.capacity = row.state, alive, row.capacity
    chosen.load, chosen.assigned_at = row.load, row.assigned_at
    return row if before == (row.state, alive, row.capacity, row.load, row.assigned_at) else None


def _hand(session: Session, work: Work, verdict: Verdict, row: Presence, *, limits: bool, now: datetime) -> bool:
    """Give or offer the locked session to the chosen person, whose row is locked; the log tells why. False = a limit was reached."""
    chosen = verdict.ranked[0]
    explanation = explain(work, verdict, now=now)
    if session.queue.delivery == Delivery.OFFER:
        if offering.make(session, staff_id=chosen.id, explanation=explanation, now=now) is None:
            chosen.load = chosen.capacity
            return False
    else:
        try:
            # With the row locked only a channel's limit can still refuse it: without limits nothing has to be undone.
            with transaction.atomic() if limits else nullcontext():
                conversations.assign(session=session, to=_STAFF.get(pk=chosen.id), by=None, now=now, action="session.given")
        except Refusal:  # a limit was reached since the board was read
            chosen.load = chosen.capacity
            return False
        offering.note(session, chosen.id, DecisionKind.GIVEN, explanation, now=now)
        announce(kind="given", payload={"session_id": session.pk}, topics=[staff_topic(chosen.id)])
    row.load, row.assigned_at = row.load + work.weight, now
    presence.tell(row)
    return True


def explain(work: Work, verdict: Verdict, *, now: datetime) -> dict[str, Any]:
    """The verdict as the log keeps it: the chosen one's place and figures, who came next, who was left out and why."""
    chosen = verdict.ranked[0] if verdict.ranked else None
    told: dict[str, Any] = {
        "waited_seconds": _seconds(now, work.waiting_since),
        "priority": work.priority,
        "weight": work.weight,
        "strategy": str(work.rules.strategy),
        "ring": verdict.circle.number,
        "needs": [[skill, level] for skill, level in verdict.circle.needs.items()],
        "preferred": verdict.preferred,
        "of": len(verdict.ranked),
        "next_best": [_figures(other, now=now) for other in verdict.ranked[1 : NEXT_BEST + 1]],
        "left_out": _left_out(verdict.left_out),
    }
    if chosen is not None:
        told |= {"load_before": f"{chosen.load}/{chosen.capacity}", "idle_seconds": _seconds(now, chosen.assigned_at)}
    return told


def _figures(one: Operator, *, now: datetime) -> dict[str, Any]:
    return {"staff_id": one.id, "load": f"{one.load}/{one.capacity}", "idle_seconds": _seconds(now, one.assigned_at)}


def _left_out(people: Mapping[Why, Any]) -> dict[str, Any]:
    return {str(why): {"count": len(ids), "staff": ids[:LEFT_OUT]} for why, ids in people.items() if why != Why.GROUP}


def _seconds(now: datetime, since: datetime) -> int:
    return max(0, round((now - since).total_seconds()))


def look_at(session_id: int, *, now: datetime) -> tuple[Work, Verdict] | None:
    """What would be decided for a waiting dialogue at this moment; None = it is not to be given out (taken, offered, paused)."""
    item = Item.objects.waiting().filter(kind=Kind.SESSION, subject_id=session_id).values_list("group_id", "priority").first()
    if item is None:
        return None
    board = boards.read(item[0], now=now)
    work = boards.one(board, session_id, priority=item[1], now=now)
    return (work, decide(work, board.operators.values(), limits=board.book.limits, now=now)) if work else None


@transaction.atomic
def force(*, session_id: int, to: Staff, by: Staff, reason: str, now: datetime) -> Session:
    """A supervisor gives an open dialogue to a person, whatever skills, state, order or pause say; capacity and limits hold.

    Raises Refusal.
    """
    session = conversations.lock(session_id)
    if session.state not in {SessionState.WAITING, SessionState.ACTIVE} or session.owner_id == to.pk:
        raise Refusal("wrong_state", _("The dialogue cannot do this in its present state. Please look at it again."))
    if not to.is_active or not to.has_right(Right.ANSWER):
        raise Refusal("absent", _("This person does not work here any more, or does not answer guests."))
    presence.of(to, now=now)
    conversations.assign(session=session, to=to, by=by, now=now, action="session.forced")
    offering.note(session, to.pk, DecisionKind.FORCED, {"by": by.pk, "reason": reason.strip()[:200]}, now=now)
    announce(kind="given", payload={"session_id": session.pk, "by": by.full_name}, topics=[staff_topic(to.pk)])
    presence.tell(Presence.objects.get(staff_id=to.pk))
    return session


def give_out_for(staff: Staff, *, now: datetime) -> int:
    """Somebody became free or ready: look at the queues of all groups of this person, and at those that the groups join by rings."""
    own = set(staff.group_ids)
    joined = set(Ring.objects.filter(groups__in=own).values_list("queue__group_id", flat=True)) - own
    return sum(give_out(group_id=group, now=now, limit=20) for group in [*staff.group_ids, *sorted(joined)])


def groups_waiting() -> list[int]:
    """Groups in which a dialogue waits."""
    waiting = Item.objects.waiting().filter(kind=Kind.SESSION)
    return [group for group in Group.objects.filter(is_active=True).values_list("pk", flat=True) if waiting.filter(group_id=group).exists()]


def try_give_out(*, group_id: int, now: datetime) -> None:
    """Give out, leaving what was refused at this moment to the sweep."""
    try:
        give_out(group_id=group_id, now=now)
    except Refusal:
        return


def after_changes(*, now: datetime) -> None:
    """What time has changed: offers nobody answered, after-work that is over. What waits is given out anew."""
    rested = Staff.objects.filter(pk__in=presence.end_wrap_ups(now=now))
    groups = offers.expire(now=now).union(*(staff.group_ids for staff in rested))
    for group in sorted(groups):
        try_give_out(group_id=group, now=now)
