"""Clocks to reckon anew: lives of many tickets, then the comparison of every row with its story."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from sla.models import Clock, Metric, Policy
from sla.services import clocks, stories
from tests import builders as b

METRICS = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
START = datetime(2026, 3, 24, tzinfo=UTC)
BATCH = 500


LIVES = 1_000
_COPY = """
with copied as (
    insert into sla_clock (subject, metric, cycle, policy_id, target_seconds, time_zone, started_at, due_at, paused_at, spent_seconds,
                           resumed_at, ended_at, met, breached_at)
    select subject || '.' || %(round)s, metric, cycle, policy_id, target_seconds, time_zone, started_at, due_at, paused_at, spent_seconds,
           resumed_at, ended_at, met, breached_at
    from sla_clock where id <= %(top)s order by id
    returning id, subject, metric, cycle),
twins as (
    select old.id as old_id, copied.id as new_id from sla_clock old
    join copied on copied.subject = old.subject || '.' || %(round)s and copied.metric = old.metric and copied.cycle = old.cycle
    where old.id <= %(top)s),
pauses as (
    insert into sla_clockpause (clock_id, starts_at, ends_at, reason)
    select new_id, starts_at, ends_at, reason from sla_clockpause join twins on old_id = clock_id)
insert into sla_clockterms (clock_id, policy_id, target_seconds, time_zone, ends_at)
select new_id, policy_id, target_seconds, time_zone, ends_at from sla_clockterms join twins on old_id = clock_id
"""


def make(cases: int) -> None:
    """Clocks as the services write them: every third ticket waits for its guest, every tenth gets other promises, half are closed.

    A thousand lives are lived, the others are copies of them.
    """
    lived = min(cases, LIVES)
    _lives(lived)
    with connection.cursor() as cursor:
        top = Clock.objects.aggregate(top=Max("pk"))["top"]
        for number in range(1, cases // lived):
            cursor.execute(_COPY, {"round": str(number), "top": top})
        cursor.execute("vacuum analyze sla_clock, sla_clockpause, sla_clockterms")


def _lives(cases: int) -> None:
    policies = [b.a_policy("one", 15, 15, 480), b.a_policy("two", 30, 30, 960)]
    policies = list(Policy.objects.select_related("calendar").filter(pk__in=[policy.pk for policy in policies]))
    chance = random.Random(1)
    for first in range(0, cases, BATCH):
        with transaction.atomic():
            for number in range(first, min(first + BATCH, cases)):
                _live(f"case:{number}", policies, chance)


def _live(subject: str, policies: list[Policy], chance: random.Random) -> None:
    at = START + timedelta(minutes=chance.randrange(60 * 24 * 60))
    clocks.start(subject=subject, policy=policies[0], metrics=METRICS, now=at, is_new=True)
    if chance.random() < 0.33:
        clocks.pause(subject=subject, reason="waiting_guest", now=at + timedelta(minutes=40))
        clocks.resume(subject=subject, now=at + timedelta(hours=30))
    if chance.random() < 0.1:
        clocks.change_policy(subject=subject, policy=policies[1], now=at + timedelta(hours=31))
    if chance.random() < 0.5:
        clocks.meet(subject=subject, metrics=METRICS, now=at + timedelta(hours=32))


def recompute() -> dict[str, Any]:
    """Seconds of reading all clocks with their rows, and of reading, reckoning and comparing them."""
    now, number = timezone.now(), Clock.objects.count()
    begun = time.perf_counter()
    last = 0
    while batch := list(stories.told(Clock.objects.filter(pk__gt=last)).order_by("pk")[: stories.BATCH]):
        last = batch[-1].pk
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    differences = sum(1 for _one in stories.differences(Clock.objects.all(), now=now))
    return {"clocks": number, "differences": differences, "seconds": time.perf_counter() - begun, "read_seconds": read}
