"""What a decision is made from, read from the database: the people on line, the rules, the dialogues in their order of waiting."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from accounts.models import Membership
from core.statements import Among, Prepared, Written
from omni.choosing import Need, Operator, Ring, Rules, Work, needs_of
from omni.models import ChannelLimit, Holding, Offer, Queue, Session, SkillNeed, StaffSkill
from omni.models import Ring as RingRow
from omni.services.presence import GRACE
from omni.states import Delivery, HoldingEnd, OfferState, PresenceState, SessionState
from worklist.models import Item
from worklist.states import Kind

# The first look is nearly always enough; further ones are for queues where nobody may get what waits at the front.
FIRST_LOOK = 20
LOOKS = (FIRST_LOOK, 200, 2000, 20_000)
ORDER = ("-priority", "waiting_since", "pk")

_PEOPLE = Prepared(
    lambda groups: (
        Membership.objects.filter(Among("group_id", groups), staff__is_active=True, staff__presence__isnull=False)
        .exclude(staff__presence__state=PresenceState.OFFLINE)
        .values_list(
            "staff_id",
            "group_id",
            "staff__presence__state",
            "staff__presence__seen_at",
            "staff__presence__capacity",
            "staff__presence__load",
            "staff__presence__assigned_at",
        )
    )
)
_SKILLS = Prepared(
    lambda skills: (
        StaffSkill.objects.filter(Among("skill_id", skills))
        .exclude(staff__presence__state=PresenceState.OFFLINE)
        .values_list("staff_id", "skill_id", "level")
    )
)
_QUEUES = Prepared(lambda: Queue.objects.all())
_RINGS = Prepared(lambda: RingRow.objects.order_by("after_seconds"))
_NEEDS = Prepared(lambda: SkillNeed.objects.all())
_LIMITS = Prepared(lambda: ChannelLimit.objects.values_list("channel", "most"))
_FIRST = Prepared(
    lambda group: (
        Item.objects.waiting().filter(group_id=group, kind=Kind.SESSION).order_by(*ORDER).values_list("subject_id", "priority")[:FIRST_LOOK]
    )
)
_FACTS = Prepared(
    lambda ids: (
        Session.objects.filter(Among("pk", ids), state=SessionState.WAITING, offered_until=None, queue__is_paused=False).values_list(
            "pk", "queue_id", "account__kind", "account__weight", "guest_id", "language", "topics", "waiting_since", "last_message_at",
            "assigned_at",
        )
    )
)  # fmt: skip
_REFUSALS = Prepared(
    lambda ids, since: Offer.objects.filter(
        Among("session_id", ids), state__in=[OfferState.DECLINED, OfferState.MISSED], ended_at__gt=since
    ).values_list("session_id", "staff_id", "ended_at")
)
_RETURNS = Prepared(
    lambda ids, since: Holding.objects.filter(Among("session_id", ids), end=HoldingEnd.RETURNED, until__gt=since).values_list(
        "session_id", "staff_id", "until"
    )
)
_LAST_HAD = Prepared(
    lambda guests: (
        Holding.objects.filter(Among("session__guest_id", guests))
        .order_by("session__guest_id", "-since")
        .distinct("session__guest_id")
        .values_list("session__guest_id", "staff_id", "since")
    )
)

_WRITTEN_TO = Written(
    """select distinct m.session_id from omni_inboundevent e join omni_message m on m.id = any(e.message_ids)
    where e.id = any(%(events)s::bigint[])""",
    about="omni_inboundevent",
)
_GROUPS = Prepared(
    lambda sessions: Item.objects.waiting().filter(Among("session_id", sessions), kind=Kind.SESSION).values_list("group_id", flat=True)
)


@dataclass(frozen=True)
class RuleBook:
    """The rules in force: per queue, and for all."""

    queues: Mapping[int, Queue]
    rules: Mapping[int, Rules]
    needs: Sequence[Need]
    limits: Mapping[str, int]

    @property
    def ring_groups(self) -> frozenset[int]:
        return frozenset(group for rules in self.rules.values() for ring in rules.rings for group in ring.groups)


def groups_called_by(event_ids: Sequence[int]) -> frozenset[int]:
    """Groups with a dialogue to give out that the messages of these events were written to."""
    sessions = [session for (session,) in _WRITTEN_TO.rows(events=list(event_ids))]
    return frozenset(_GROUPS.all(sessions=sessions)) if sessions else frozenset()


def read_rules() -> RuleBook:
    queues = {queue.pk: queue for queue in _QUEUES.all()}
    rings = _rings()
    rules = {pk: Rules(queue.strategy, rings[pk], queue.preferred_seconds if queue.preferred_days else 0) for pk, queue in queues.items()}
    needs = [Need(row.skill_id, row.level, row.queue_id, row.channel, row.language, row.topic) for row in _NEEDS.all()]
    return RuleBook(queues, rules, needs, dict(_LIMITS.all()))


def _rings() -> Mapping[int, Sequence[Ring]]:
    rows = _RINGS.all()
    drops = _of_rings(RingRow.drops.through, "skill_id") if rows else {}
    groups = _of_rings(RingRow.groups.through, "group_id") if rows else {}
    found: dict[int, list[Ring]] = defaultdict(list)
    for row in rows:
        ring = Ring(row.after_seconds, row.lower_by, frozenset(drops.get(row.pk, ())), row.drops_all, frozenset(groups.get(row.pk, ())))
        found[row.queue_id].append(ring)
    return found


def _of_rings(through: Any, column: str) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for ring, other in through.objects.values_list("ring_id", column):
        found[ring].append(other)
    return found


@dataclass
class Board:
    """The people who may get a group's dialogues, as they were a moment ago; kept up to date by whoever gives."""

    group_id: int
    book: RuleBook
    operators: dict[int, Operator]
    dead_ends: set[tuple[object, ...]] = field(default_factory=set)
    # A dialogue or a person was locked by somebody else: what became of them is not known here.
    passed_over: bool = False

    @property
    def room(self) -> int:
        """The largest room of anybody who is ready."""
        return max(
            (one.capacity - one.load for one in self.operators.values() if one.alive and one.state == PresenceState.READY), default=0
        )


def read(group_id: int, *, now: datetime) -> Board:
    """The group's people and those of groups that join in by rings."""
    book = read_rules()
    return Board(group_id, book, read_people({group_id} | book.ring_groups, book, now=now))


def read_people(groups: set[int] | frozenset[int], book: RuleBook, *, now: datetime) -> dict[int, Operator]:
    """Members of the groups who are not off the line."""
    found: dict[int, Operator] = {}
    alive_since = now - GRACE
    for staff, group, state, seen_at, capacity, load, assigned_at in _PEOPLE.all(groups=sorted(groups)):
        if staff in found:
            found[staff].groups |= {group}
        else:
            found[staff] = Operator(staff, frozenset({group}), capacity, load, assigned_at, state, seen_at >= alive_since)
    _add_skills(found, book)
    _add_live(found, book)
    return found


def _add_skills(people: Mapping[int, Operator], book: RuleBook) -> None:
    skills: dict[int, dict[int, int]] = defaultdict(dict)
    for staff, skill, level in _SKILLS.all(skills=sorted({need.skill for need in book.needs})) if book.needs else ():
        skills[staff][skill] = level
    for staff, found in skills.items():
        if staff in people:
            people[staff].skills = found


def _add_live(people: Mapping[int, Operator], book: RuleBook) -> None:
    if not book.limits:
        return
    active = Session.objects.filter(state=SessionState.ACTIVE, owner__isnull=False, account__kind__in=list(book.limits))
    live: dict[int, dict[str, int]] = defaultdict(dict)
    for owner, kind, count in active.order_by().values_list("owner_id", "account__kind").annotate(count=Count("pk")):
        live[owner][kind] = count
    offered = Offer.objects.filter(state=OfferState.OPEN, session__account__kind__in=list(book.limits))
    for staff, kind in offered.values_list("staff_id", "session__account__kind"):
        live[staff][kind] = live[staff].get(kind, 0) + 1
    for owner, found in live.items():
        if owner in people:
            people[owner].live = found


def waiting(board: Board, *, now: datetime) -> Iterator[Work]:
    """The group's waiting dialogues in their order: priority, then the longest wait. Paused queues and open offers are left out."""
    seen = 0
    for look in LOOKS:
        places = _places(board, seen, look)
        yield from _works(board, places, now=now)
        if len(places) < look - seen:
            return
        seen = look


def one(board: Board, session_id: int, *, priority: int, now: datetime) -> Work | None:
    """A waiting dialogue as a decision sees it; None when it is not to be given out."""
    return next(_works(board, [(session_id, priority)], now=now), None)


def _places(board: Board, start: int, end: int) -> list[tuple[int, int]]:
    paused = any(queue.is_paused for queue in board.book.queues.values())
    if start == 0 and not paused:
        return _FIRST.all(group=board.group_id)
    items = Item.objects.waiting().filter(group_id=board.group_id, kind=Kind.SESSION)
    if paused:
        going = Session.objects.filter(state=SessionState.WAITING, queue__is_paused=False)
        items = items.filter(subject_id__in=going.values("pk"))
    return list(items.order_by(*ORDER).values_list("subject_id", "priority")[start:end])


def _works(board: Board, places: Sequence[tuple[int, int]], *, now: datetime) -> Iterator[Work]:
    if not places:
        return
    facts = {row[0]: row for row in _FACTS.all(ids=[pk for pk, _priority in places])}
    refused = _refused(board, list(facts.values()), now=now)
    last = _last_had(board, list(facts.values()), now=now)
    for pk, priority in places:
        if pk in facts:
            yield _work(board, facts[pk], priority, refused.get(pk, frozenset()), last.get(facts[pk][4]))


def _work(board: Board, row: Sequence[Any], priority: int, refused: frozenset[int], preferred: int | None) -> Work:
    pk, queue, channel, weight, _guest, language, topics, waiting_since, last_at, _assigned = row
    book = board.book
    needs = needs_of(book.needs, queue=queue, channel=channel, language=language, topics=topics) if book.needs else {}
    since = waiting_since or last_at
    return Work(pk, board.group_id, channel, weight, since, book.rules[queue], priority, needs, preferred, refused)


def _refused(board: Board, facts: Sequence[Sequence[Any]], *, now: datetime) -> Mapping[int, frozenset[int]]:
    """Who declined or missed an offer of it, or returned it to the queue, too lately to get it again."""
    queues = board.book.queues
    longest = now - timedelta(seconds=max((queue.again_seconds for queue in queues.values()), default=0))
    found: list[Any] = []
    if any(queues[row[1]].delivery == Delivery.OFFER for row in facts):
        found += _REFUSALS.all(ids=[row[0] for row in facts], since=longest)
    if had := [row[0] for row in facts if row[9] is not None]:
        found += _RETURNS.all(ids=had, since=longest)
    queue_of = {row[0]: row[1] for row in facts}
    refused: dict[int, set[int]] = defaultdict(set)
    for session, staff, at in found:
        if at > now - timedelta(seconds=queues[queue_of[session]].again_seconds):
            refused[session].add(staff)
    return {session: frozenset(people) for session, people in refused.items()}


def _last_had(board: Board, facts: Sequence[Sequence[Any]], *, now: datetime) -> Mapping[int, int]:
    """The operator who had each guest last, as far as the queue prefers this person."""
    days = {row[4]: board.book.queues[row[1]].preferred_days for row in facts}
    guests = [guest for guest, preferred in days.items() if preferred]
    rows = _LAST_HAD.all(guests=guests) if guests else ()
    return {guest: staff for guest, staff, since in rows if since > now - timedelta(days=days[guest])}
