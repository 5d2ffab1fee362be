"""Pauses in which the guest wrote: the clock stood although somebody waited for an answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from tickets.states import CaseState


@dataclass(frozen=True)
class Overlap:
    """A pause of a ticket's clocks with the first message that came in it; `ends_at` None = it still stands."""

    case_id: int
    number: str
    group: str
    owner: str
    reason: str
    starts_at: datetime
    ends_at: datetime | None
    wrote_at: datetime
    messages: int

    @property
    def reason_words(self) -> str:
        return str(dict(CaseState.choices).get(self.reason, self.reason))

    @property
    def hidden_seconds(self) -> float | None:
        """How long the clock stood after the guest had written; None while it stands."""
        return (self.ends_at - self.wrote_at).total_seconds() if self.ends_at else None


# Pauses are found by their clocks' tickets; several clocks of a ticket stand together and are one row.
_SQL = """
with stood as (
    select distinct on (c.subject, p.starts_at) substr(c.subject, 6)::bigint as case_id, p.starts_at, p.ends_at, p.reason
    from sla_clockpause p join sla_clock c on c.id = p.clock_id
    where p.starts_at >= %(since)s and p.starts_at < %(until)s and c.subject like 'case:%%'
    order by c.subject, p.starts_at, p.ends_at desc nulls first)
select t.id, t.number, g.name, coalesce(o.full_name, ''), stood.reason, stood.starts_at, stood.ends_at, said.first, said.number
from stood
join tickets_case t on t.id = stood.case_id
join accounts_group g on g.id = t.group_id
left join accounts_staff o on o.id = t.owner_id
cross join lateral (
    select min(m.received_at) as first, count(*) as number from omni_message m
    where m.session_id = t.session_id and m.direction = 'in'
      and m.received_at > stood.starts_at and m.received_at < coalesce(stood.ends_at, %(now)s)) said
where said.number > 0
order by stood.starts_at, t.id
"""


def question(*, since: date, until: date, zone: str, now: datetime) -> tuple[str, dict[str, datetime]]:
    """The report's SQL with its values."""
    begins = datetime.combine(since, time(), ZoneInfo(zone))
    ends = datetime.combine(until + timedelta(days=1), time(), ZoneInfo(zone))
    return _SQL, {"since": begins, "until": ends, "now": now}


def overlaps(*, since: date, until: date, zone: str, now: datetime) -> Iterator[Overlap]:
    """Pauses that began from the first to the last day (both included) in the zone, in their order, streamed from the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(*question(since=since, until=until, zone=zone, now=now))
        while rows := cursor.fetchmany(2000):
            for row in rows:
                yield Overlap(*row)


def by_group(found: Sequence[Overlap]) -> Sequence[tuple[str, int]]:
    """How many by group, the most first."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.group] = counts.get(one.group, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
