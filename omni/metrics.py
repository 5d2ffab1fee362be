"""Figures for Prometheus, read from the rows when it asks: every process tells the same, and a restart forgets nothing."""

from collections.abc import Iterator

from django.db import connection
from django.db.utils import DatabaseError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_COUNTS = """
select 'event', state, count(*) from omni_inboundevent where state in ('received', 'unreadable', 'failed') group by 2
union all select 'attempt', state, count(*) from omni_attempt where state in ('queued', 'sending') group by 2
union all select 'presence', state, count(*) from omni_presence group by 2
union all select 'account', state, count(*) from omni_channelaccount group by 2
union all select 'live', 'waiting', count(*) from core_liveevent
"""
_QUEUES = """
select g.code, count(*), extract(epoch from now() - min(i.waiting_since))
from worklist_item i join accounts_group g on g.id = i.group_id
where i.state = 'waiting' and i.owner_id is null group by 1
"""
_FAMILIES = {
    "event": ("otklik_inbound_events", "Inbound events that are not processed, by state"),
    "attempt": ("otklik_attempts", "Sends under way, by state"),
    "presence": ("otklik_operators", "Operators, by state"),
    "account": ("otklik_channel_accounts", "Channel accounts, by state"),
    "live": ("otklik_live_events", "Live events not yet published"),
}


class RowsCollector(Collector):
    """Counts over partial indexes only; without a database it tells nothing rather than failing the whole page."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_COUNTS)
                counts = cursor.fetchall()
                cursor.execute(_QUEUES)
                queues = cursor.fetchall()
        except DatabaseError:
            return
        yield from _by_state(counts)
        yield from _by_queue(queues)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Names only: registering must not ask the database."""
        for name, text in _FAMILIES.values():
            yield GaugeMetricFamily(name, text, labels=["state"])


def _by_state(counts: list[tuple[str, str, int]]) -> Iterator[GaugeMetricFamily]:
    for what, (name, text) in _FAMILIES.items():
        family = GaugeMetricFamily(name, text, labels=["state"])
        for kind, state, number in counts:
            if kind == what:
                family.add_metric([state], number)
        yield family


def _by_queue(queues: list[tuple[str, int, float]]) -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily("otklik_waiting_items", "Items waiting for somebody, by group", labels=["group"])
    oldest = GaugeMetricFamily("otklik_oldest_wait_seconds", "The longest wait, by group", labels=["group"])
    for group, number, seconds in queues:
        waiting.add_metric([group], number)
        oldest.add_metric([group], float(seconds or 0))
    yield waiting
    yield oldest
