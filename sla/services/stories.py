"""The story of a clock as it was lived: for whoever asks why it is due when it is due, and for checking every clock anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db.models import Prefetch, QuerySet

from sla.ledger import Deed, Entry, Reading, Terms, read
from sla.models import Calendar, Clock, ClockTerms, Policy
from sla.rules import WorkingHours
from sla.services.clocks import hours_of
from sla.services.past_hours import Past, calendar_at, read_past

BATCH = 1000
# The service counts whole seconds of what is left, so two readings of one story may differ by less than that.
SLACK_SECONDS = 1.0


class HoursOf(Protocol):
    def __call__(self, calendar: Calendar, *, now: datetime, zone: str = "") -> WorkingHours: ...


@dataclass(frozen=True)
class Difference:
    """A clock whose row says something else than its story: name of the field, what is kept, what the story says."""

    clock: Clock
    field: str
    kept: object
    told: object


def entries_of(clock: Clock, *, now: datetime, past: Past | None = None, hours: HoursOf = hours_of) -> list[Entry]:
    """What happened to the clock, in order, by its own row and the rows of its pauses and earlier terms.

    `past` = the hours that policies had, if the caller has read them; `hours` reads calendars.
    """
    past = read_past() if past is None else past
    earlier = sorted(clock.earlier_terms.all(), key=lambda terms: (terms.ends_at, terms.pk))
    lived: Sequence[ClockTerms | Clock] = [*earlier, clock]
    terms = [_terms(held, past, hours, now=now) for held in lived]
    found = [Entry(clock.started_at, Deed.START, terms[0])]
    found += [Entry(before.ends_at, Deed.TERMS, after) for before, after in zip(earlier, terms[1:], strict=True)]
    for pause in clock.pauses.all():
        found.append(Entry(pause.starts_at, Deed.PAUSE, reason=pause.reason))
        # A clock that ended while it stood never ran on.
        if pause.ends_at is not None and not (clock.ended_at and pause.ends_at >= clock.ended_at):
            found.append(Entry(pause.ends_at, Deed.RESUME))
    if clock.ended_at is not None:
        found.append(Entry(clock.ended_at, Deed.END))
    return sorted(found, key=lambda entry: (entry.at, _ORDER[entry.deed]))


_ORDER = {Deed.START: 0, Deed.RESUME: 1, Deed.TERMS: 2, Deed.PAUSE: 3, Deed.END: 4}


def _terms(held: "ClockTerms | Clock", past: Past, hours: HoursOf, *, now: datetime) -> Terms:
    policy: Policy = held.policy
    calendar = calendar_at(held, past, at=held.ended_at if isinstance(held, Clock) else held.ends_at)
    return Terms(hours(calendar, now=now, zone=held.time_zone), held.target_seconds, policy.name)


def story(clock: Clock, *, now: datetime, past: Past | None = None) -> Reading:
    """The clock's spans, what it used, when it is due. Raises sla.rules.NoWorkingTime, sla.ledger.BadStory."""
    return read(entries_of(clock, now=now, past=past), now=now)


def list_stories(subject: str, *, now: datetime) -> list[tuple[Clock, Reading]]:
    """All clocks of a subject, the oldest first, each with its story."""
    past = read_past()
    return [(clock, story(clock, now=now, past=past)) for clock in told(Clock.objects.filter(subject=subject)).order_by("started_at", "pk")]


def told(clocks: "QuerySet[Clock]") -> "QuerySet[Clock]":
    """The clocks with the rows that their stories need."""
    earlier = ClockTerms.objects.select_related("calendar", "policy__calendar")
    return clocks.select_related("calendar", "policy__calendar").prefetch_related("pauses", Prefetch("earlier_terms", earlier))


def differences(clocks: "QuerySet[Clock]", *, now: datetime) -> Iterator[Difference]:
    """Reckon each clock anew from its story and tell what its row says otherwise; reads in batches by id."""
    last = 0
    while batch := list(told(clocks.filter(pk__gt=last)).order_by("pk")[:BATCH]):
        yield from compared(batch, now=now)
        last = batch[-1].pk


def compared(clocks: Iterable[Clock], *, now: datetime) -> Iterator[Difference]:
    """As `differences`, of clocks that were read by `told`."""
    past = read_past()
    for clock in clocks:
        reading = story(clock, now=now, past=past)
        if reading.due_at is not None and abs((reading.due_at - clock.due_at).total_seconds()) > SLACK_SECONDS:
            yield Difference(clock, "due_at", clock.due_at, reading.due_at)
        # A breach is written down by a sweep a moment after it happened.
        if clock.breached_at is not None and reading.breached_at is None:
            yield Difference(clock, "breached_at", clock.breached_at, None)
        if clock.ended_at is not None and reading.breached_at is not None and clock.met:
            yield Difference(clock, "met", clock.met, False)
