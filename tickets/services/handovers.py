"""The internal clock of whoever has the ticket: it ends and begins anew at each hand-over between groups and stores."""

from datetime import datetime

from sla.models import Metric
from sla.services import clocks
from tickets.models import Case


def zone_of(case: Case) -> str:
    """The wall clock of the ticket's store; empty without one."""
    return case.store.time_zone if case.store_id and case.store else ""


def restart(case: Case, *, now: datetime) -> None:
    """The locked ticket goes to other hands: the promise of the last ones is kept or broken, that of the next ones begins."""
    clocks.meet(subject=case.clock_subject, metrics=[Metric.HANDOVER], now=now)
    clocks.start(subject=case.clock_subject, policy=case.policy, metrics=[Metric.HANDOVER], now=now, store_zone=zone_of(case))
