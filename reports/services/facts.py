"""Writing the fact table: from the event of a close at once, from a sweep for what was missed; repeats change nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Q

from omni.states import Direction
from reports.models import CaseFact
from sla.models import Clock, Metric
from sla.rules import worked
from sla.services import clocks
from tickets.models import Case, CaseStep, Survey
from tickets.states import CaseState, Step

BATCH = 500
RECENT = timedelta(days=2)

_MISSING = """
select c.id from tickets_case c left join reports_casefact f on f.case_id = c.id
left join tickets_survey s on s.case_id = c.id
where c.state = 'closed' and (f.case_id is null or f.closed_at <> c.closed_at or f.mark is distinct from s.mark)
and c.id > %s and c.closed_at >= %s
order by {order} limit %s
"""
_RECENT, _ALL = _MISSING.format(order="c.closed_at"), _MISSING.format(order="c.id")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def count(*, case_ids: Iterable[int], now: datetime) -> int:
    """Write or rewrite the facts of these tickets; what is not closed has none. Returns how many were written."""
    ids = list(case_ids)
    related = ("store", "session__account", "policy__calendar", "survey")
    closed = list(Case.objects.filter(pk__in=ids, state=CaseState.CLOSED).select_related(*related))
    CaseFact.objects.filter(case_id__in=set(ids) - {case.pk for case in closed}).delete()
    ran, messages, reopened = _clocks(closed), _messages(closed), _reopenings(closed)
    facts = [_fact(case, ran[case.clock_subject], messages[case.pk], reopened[case.pk], now=now) for case in closed]
    changed = [field.name for field in CaseFact._meta.concrete_fields if not field.primary_key]
    CaseFact.objects.bulk_create(facts, update_conflicts=True, unique_fields=["case"], update_fields=changed)
    return len(facts)


def find_missing(*, closed_since: datetime) -> list[int]:
    """Tickets closed since then that have no fact, or one of an earlier close."""
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, [0, closed_since, BATCH])
        return [case_id for (case_id,) in cursor.fetchall()]


def walk_missing() -> Iterator[list[int]]:
    """The same over the whole history, in batches by growing id."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ALL, [after, LONG_AGO, BATCH])
            found = [case_id for (case_id,) in cursor.fetchall()]
        if not found:
            return
        yield found
        after = found[-1]


def drop_reopened() -> int:
    """Facts of tickets that are open again are taken away until the next close. Returns how many."""
    return CaseFact.objects.exclude(case__state=CaseState.CLOSED).delete()[0]


def _clocks(cases: Sequence[Case]) -> dict[str, list[Clock]]:
    found: dict[str, list[Clock]] = defaultdict(list)
    for clock in Clock.objects.filter(subject__in=[case.clock_subject for case in cases]):
        found[clock.subject].append(clock)
    return found


def _messages(cases: Sequence[Case]) -> dict[int, tuple[int, int]]:
    """Messages from and to the guest until the close, per ticket."""
    spoken = Q(session__messages__received_at__lte=F("closed_at"))
    came = Count("session__messages", filter=spoken & Q(session__messages__direction=Direction.IN))
    went = Count("session__messages", filter=spoken & Q(session__messages__direction=Direction.OUT))
    rows = Case.objects.filter(pk__in=[case.pk for case in cases]).annotate(came=came, went=went)
    return {pk: (inward, outward) for pk, inward, outward in rows.values_list("pk", "came", "went")}


def _survey(case: Case) -> Survey | None:
    found: Survey | None = getattr(case, "survey", None)
    return found


def _reopenings(cases: Sequence[Case]) -> Counter[int]:
    return Counter(CaseStep.objects.filter(case__in=cases, step=Step.REOPENED).values_list("case_id", flat=True))


def _fact(case: Case, ran: Sequence[Clock], messages: tuple[int, int], reopened: int, *, now: datetime) -> CaseFact:
    answered, closed = case.first_answer_at, case.closed_at or now
    answers = [clock for clock in ran if clock.metric != Metric.RESOLUTION]
    survey = _survey(case)
    return CaseFact(
        case=case,
        number=case.number,
        opened_at=case.opened_at,
        closed_at=closed,
        group_id=case.group_id,
        topic_id=case.topic_id,
        store=case.store,
        region_id=case.store.region_id if case.store else None,
        channel=case.session.account.kind,
        owner_id=case.owner_id,
        cause=case.cause,
        first_answer_seconds=_seconds((answered - case.opened_at).total_seconds()) if answered and answered <= closed else None,
        resolution_seconds=_seconds(_working_seconds(case, [c for c in ran if c.metric == Metric.RESOLUTION], closed, now=now)),
        answered_in_time=_kept(answers),
        resolved_in_time=_kept([clock for clock in ran if clock.metric == Metric.RESOLUTION]),
        messages_in=messages[0],
        messages_out=messages[1],
        reopened=reopened,
        mark=survey.mark if survey else None,
        was_asked=survey is not None and survey.asked_at is not None,
    )


def _seconds(value: float) -> int:
    return max(0, round(value))


def _kept(ran: Sequence[Clock]) -> bool | None:
    """Whether every promise was kept; None when none came to its end."""
    if any(clock.breached_at for clock in ran):
        return False
    return True if any(clock.met for clock in ran) else None


def _working_seconds(case: Case, ran: Sequence[Clock], closed: datetime, *, now: datetime) -> float:
    hours = clocks.hours_of(case.policy.calendar, now=now)
    if not ran:
        return worked(hours, case.opened_at, closed)
    return sum(clock.spent_seconds + (0 if clock.paused_at else worked(hours, clock.resumed_at, clock.ended_at or closed)) for clock in ran)
