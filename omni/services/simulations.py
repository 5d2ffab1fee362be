"""A past period read from the rows, and played again: as it was, by the rules in force, by changed ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from core.refusal import Refusal
from omni.choosing import Operator, Work, needs_of
from omni.models import Holding, Presence, PresenceSpan, Queue, StaffSkill
from omni.services import boards
from omni.services.boards import RuleBook
from omni.services.presence import DEFAULT_CAPACITY
from omni.simulation.changes import changed
from omni.simulation.engine import play
from omni.simulation.figures import Figures, figures
from omni.simulation.types import Arrival, Change, Outcome, Past, Served, Shift
from omni.states import PresenceState

LONGEST = timedelta(days=7)
# Dialogues times people: what is played while a person waits for the page.
MOST = 5_000_000
_AT_WORK = (PresenceState.READY, PresenceState.WRAP_UP)


@dataclass(frozen=True)
class Comparison:
    """The period as it was, played by the rules in force, and by the changed ones."""

    actual: Figures
    present: Figures
    changed: Figures


def compare(*, since: datetime, until: datetime, queues: Sequence[Queue], change: Change, now: datetime) -> Comparison:
    """Raises Refusal: the period is too long, has not been yet, or nothing was given out in it."""
    if not since < until <= now or until - since > LONGEST:
        raise Refusal("bad_period", _("Choose a period in the past, not longer than seven days."), status=400)
    past, actual = read_past(since=since, until=until, queues=queues)
    if not past.arrivals:
        raise Refusal("nothing", _("Nothing was given out of these queues in this period."), status=400)
    if len(past.arrivals) * len(past.operators) * max(change.people, 100) * max(change.guests, 100) > MOST * 10_000:
        raise Refusal("too_much", _("This is too much to be played while you wait. Choose a shorter period or fewer queues."), status=400)
    present = play(changed(past, Change()))
    return Comparison(figures(actual), figures(present), figures(play(changed(past, change))))


def read_past(*, since: datetime, until: datetime, queues: Sequence[Queue]) -> tuple[Past, Outcome]:
    """The period of these queues as it can be played, and what really came of it.

    Handling times are how long somebody had each dialogue; shifts are the times in which people were ready or in after-work, and for
    whom none are kept the time from the first to the last dialogue.
    """
    book = boards.read_rules()
    rows = list(_holdings(since, until, queues))
    arrivals = [_arrival(row, book, until) for row in _with_preferred(rows, book, until=until)]
    groups = {one.work.group for one in arrivals} | book.ring_groups
    operators = _operators(groups, {row.staff_id for row in rows}, since=since)
    shifts = _shifts(operators, rows, since=since, until=until)
    wrap_up = {queue.pk: queue.wrap_up_seconds for queue in queues}
    past = Past(since, until, arrivals, operators, shifts, wrap_up, book.limits)
    return past, _actual(rows, past)


def _holdings(since: datetime, until: datetime, queues: Sequence[Queue]) -> Iterable[Holding]:
    found = Holding.objects.filter(queue__in=queues, queued_at__gte=since, since__lt=until, since__gte=since)
    return found.select_related("session__account", "session__queue", "session__guest").order_by("queued_at", "pk")


def _with_preferred(rows: Sequence[Holding], book: RuleBook, *, until: datetime) -> list[tuple[Holding, int | None]]:
    """Each with the operator who had the guest before, as far as the queue prefers this person."""
    guests = {row.session.guest_id for row in rows if book.queues[row.queue_id].preferred_days}
    before: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    earlier = Holding.objects.filter(session__guest_id__in=guests, since__lt=until).order_by("since")
    for guest, at, staff in earlier.values_list("session__guest_id", "since", "staff_id"):
        before[guest].append((at, staff))

    def preferred(row: Holding) -> int | None:
        came = row.queued_at or row.since
        oldest = came - timedelta(days=book.queues[row.queue_id].preferred_days)
        had = [staff for at, staff in before[row.session.guest_id] if oldest <= at < came]
        return had[-1] if had else None

    return [(row, preferred(row)) for row in rows]


def _arrival(pair: tuple[Holding, int | None], book: RuleBook, until: datetime) -> Arrival:
    row, preferred = pair
    session, account = row.session, row.session.account
    work = Work(
        id=row.pk,
        group=session.group_id or book.queues[row.queue_id].group_id,
        channel=account.kind,
        weight=row.weight or account.weight,
        waiting_since=row.queued_at or row.since,
        rules=book.rules[row.queue_id],
        priority=book.queues[row.queue_id].priority,
        needs=needs_of(book.needs, queue=row.queue_id, channel=account.kind, language=session.language, topics=session.topics),
        preferred=preferred,
    )
    return Arrival(work, row.queue_id, _handling(row, until))


def _handling(row: Holding, until: datetime) -> float:
    """Seconds; what still goes on is taken as long as it was until the period's end."""
    return max(1.0, ((row.until or max(until, row.since)) - row.since).total_seconds())


def _operators(groups: Iterable[int], worked: set[int], *, since: datetime) -> list[Operator]:
    """Members of the groups, and whoever worked there in the period, with their capacities and skills of today."""
    members: dict[int, set[int]] = defaultdict(set)
    for staff, group in Membership.objects.filter(group__in=list(groups)).values_list("staff_id", "group_id"):
        members[staff].add(group)
    for staff in worked:
        members[staff] |= members[staff] or set(groups)
    capacities = dict(Presence.objects.filter(staff__in=list(members)).values_list("staff_id", "capacity"))
    skills: dict[int, dict[int, int]] = defaultdict(dict)
    for staff, skill, level in StaffSkill.objects.filter(staff__in=list(members)).values_list("staff_id", "skill_id", "level"):
        skills[staff][skill] = level
    return [
        Operator(staff, frozenset(own), capacities.get(staff, DEFAULT_CAPACITY), 0, since, skills=skills[staff])
        for staff, own in sorted(members.items())
    ]


def _shifts(operators: Sequence[Operator], rows: Sequence[Holding], *, since: datetime, until: datetime) -> list[Shift]:
    people = {one.id for one in operators}
    spans = PresenceSpan.objects.filter(staff__in=people, state__in=_AT_WORK, since__lt=until).filter(Q(until=None) | Q(until__gt=since))
    found = [Shift(span.staff_id, max(span.since, since), min(span.until or until, until)) for span in spans]
    known = {shift.staff for shift in found}
    worked: dict[int, list[Holding]] = defaultdict(list)
    for row in rows:
        worked[row.staff_id].append(row)
    guessed = [
        Shift(staff, min(row.since for row in had), min(until, max(row.until or until for row in had)))
        for staff, had in worked.items()
        if staff not in known
    ]
    return _joined(found) + guessed


def _joined(shifts: Sequence[Shift]) -> list[Shift]:
    """Ready and after-work follow each other all day: one shift as long as there is no gap."""
    found: list[Shift] = []
    for shift in sorted(shifts, key=lambda one: (one.staff, one.since)):
        last = found[-1] if found else None
        if last is not None and last.staff == shift.staff and shift.since <= last.until:
            found[-1] = replace(last, until=max(last.until, shift.until))
        else:
            found.append(shift)
    return found


def _actual(rows: Sequence[Holding], past: Past) -> Outcome:
    served = [_served(row, past.until) for row in rows]
    capacity: Mapping[int, int] = {one.id: one.capacity for one in past.operators}
    room = dict.fromkeys(capacity, 0.0)
    for shift in past.shifts:
        room[shift.staff] += (shift.until - shift.since).total_seconds() * capacity[shift.staff]
    return Outcome(served, 0, room)


def _served(row: Holding, until: datetime) -> Served:
    came = row.queued_at or row.since
    return Served(came, (row.since - came).total_seconds(), row.staff_id, _handling(row, until), row.weight or row.session.account.weight)
