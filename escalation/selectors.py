"""Reads: schedules as facts, who is on duty, what is open."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from escalation import rota
from escalation.models import DutyInterval, Layer, Override, Run, RunEvent, Schedule, Swap
from escalation.states import OPEN, Rotation, SwapState


def list_schedule_facts(ids: Collection[int], *, since: datetime, until: datetime) -> Mapping[int, rota.ScheduleFacts]:
    """Schedules with what may matter between two instants (both included); people who have left are not in them."""
    during = Q(schedule__in=ids, starts_at__lte=until, ends_at__gt=since)
    overrides = list(Override.objects.filter(during, staff__is_active=True).order_by("pk"))
    swaps = list(Swap.objects.filter(during, state=SwapState.ACCEPTED, by__is_active=True).order_by("settled_at", "pk"))
    return {
        schedule.pk: rota.ScheduleFacts(
            zone=schedule.time_zone,
            layers=[_layer(layer) for layer in schedule.layers.all()],
            overrides=[rota.OverrideFacts(one.staff_id, one.starts_at, one.ends_at) for one in overrides if one.schedule_id == schedule.pk],
            swaps=[rota.SwapFacts(one.who_id, one.by_id, one.starts_at, one.ends_at) for one in swaps if one.schedule_id == schedule.pk],
        )
        for schedule in Schedule.objects.filter(pk__in=ids).prefetch_related("layers__members__staff")
    }


def _layer(layer: Layer) -> rota.LayerFacts:
    turns: dict[int, set[int]] = {}
    for member in layer.members.all():
        # A person who has left keeps the turn: it is a hole, not somebody else's duty.
        people = turns.setdefault(member.turn, set())
        if member.staff.is_active:
            people.add(member.staff_id)
    return rota.LayerFacts(
        priority=layer.priority,
        rotation=Rotation(layer.rotation),
        length=layer.length,
        handoff=layer.handoff,
        starts_on=layer.starts_on,
        ends_on=layer.ends_on,
        turns=[frozenset(turns[number]) for number in sorted(turns)],
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
    return Run.objects.filter(subject=subject, state__in=OPEN).select_related("plan", "line", "holder").first()


def list_events(run: Run) -> "QuerySet[RunEvent]":
    """The run's history, oldest first."""
    return run.events.select_related("by")
