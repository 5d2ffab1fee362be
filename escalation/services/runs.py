"""A ladder is started, taken, given back, sent up and down, ended. Each verb is one transaction with its history row."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit, events
from core.refusal import Refusal
from core.statements import Prepared, insert
from core.text import first_line, storable
from escalation import ladder
from escalation.events import Climbed
from escalation.ladder import Place
from escalation.models import MapLine, Run, RunEvent, UnmappedHit
from escalation.plans import Plan
from escalation.services import planning
from escalation.states import OPEN, EventKind, RunState

_OPEN_OF = Prepared(lambda subject: Run.objects.filter(subject=subject, state__in=OPEN).values_list("pk", flat=True)[:1])
_PLACE = ("level", "step", "turn", "repeats", "step_at", "reaction_due", "deal_due", "remind_at", "lapse_at", "update_at")


def start(*, subject: str, origin: str, title: str, line: MapLine, now: datetime, link: str = "", by: Staff | None = None) -> Run | None:
    """Start the line's ladder for a subject (`case:7`); `origin` is what caused it: the same cause starts it once.

    The plan is frozen into the run. Returns None when a ladder runs for the subject already, or did for this cause.
    Raises Refusal when no level of the line has a step.
    """
    with transaction.atomic():
        plan_row = planning.freeze(line, now=now)
        plan = planning.thawed(plan_row.pk)
        if not plan.levels:
            raise Refusal("empty_line", _("This line of the map has no steps. Please fill it in first."))
        run = Run(
            subject=subject, origin=origin, title=first_line(storable(title), 200), link=link, line=line, plan=plan_row, started_at=now
        )  # fmt: skip
        _put(run, ladder.begin(plan, now))
        insert(run, or_nothing=True)
        if run._state.adding:
            return None
        _note(run, EventKind.STARTED, now=now, by=by, details={"origin": origin, "line": plan.code})
        return run


def note_unmapped(*, key: str, now: datetime) -> None:
    """No line is set for this matter: counted by day, for those who look after the maps."""
    with transaction.atomic():
        hit, _made = UnmappedHit.objects.get_or_create(key=key[:120], date=now.date())
        UnmappedHit.objects.filter(pk=hit.pk).update(hits=F("hits") + 1)


def find_open(subject: str) -> int | None:
    """The id of the subject's running ladder."""
    return _OPEN_OF.first(subject=subject)


def lock(run_id: int) -> Run:
    """The open run, locked until the transaction ends. Raises Refusal."""
    run = Run.objects.select_for_update(of=("self",)).select_related("plan").filter(pk=run_id).first()
    if run is None:
        raise Refusal("not_found", _("There is no such escalation."), status=404)
    if run.state not in OPEN:
        raise Refusal("ended", _("This escalation has already ended."))
    return run


def take(*, run_id: int, by: Staff, now: datetime) -> Run:
    """A person takes the matter: the calling stops, clock 2 goes on. Taking what one has already confirms it. Raises Refusal."""
    with transaction.atomic():
        run, plan, place = _locked(run_id)
        if place.taken and run.holder_id == by.pk:
            return _confirmed(run, plan, place, by=by, now=now)
        if place.taken and run.holder_id is not None:
            raise Refusal("taken", _("A colleague already has this in hand."))
        return _taken(run, plan, place, by=by, now=now)


def hand_to(*, run_id: int, to: Staff, by: Staff, now: datetime) -> Run:
    """The matter is with this person now, whoever had it before; both clocks go on as they are. Raises Refusal."""
    with transaction.atomic():
        run, plan, place = _locked(run_id)
        return run if place.taken and run.holder_id == to.pk else _taken(run, plan, place, by=to, now=now)


def _taken(run: Run, plan: Plan, place: Place, *, by: Staff, now: datetime) -> Run:
    missed = place.reaction_due is not None and now > place.reaction_due
    run.holder, run.first_taken_at = by, run.first_taken_at or now
    seconds = int((now - run.started_at).total_seconds())
    _move(run, ladder.take(plan, place, now), EventKind.TAKEN, by=by, now=now, details={"after_seconds": seconds, "in_time": not missed})
    return run


def confirm(*, run_id: int, by: Staff, now: datetime) -> Run:
    """The person still has it in hand. Raises Refusal when somebody else, or nobody, has it."""
    with transaction.atomic():
        run, plan, place = _locked(run_id)
        if not place.taken or run.holder_id != by.pk:
            raise Refusal("not_yours", _("You do not have this in hand."))
        return _confirmed(run, plan, place, by=by, now=now)


def _confirmed(run: Run, plan: Plan, place: Place, *, by: Staff, now: datetime) -> Run:
    _move(run, ladder.confirm(plan, place, now), EventKind.CONFIRMED, by=by, now=now)
    return run


def release(*, run_id: int, by: Staff, reason: str, now: datetime) -> Run:
    """Give it back: the level is called anew, clock 2 goes on. Raises Refusal when nobody has it."""
    with transaction.atomic():
        run, plan, place = _locked(run_id)
        if not place.taken:
            raise Refusal("not_taken", _("Nobody has this in hand."))
        run.holder = None
        _move(run, ladder.release(plan, place, now), EventKind.RELEASED, by=by, now=now, details={"reason": reason})
        return run


def climb(*, run_id: int, by: Staff, reason: str, now: datetime) -> Run:
    """Escalate by decision: the next level is called, clock 2 of this one is met. Raises Refusal: no reason, no higher level."""
    return _by_decision(run_id, ladder.climb, EventKind.CLIMBED, by=by, reason=reason, now=now)


def hand_back(*, run_id: int, by: Staff, reason: str, now: datetime) -> Run:
    """Back to the level below, with the reason; both clocks go on as they are. Raises Refusal: no reason, no lower level."""
    return _by_decision(run_id, ladder.hand_back, EventKind.HANDED_BACK, by=by, reason=reason, now=now)


def _by_decision(run_id: int, turn: Any, kind: EventKind, *, by: Staff, reason: str, now: datetime) -> Run:
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why."), status=400)
    with transaction.atomic():
        run, plan, place = _locked(run_id)
        moved: Place | None = turn(plan, place, now)
        if moved is None:
            raise Refusal("no_level", _("There is no further level in this direction."))
        run.holder = None
        details = {"to_level": moved.level, "from_level": place.level, "reason": reason.strip()}
        if kind == EventKind.CLIMBED:
            run.first_climbed_at = run.first_climbed_at or now
            details["in_time"] = place.deal_due is None or now <= place.deal_due
            events.publish(Climbed(run.pk, run.subject, moved.level, by_clock=False))
        _move(run, moved, kind, by=by, now=now, details=details)
        return run


def resolve(*, run_id: int, by: Staff | None, now: datetime) -> Run:
    """The matter is solved: nothing more is due. Resolving twice is the same as once. Raises Refusal when it was called off."""
    return _end(run_id, RunState.RESOLVED, EventKind.RESOLVED, by=by, reason="", now=now)


def cancel(*, run_id: int, by: Staff | None, reason: str, now: datetime) -> Run:
    """Call it off, with the reason (the ticket was a duplicate, the signal was false). Raises Refusal when it was resolved."""
    return _end(run_id, RunState.CANCELLED, EventKind.CANCELLED, by=by, reason=reason, now=now)


def _end(run_id: int, state: RunState, kind: EventKind, *, by: Staff | None, reason: str, now: datetime) -> Run:
    with transaction.atomic():
        if done := Run.objects.filter(pk=run_id, state=state).first():
            return done
        run, _plan, place = _locked(run_id)
        run.state, run.ended_at = state, now
        in_time = place.deal_due is None or now <= place.deal_due
        _note(run, kind, now=now, by=by, details={"in_time": in_time, **({"reason": reason} if reason else {})})
        _put(run, Place(level=place.level, step=place.step, turn=place.turn, repeats=place.repeats))
        run.state = state
        run.save()
        audit.record(action=f"escalation.{kind}", by=by, subject=run, now=now, details={"subject": run.subject, "reason": reason})
        return run


def replan(*, run_id: int, by: Staff, now: datetime) -> Run:
    """Move a run to the map as it is today; clocks and whoever has it stay. Raises Refusal: the line is gone, or has not changed."""
    with transaction.atomic():
        run, _plan, place = _locked(run_id)
        line = planning.lines_in_use().filter(pk=run.line_id or 0).first()
        if line is None:
            raise Refusal("no_line", _("The line of the map is not in use any more."))
        newest = planning.freeze(line, now=now)
        if newest.pk == run.plan_id:
            raise Refusal("unchanged", _("The map has not changed since this escalation started."))
        old, run.plan = run.plan_id, newest
        moved = ladder.replan(planning.thawed(newest.pk), place, now)
        _move(run, moved, EventKind.REPLANNED, by=by, now=now, details={"from_plan": old, "to_plan": newest.pk})
        return run


def _locked(run_id: int) -> tuple[Run, Plan, Place]:
    run = lock(run_id)
    place = Place(taken=run.state == RunState.TAKEN, **{name: getattr(run, name) for name in _PLACE})
    return run, planning.thawed(run.plan_id), place


def _put(run: Run, place: Place) -> None:
    for name in _PLACE:
        setattr(run, name, getattr(place, name))
    run.state, run.next_at = place.state, place.next_at


def _move(run: Run, place: Place, kind: EventKind, *, by: Staff, now: datetime, details: dict[str, Any] | None = None) -> None:
    """Write the history row (of the level that it happened on), the new place and the audit row."""
    _note(run, kind, now=now, by=by, details=details or {})
    _put(run, place)
    run.save()
    audit.record(action=f"escalation.{kind}", by=by, subject=run, now=now, details={"subject": run.subject, **(details or {})})


def _note(run: Run, kind: EventKind, *, now: datetime, by: Staff | None, details: dict[str, Any]) -> None:
    # A person's deed is no step of the plan: the lock alone keeps it single.
    key = f"{kind}:{uuid.uuid4().hex}"[:64]
    insert(RunEvent(run=run, turn=run.turn, key=key, kind=kind, level=run.level, at=now, due_at=now, by=by, details=details))
