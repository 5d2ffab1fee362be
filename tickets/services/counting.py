"""How many tickets of a branch are usual about a store or in a region at this hour of the week: counted by whole hours, once."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from tickets.models import CasePrint, Scope, TopicHour

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
KEPT = timedelta(weeks=27)
# Counted in one round: the first one after months has much to catch up on.
AT_ONCE = timedelta(days=2)
_COUNT = """
insert into tickets_topichour (hour, store_id, branch_id, number)
select date_trunc('hour', opened_at, 'UTC'), store_id, branch_id, count(*) from tickets_caseprint
where opened_at >= %(begin)s and opened_at < %(end)s and store_id is not null group by 1, 2, 3
union all
select hour, null, null, 0 from generate_series(%(begin)s::timestamptz, %(end)s::timestamptz - interval '1 hour', interval '1 hour') hour
on conflict do nothing
"""
# The same hours of earlier weeks, in which the window lies; those before the counting began are not known, and are left out.
_USUAL = """
select {place}, h.branch_id, sum(h.number)::float / %(weeks)s from tickets_topichour h {join}
where h.hour = any(%(hours)s) and h.store_id is not null and h.branch_id = any(%(branches)s) and {place} = any(%(places)s) group by 1, 2
"""
_PLACES = {Scope.STORE: ("h.store_id", ""), Scope.REGION: ("s.region_id", "join stores_store s on s.id = h.store_id")}


def count_hours(*, now: datetime) -> int:
    """Count the whole hours that have passed since the last count; how many hours were looked at. Safe to run twice."""
    until = whole_hour(now)
    begin = _uncounted_since()
    if begin is None or begin >= until:
        return 0
    begin = max(begin, until - KEPT)
    end = min(begin + AT_ONCE, until)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"begin": begin, "end": end})
    TopicHour.objects.filter(hour__lt=now - KEPT).delete()
    return int((end - begin) / HOUR)


def whole_hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _uncounted_since() -> datetime | None:
    last: datetime | None = TopicHour.objects.aggregate(last=Max("hour"))["last"]
    if last is not None:
        return last + HOUR
    first: datetime | None = CasePrint.objects.aggregate(first=Min("opened_at"))["first"]
    return whole_hour(first) if first else None


def usual(
    scope: Scope, pairs: Collection[tuple[int, int]], *, since: datetime, now: datetime, weeks: int
) -> Mapping[tuple[int, int], float] | None:
    """How many usually come between the two times, by (place, branch); None = no whole week is known yet.

    The hours that the window touches are counted by the part of them that lies in it.
    """
    first: datetime | None = TopicHour.objects.aggregate(first=Min("hour"))["first"]
    known = min(weeks, int((now - first) / WEEK)) if first else 0
    if known < 1:
        return None
    hours = list(_touched(since, now))
    share = (now - since) / (len(hours) * HOUR)
    earlier = [hour - back * WEEK for hour in hours for back in range(1, known + 1)]
    place, join = _PLACES[scope]
    values: dict[str, Any] = {"weeks": known, "hours": earlier, "branches": [b for _p, b in pairs], "places": [p for p, _b in pairs]}
    with connection.cursor() as cursor:
        cursor.execute(_USUAL.format(place=place, join=join), values)
        return {(place_id, branch): number * share for place_id, branch, number in cursor.fetchall()}


def _touched(since: datetime, until: datetime) -> list[datetime]:
    hour, found = whole_hour(since), []
    while hour < until:
        found.append(hour)
        hour += HOUR
    return found
