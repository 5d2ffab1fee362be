"""The tick: whatever is due is carried out, each deed exactly once, however many tickers there are.

A run is a row with `next_at`. A ticker locks those that are due and that no other holds, works out what follows (escalation.ladder) and
writes history, notices and the new place in the same transaction: it is all there, or nothing of it and the next ticker does it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from core import events
from core.statements import Prepared
from escalation import ladder
from escalation.events import Climbed
from escalation.ladder import Place
from escalation.models import EscalationSettings, Run
from escalation.plans import Plan
from escalation.services import bulk, limits, planning
from escalation.services.notices import Draft, Due, drafts_of, reaches
from escalation.services.people import Roster
from escalation.states import EventKind, RunState

log = structlog.get_logger(__name__)
BATCH = 500
# A run that cannot be carried on is looked at again after a while; the watchman tells of it meanwhile.
FAULT_PAUSE = timedelta(seconds=60)

COLUMNS = (
    "pk", "plan_id", "subject", "title", "link", "holder_id", "state", "level", "step", "turn", "repeats",
    "step_at", "reaction_due", "deal_due", "remind_at", "lapse_at", "update_at",
)  # fmt: skip
_DUE = Prepared(
    lambda now: (
        Run.objects.filter(next_at__isnull=False, next_at__lte=now)
        .order_by("next_at")
        .select_for_update(skip_locked=True)
        .values_list(*COLUMNS)[:BATCH]
    )
)
_ONE = Prepared(lambda pk, now: Run.objects.filter(pk=pk, next_at__lte=now).select_for_update(skip_locked=True).values_list(*COLUMNS))


def tick(*, now: datetime) -> int:
    """Carry out what is due, at most BATCH runs; returns how many were looked at. Call again while it returns BATCH."""
    try:
        with transaction.atomic():
            rows = _DUE.all(now=now)
            return _carry_on(rows, now=now) if rows else 0
    except Exception:  # one bad row must not hold up the others
        log.exception("a round of escalation failed; each run is tried by itself")
        return _one_by_one(now=now)


def _one_by_one(*, now: datetime) -> int:
    due = Run.objects.filter(next_at__isnull=False, next_at__lte=now).order_by("next_at").values_list("pk", flat=True)
    ids = list(due[:BATCH])
    for run_id in ids:
        try:
            with transaction.atomic():
                rows = _ONE.all(pk=run_id, now=now)
                if rows:
                    _carry_on(rows, now=now)
        except Exception as fault:
            log.exception("a run of escalation cannot be carried on", run_id=run_id)
            Run.objects.filter(pk=run_id, next_at__lte=now).update(next_at=now + FAULT_PAUSE, fault=repr(fault)[:240])
    return len(ids)


def _carry_on(rows: Sequence[tuple[Any, ...]], *, now: datetime) -> int:
    """What is due of these locked runs, written."""
    facts = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    plans = {plan_id: planning.thawed(plan_id) for plan_id in {row["plan_id"] for row in facts}}
    numbers = limits.current()
    roster = Roster(plans.values(), now=now, holders={row["holder_id"] for row in facts if row["holder_id"]})
    roster.lock_turns(plans.values())
    ledger = _Ledger(now, numbers, roster)
    for row in facts:
        ledger.carry_on(row, plans[row["plan_id"]])
    ledger.write()
    return len(rows)


class _Ledger:
    """What a round writes, gathered so that it takes three statements."""

    def __init__(self, now: datetime, numbers: EscalationSettings, roster: Roster) -> None:
        self.now, self.roster = now, roster
        self.late_from = timedelta(seconds=numbers.late_seconds)
        self.history: list[Mapping[str, Any]] = []
        self.drafts: list[Draft] = []
        self.places: list[Mapping[str, Any]] = []
        self.climbed: list[Climbed] = []

    def carry_on(self, row: Mapping[str, Any], plan: Plan) -> None:
        before = place_of(row)
        place, deeds = ladder.advance(plan, before, self.now, lambda step: reaches(step, plan, self.roster))
        due = Due(row["pk"], row["subject"], row["title"], row["link"], row["holder_id"] if before.taken else None, place.reaction_due)
        climbs = False
        for deed in deeds:
            late = self.now - deed.due_at > self.late_from
            drafts, details = drafts_of(due, plan, deed, self.roster, late=late)
            self.drafts += drafts
            self.history.append(self._event(row["pk"], deed, details, late=late))
            if deed.kind == EventKind.CLIMBED and deed.to_level:
                climbs = True
                self.climbed.append(Climbed(row["pk"], row["subject"], deed.to_level, by_clock=True))
        self.places.append(bulk.place_row(row["pk"], place, holder_id=row["holder_id"] if place.taken else None, climbs=climbs))

    def _event(self, run_id: int, deed: ladder.Deed, details: Mapping[str, Any], *, late: bool) -> Mapping[str, Any]:
        return {
            "run_id": run_id, "turn": deed.turn, "key": deed.key, "kind": deed.kind, "level": deed.level,
            "at": self.now.isoformat(), "due_at": deed.due_at.isoformat(), "late": late, "details": details,
        }  # fmt: skip

    def write(self) -> None:
        bulk.insert_events(self.history)
        bulk.insert_deliveries(self.drafts, now=self.now)
        bulk.update_places(self.places, now=self.now)
        self.roster.save_turns()
        for climbed in self.climbed:
            events.publish(climbed)


def place_of(row: Mapping[str, Any]) -> Place:
    """A run's columns as a place on its ladder."""
    names = ("level", "step", "turn", "repeats", "step_at", "reaction_due", "deal_due", "remind_at", "lapse_at", "update_at")
    return Place(taken=row["state"] == RunState.TAKEN, **{name: row[name] for name in names})
