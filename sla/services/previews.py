"""What a changed policy or calendar would do to the clocks that run: reckoned from their stories, nothing is written."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from sla import subjects
from sla.ledger import Deed, Entry, Reading, Terms, read
from sla.models import Calendar, Clock, Metric, Policy, PolicyHours
from sla.rules import NoWorkingTime, WorkingHours
from sla.services import changes, clocks, stories
from sla.services.changes import Said
from sla.services.past_hours import Past, read_past

# So many clocks are reckoned while a person waits, for so long: the most urgent ones.
MOST = 20_000
SECONDS = 10.0
SAMPLE = 20


@dataclass(frozen=True)
class Move:
    """A clock that would change: its due instants (None = it stands, or ends)."""

    subject: str
    metric: Metric
    name: str
    before: datetime | None
    after: datetime | None
    ends: bool = False
    breaks: bool = False
    relieved: bool = False


@dataclass
class Preview:
    """Counts over `looked` of `total` clocks: later, earlier, standing ones with another rest, at an end; what would be broken at once.

    `relieved` = broken already, with time again (that it was broken stays a fact). `impossible` = the calendar never opens.
    """

    total: int = 0
    looked: int = 0
    later: int = 0
    earlier: int = 0
    standing: int = 0
    ended: int = 0
    same: int = 0
    breaks: int = 0
    relieved: int = 0
    impossible: int = 0
    sample: list[Move] = field(default_factory=list)

    @property
    def moved(self) -> int:
        return self.later + self.earlier + self.standing + self.ended


def preview(thing: Policy | Calendar, before: Said, *, now: datetime, most: int = MOST) -> Preview:
    """What the change would do; `before` = what it said. Read inside the transaction that has made the change and is then rolled back."""
    affected = changes.running_under(thing)
    found, scales = Preview(total=affected.count()), _Scales(thing, before, now)
    ends = time.monotonic() + SECONDS
    for clock in _urgent(affected, most):
        if time.monotonic() > ends:
            break
        found.looked += 1
        _weigh(found, clock, scales)
    found.sample = _named(found.sample)
    return found


def _urgent(affected: "QuerySet[Clock]", most: int) -> Iterator[Clock]:
    ids = list(affected.order_by("due_at", "pk").values_list("pk", flat=True)[:most])
    for first in range(0, len(ids), stories.BATCH):
        some = stories.told(Clock.objects.filter(pk__in=ids[first : first + stories.BATCH]))
        yield from sorted(some, key=lambda clock: (clock.due_at, clock.pk))


class _Scales:
    """Tells clocks as they run now, and as they would run: hours of calendars before and after the change."""

    def __init__(self, thing: Policy | Calendar, before: Said, now: datetime) -> None:
        self.now, self.changed, self.hours_before = now, thing if isinstance(thing, Calendar) else None, before.hours
        self.past: Past = dict(read_past())
        self.left: Calendar | None = None
        if isinstance(thing, Policy) and before.calendar_id not in (None, thing.calendar_id):
            self.left = Calendar.objects.get(pk=before.calendar_id or 0)
            row = PolicyHours(policy=thing, calendar=self.left, until=now)
            self.past = {**self.past, thing.pk: [*self.past.get(thing.pk, ()), row]}
        self._kept: dict[tuple[int, str], WorkingHours] = {}

    def _before(self, calendar: Calendar, *, now: datetime, zone: str = "") -> WorkingHours:
        if self.changed is not None and calendar.pk == self.changed.pk and self.hours_before is not None:
            return replace(self.hours_before, zone=zone or self.hours_before.zone)
        return self.after(calendar, zone)

    def after(self, calendar: Calendar, zone: str) -> WorkingHours:
        """Never by the process's cache: what is not committed is nobody else's business."""
        key = (calendar.pk, zone)
        if key not in self._kept:
            self._kept[key] = clocks.read_hours(calendar, zone=zone)
        return self._kept[key]

    def entries(self, clock: Clock) -> list[Entry]:
        clock.calendar = clock.calendar or self.left
        return stories.entries_of(clock, now=self.now, past=self.past, hours=self._before)


def _weigh(found: Preview, clock: Clock, scales: _Scales) -> None:
    try:
        move = _move(clock, scales)
    except NoWorkingTime:
        found.impossible += 1
        return
    if move is None:
        found.same += 1
        return
    found.ended += move.ends
    found.standing += not move.ends and move.after is None
    if move.before and move.after:
        found.later += move.after > move.before
        found.earlier += move.after < move.before
    found.breaks += move.breaks
    found.relieved += move.relieved
    if len(found.sample) < SAMPLE:
        found.sample.append(move)


def _move(clock: Clock, scales: _Scales) -> Move | None:
    """What the new terms make of the clock; None = nothing changes."""
    entries, now = scales.entries(clock), scales.now
    before = read(entries, now=now)
    facts: dict[str, Any] = {"subject": clock.subject, "metric": Metric(clock.metric), "name": clock.subject, "before": before.due_at}
    terms = _new_terms(clock, scales)
    if terms is None:
        return Move(**facts, after=None, ends=True)
    after = read([*entries, Entry(now, Deed.TERMS, terms)], now=now)
    if not _differs(clock, before, after, terms):
        return None
    left = terms.seconds - after.spent
    is_late = clock.breached_at is not None or before.breached_at is not None
    return Move(**facts, after=after.due_at, breaks=left <= 0 and not is_late and after.due_at is not None, relieved=left > 0 and is_late)


def _differs(clock: Clock, before: Reading, after: Reading, terms: Terms) -> bool:
    if before.due_at is None or after.due_at is None:
        return clock.target_seconds != terms.seconds
    return abs((before.due_at - after.due_at).total_seconds()) > stories.SLACK_SECONDS


def _new_terms(clock: Clock, scales: _Scales) -> Terms | None:
    """By the clock's policy as it is now; None = this is not promised any more. A clock keeps its store's zone if it has one."""
    policy: Policy = clock.policy
    seconds = clocks.promises(policy).get(Metric(clock.metric))
    if seconds is None:
        return None
    zone = clock.time_zone if policy.in_store_zone else ""
    return Terms(scales.after(policy.calendar, zone), seconds, policy.name)


def _named(moves: Sequence[Move]) -> list[Move]:
    names = subjects.names_of([move.subject for move in moves])
    return [replace(move, name=names[move.subject]) for move in moves]
