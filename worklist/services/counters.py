"""Counters of the queues. The database's trigger writes deltas; a sweep folds them, a reader adds both."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction

from core.locks import serialise

_FOLD = """
with gone as (delete from worklist_counterdelta returning group_id, bucket, change),
     summed as (select group_id, bucket, sum(change) as change from gone group by 1, 2)
insert into worklist_counter (group_id, bucket, count)
select group_id, bucket, change from summed where change <> 0
on conflict (group_id, bucket) do update set count = worklist_counter.count + excluded.count
"""
_READ = """
select group_id, bucket, sum(n)::int from (
    select group_id, bucket, count as n from worklist_counter where group_id = any(%(groups)s)
    union all
    select group_id, bucket, change from worklist_counterdelta where group_id = any(%(groups)s)
) as parts group by 1, 2
"""
_RECOUNT = """
insert into worklist_counter (group_id, bucket, count)
select group_id, worklist_bucket(state, owner_id), count(*)
from worklist_item where state <> 'closed' group by 1, 2
"""


def fold() -> None:
    """Add the written deltas to the counters."""
    with transaction.atomic(), connection.cursor() as cursor:
        serialise("worklist counters")
        cursor.execute(_FOLD)


def read(group_ids: Iterable[int]) -> Mapping[int, Mapping[str, int]]:
    """Per group: `queue` (waiting for nobody in particular) and `taken` (open and owned or answered)."""
    counts: dict[int, dict[str, int]] = {group: {"queue": 0, "taken": 0} for group in group_ids}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"groups": list(counts)})
        for group, bucket, number in cursor.fetchall():
            counts[group][bucket] = number
    return counts


def recount() -> None:
    """Count from the rows anew (after a bulk load); writers wait meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        serialise("worklist counters")
        cursor.execute("lock table worklist_item in share mode")
        cursor.execute("delete from worklist_counterdelta")
        cursor.execute("delete from worklist_counter")
        cursor.execute(_RECOUNT)
