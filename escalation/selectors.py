"""Reads: schedules as facts, who is on duty, what is open."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from core.statements import Among, Prepared
from escalation import rota
from escalation.models import DutyInterval, Layer, LayerMember, Override, Run, RunEvent, Schedule, Swap
from escalation.states import OPEN, Rotation, SwapState

_TIMES = ("starts_at", "ends_at")
_SCHEDULES = Prepared(lambda ids: Schedule.objects.filter(Among("id", ids)).values_list("pk", "time_zone").order_by("pk"))
_LAYERS = Prepared(lambda ids: Layer.objects.filter(Among("schedule_id", ids)).order_by("schedule_id", "-priority"))
_MEMBERS = Prepared(
    lambda ids: (
        LayerMember.objects.filter(Among("layer__schedule_id", ids))
        .order_by("layer_id", "turn", "pk")
        .values_list("layer_id", "turn", "staff_id", "staff__is_active")
    )
)
_OVERRIDES = Prepared(
    lambda ids, since, until: (
        _lasting(Override, ids, since, until).filter(staff__is_active=True).order_by("pk").values_list("schedule_id", "staff_id", *_TIMES)
    )
)
_SWAPS = Prepared(
    lambda ids, since, until: (
        _lasting(Swap, ids, since, until)
        .filter(state=SwapState.ACCEPTED, by__is_active=True)
        .order_by("settled_at", "pk")
        .values_list("schedule_id", "who_id", "by_id", *_TIMES)
    )
)


def _lasting(model: Any, ids: Any, since: Any, until: Any) -> "QuerySet[Any]":
    found: QuerySet[Any] = model.objects.filter(Among("schedule_id", ids), starts_at__lte=until, ends_at__gt=since)
    return found


def list_schedule_facts(ids: Collection[int], *, since: datetime, until: datetime) -> Mapping[int, rota.ScheduleFacts]:
    """Schedules with what may matter between two instants (both included); people who have left are not in them."""
    wanted = list(ids)
    turns = _turns(wanted)
    layers, overrides, swaps = defaultdict(list), defaultdict(list), defaultdict(list)
    for layer in _LAYERS.all(ids=wanted):
        layers[layer.schedule_id].append(_layer(layer, turns[layer.pk]))
    for schedule_id, *facts in _OVERRIDES.all(ids=wanted, since=since, until=until):
        overrides[schedule_id].append(rota.OverrideFacts(*facts))
    for schedule_id, *facts in _SWAPS.all(ids=wanted, since=since, until=until):
        swaps[schedule_id].append(rota.SwapFacts(*facts))
    return {pk: rota.ScheduleFacts(zone, layers[pk], overrides[pk], swaps[pk]) for pk, zone in _SCHEDULES.all(ids=wanted)}


def _turns(schedule_ids: list[int]) -> Mapping[int, dict[int, set[int]]]:
    """By layer and turn, who is on duty. A person who has left keeps the turn: it is a hole, not somebody else's duty."""
    found: dict[int, dict[int, set[int]]] = defaultdict(dict)
    for layer_id, turn, staff_id, is_active in _MEMBERS.all(ids=schedule_ids):
        people = found[layer_id].setdefault(turn, set())
        if is_active:
            people.add(staff_id)
    return found


def _layer(layer: Layer, turns: Mapping[int, set[int]]) -> rota.LayerFacts:
    return rota.LayerFacts(
        priority=layer.priority,
        rotation=Rotation(layer.rotation),
        length=layer.length,
        handoff=layer.handoff,
        starts_on=layer.starts_on,
        ends_on=layer.ends_on,
        turns=[frozenset(people) for people in turns.values()],
        only_from=layer.only_from,
        only_to=layer.only_to,
        weekdays=frozenset(int(day) - 1 for day in layer.weekdays),
    )


def list_shifts(schedule: Schedule, *, since: datetime, until: datetime) -> Sequence[rota.Shift]:
    """Who is on duty from `since` until `until` by the schedule as it is now."""
    return rota.shifts(list_schedule_facts([schedule.pk], since=since, until=until)[schedule.pk], since, until)


def find_past_duty(schedule: Schedule, *, at: datetime) -> "QuerySet[DutyInterval]":
    """Who was on duty at a past instant, as it was recorded then."""
    running = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    return DutyInterval.objects.filter(running, schedule=schedule, starts_at__lte=at).select_related("staff").order_by("pk")


def find_open_run(subject: str) -> Run | None:
    """The ladder that runs for this subject."""
    return _OPEN_RUN.first(subject=subject)


_OPEN_RUN = Prepared(lambda subject: Run.objects.filter(subject=subject, state__in=OPEN).select_related("plan", "line", "holder"))


def list_events(run: Run) -> "QuerySet[RunEvent]":
    """The run's history, oldest first."""
    return run.events.select_related("by")
