"""Who was on duty, written down as time passes: a later change of a schedule does not change the past."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from escalation.models import DutyInterval, Schedule
from escalation.rota import Shift
from escalation.selectors import list_shifts
from escalation.states import DutySource

# Beyond this nobody kept the books; what came before stays unknown rather than being guessed.
LONGEST_GAP = timedelta(days=31)
_PAST = timedelta(microseconds=1)


def record_all(*, now: datetime) -> int:
    """Bring the books of every schedule up to `now`; returns how many intervals began."""
    return sum(record(schedule_id, now=now) for schedule_id in Schedule.objects.order_by("pk").values_list("pk", flat=True))


def record(schedule_id: int, *, now: datetime) -> int:
    """Bring one schedule's books up to `now`; also called before a schedule is changed. Returns how many intervals began."""
    with transaction.atomic():
        schedule = Schedule.objects.select_for_update().get(pk=schedule_id)
        since = schedule.recorded_until
        if since is not None and since >= now:
            return 0
        begins = max(since, now - LONGEST_GAP) if since else now - _PAST
        if since is None or begins > since:
            _close(schedule, staff_ids=None, at=since or begins)
        begun = sum(_apply(schedule, shift) for shift in list_shifts(schedule, since=begins, until=now + _PAST))
        schedule.recorded_until = now
        schedule.save(update_fields=["recorded_until"])
        return begun


def _apply(schedule: Schedule, shift: Shift) -> int:
    """Those who stay go on, those who go are closed at the hand-over itself, those who come begin there."""
    running = {(one.staff_id, one.source) for one in DutyInterval.objects.filter(schedule=schedule, ends_at__isnull=True)}
    wanted = {(staff_id, str(source)) for staff_id, source in shift.people}
    _close(schedule, staff_ids={staff_id for staff_id, _source in running - wanted}, at=shift.starts_at)
    coming = sorted(_one_source(wanted - running).items())
    DutyInterval.objects.bulk_create(
        DutyInterval(schedule=schedule, staff_id=staff_id, source=source, starts_at=shift.starts_at) for staff_id, source in coming
    )
    return len(coming)


def _one_source(pairs: Iterable[tuple[int, str]]) -> dict[int, str]:
    """A person stands once, though both a swap and the rotation may say so."""
    order = (DutySource.LAYER, DutySource.OVERRIDE, DutySource.SWAP)
    return dict(sorted(pairs, key=lambda pair: order.index(DutySource(pair[1]))))


def _close(schedule: Schedule, *, staff_ids: set[int] | None, at: datetime) -> None:
    running = DutyInterval.objects.filter(schedule=schedule, ends_at__isnull=True)
    if staff_ids is not None:
        running = running.filter(staff__in=staff_ids)
    running.filter(starts_at__lt=at).update(ends_at=at)
    running.delete()  # one that would end where it began never was
