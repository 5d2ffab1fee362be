"""Ladders in number: runs of several lines that call people on duty, and ticks over those that are due."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from escalation.models import Delivery, Run, RunEvent
from escalation.services import bulk, planning, tick, watch
from escalation.tests import builders as e

LINES = 20
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
FAR = timedelta(days=3)


def fill(*, number: int) -> int:
    """So many open runs over LINES lines, each with three levels of roles on duty; none is due."""
    people = [e.a_colleague(f"duty{n}") for n in range(30)]
    roles = [e.a_role(f"role{n}", schedule=e.a_schedule(f"duty{n}", people=people[n : n + 3])) for n in range(10)]
    call = [("role", {"role": role}) for role in roles]
    wait = ("wait", {"minutes": 5})
    lines = [
        e.a_line(f"line-{n}", levels=[[call[n % 10], wait, call[(n + 1) % 10]], [call[(n + 2) % 10]], [call[(n + 3) % 10]]])
        for n in range(LINES)
    ]
    plans = [planning.freeze(line, now=NOW) for line in lines]
    Run.objects.bulk_create(
        (
            Run(
                subject=f"incident:{n}", origin="bench", title=f"Оплата не проходит в магазине {n}", line=lines[n % LINES],
                plan=plans[n % LINES], level=1, started_at=NOW, next_at=NOW + FAR, step_at=NOW + FAR,
            )
            for n in range(number)
        ),
        batch_size=2000,
    )  # fmt: skip
    _settle()
    return number


def _settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze escalation_run")


def ticks(*, due: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round: the product's tick, the bare statements with the same rows, a tick of nothing, the watchman."""
    found: dict[str, list[float]] = {"tick": [], "bare": [], "idle": [], "watch": []}
    for at in range(-2, rounds):  # the first ones warm up
        now = NOW + timedelta(hours=1, seconds=at)
        _make_due(due, now)
        took = _timed(lambda now=now: tick.tick(now=now))
        rows = _written(now)
        _make_due(due, now)
        bare = _timed(lambda now=now, rows=rows: _bare(now, *rows))
        idle = _timed(lambda now=now: tick.tick(now=now - FAR))
        watched = _timed(lambda now=now: watch.watch(now=now))
        if at >= 0:
            for name, value in (("tick", took), ("bare", bare), ("idle", idle), ("watch", watched)):
                found[name].append(value)
        RunEvent.objects.all().delete()
        Delivery.objects.all().delete()
        _put_off(now)
        _settle()
    return found


def _make_due(due: int, now: datetime) -> None:
    _put_off(now)
    ids = list(Run.objects.order_by("pk").values_list("pk", flat=True)[: due * 7 : 7])
    Run.objects.filter(pk__in=ids).update(next_at=now, step_at=now, step=0, turn=1, level=1, reaction_due=now + FAR)


def _put_off(now: datetime) -> None:
    Run.objects.filter(next_at__lt=NOW + FAR).update(next_at=NOW + FAR, step_at=NOW + FAR, reaction_due=None)


def _written(now: datetime) -> tuple[list[Any], list[Any], list[Any]]:
    """What the tick wrote, as rows for the bare statements; then it is taken away again."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(json_agg(e), '[]') from (select * from escalation_runevent) e")
        events = cursor.fetchone()[0]
        cursor.execute("select coalesce(json_agg(d), '[]') from (select * from escalation_delivery) d")
        deliveries = cursor.fetchone()[0]
        ids = [row["run_id"] for row in events]
        cursor.execute("select json_agg(r) from (select r.*, false as climbs from escalation_run r where id = any(%s)) r", [ids])
        places = cursor.fetchone()[0]
        cursor.execute("truncate escalation_runevent, escalation_delivery")
    return events, deliveries, places


def _bare(now: datetime, events: list[Any], deliveries: list[Any], places: list[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select * from escalation_run where next_at <= %s order by next_at limit 500 for update skip locked", [now])
        cursor.fetchall()
        cursor.execute(bulk._EVENTS, [json.dumps(events)])
        cursor.execute(bulk._DELIVERIES, [now, now, json.dumps(deliveries)])
        cursor.execute(bulk._PLACES, [now, json.dumps(places)])


def _timed(run: Any) -> float:
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1000
