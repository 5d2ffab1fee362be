"""The tick on real rows: exactly once, late but flagged, frozen maps, nobody there; two tickers and kills."""

import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import Staff
from core.embedded.process import Child, Program
from core.embedded.waiting import wait_until
from escalation.models import Delivery, MapLine, MapStep, Run, RunEvent, TurnTaken
from escalation.services import planning, runs, tick
from escalation.states import EventKind, RunState
from escalation.tests.builders import (
    MINUTE,
    NOW,
    a_colleague,
    a_duty_group,
    a_ladder,
    a_line,
    a_role,
    a_run,
    a_schedule,
    numbers,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def go(minutes, since=0):
    """Tick at each minute."""
    for minute in range(since, minutes + 1):
        while tick.tick(now=NOW + minute * MINUTE):
            pass


def story(run, *kinds):
    wanted = kinds or (EventKind.STEP, EventKind.NOBODY)
    return [
        (int((event.at - NOW) / MINUTE), event.level, event.details.get("to")) for event in run.events.filter(kind__in=wanted)
    ]  # fmt: skip


def test_the_ladder_is_climbed_and_each_call_is_a_notice():
    line, _people = a_ladder()
    run = a_run(line)
    go(60)
    assert story(run) == [(0, 1, ["Pervyi"]), (5, 1, ["Pervyi"]), (15, 2, ["Vtoroi"]), (30, 3, ["Tretii"])]
    assert list(Delivery.objects.order_by("pk").values_list("address", flat=True)) == [
        "pervyi@example.org", "pervyi@example.org", "vtoroi@example.org", "tretii@example.org",
    ]  # fmt: skip
    run.refresh_from_db()
    assert (run.state, run.level, run.next_at, run.first_climbed_at) == (RunState.CALLING, 3, None, NOW + 15 * MINUTE)


def test_after_an_hour_of_outage_every_step_comes_once_late_and_flagged():
    line, _people = a_ladder()
    run = a_run(line)
    go(0)
    go(60, since=60)
    assert story(run) == [(0, 1, ["Pervyi"]), (60, 1, ["Pervyi"]), (60, 2, ["Vtoroi"])]
    flagged = run.events.filter(kind=EventKind.STEP).order_by("pk")
    assert [(event.late, int((event.due_at - NOW) / MINUTE)) for event in flagged] == [(False, 0), (True, 5), (False, 60)]
    assert Delivery.objects.get(late=True).message.count("поздно") or "late" in Delivery.objects.get(late=True).message
    assert Delivery.objects.count() == 3


def test_a_change_of_the_map_does_not_move_a_running_ladder_until_it_is_replanned():
    line, people = a_ladder()
    run = a_run(line)
    go(0)
    MapStep.objects.filter(line=line, level=2).delete()
    MapLine.objects.filter(pk=line.pk).update(reaction_minutes=2, name="Совсем другое")
    go(20, since=1)
    assert story(run)[-1] == (15, 2, ["Vtoroi"])
    assert planning.has_changed(Run.objects.select_related("plan").get().plan, planning.lines_in_use().get(), now=NOW)
    moved = runs.replan(run_id=run.pk, by=people["pervyi"], now=NOW + 20 * MINUTE)
    assert (moved.level, moved.plan.document["name"]) == (1, "Совсем другое")
    with pytest.raises(Exception, match=r"не изменилась|not changed"):
        runs.replan(run_id=run.pk, by=people["pervyi"], now=NOW + 21 * MINUTE)


def test_an_empty_schedule_is_a_failure_in_the_history_and_the_next_step_comes_at_once():
    empty, there = a_role("empty", schedule=a_schedule("empty")), a_role("there", staff=a_colleague("dezhurnyi"))
    line = a_line(levels=[[("role", {"role": empty}), ("wait", {"minutes": 10}), ("role", {"role": there})]])
    run = a_run(line)
    go(0)
    assert story(run) == [(0, 1, None), (0, 1, ["Dezhurnyi"])]
    assert run.events.get(kind=EventKind.NOBODY).details["name"] == "Роль empty"


def test_without_a_shift_the_lead_is_called():
    lead = a_colleague("nachalnik")
    line = a_line(levels=[[("schedule", {"schedule": a_schedule("empty", lead=lead)})]])
    run = a_run(line)
    go(0)
    assert run.events.get(kind=EventKind.STEP).details == {
        "step": "schedule", "number": 0, "name": "Дежурство empty", "to": ["Nachalnik"], "by_lead": True,
    }  # fmt: skip


def test_a_person_without_any_address_is_nobody_and_one_who_has_left_too():
    mute = a_colleague("nemoi")
    Staff.objects.filter(pk=mute.pk).update(email="")
    gone = a_colleague("ushedshii", is_active=False)
    line = a_line(levels=[[("role", {"role": a_role("mute", staff=mute)}), ("role", {"role": a_role("gone", staff=gone)})]])
    run = a_run(line)
    go(0)
    assert [event.kind for event in run.events.exclude(kind=EventKind.STARTED)] == [EventKind.NOBODY, EventKind.NOBODY]


def test_a_group_is_called_whole_and_a_round_robin_one_after_another():
    crew = [a_colleague(name) for name in ("adin", "bdva", "ctri")]
    group = a_duty_group("crew", crew)
    line = a_line(levels=[[("round_robin", {"group": group})]], reaction_minutes=0, deal_minutes=0)
    everyone = a_line("all", levels=[[("group", {"group": group})]], reaction_minutes=0, deal_minutes=0)
    for number in range(5):
        a_run(line, subject=f"incident:{number}")
    go(0)
    told = [event.details["to"] for event in RunEvent.objects.filter(kind=EventKind.STEP).order_by("pk")]
    assert sorted(name for names in told for name in names) == ["Adin", "Adin", "Bdva", "Bdva", "Ctri"]
    assert TurnTaken.objects.get().staff_id == crew[1].pk
    whole = a_run(everyone, subject="incident:9")
    go(0)
    assert story(whole) == [(0, 1, ["Adin", "Bdva", "Ctri"])]


def test_one_bad_run_does_not_hold_up_the_others():
    line, _people = a_ladder()
    good, bad = a_run(line, subject="incident:1"), a_run(a_line("c2", levels=[[("stop", {})]]), subject="incident:2")
    Run.objects.filter(pk=bad.pk).update(next_at=NOW - MINUTE)
    type(bad.plan).objects.filter(pk=bad.plan_id).update(document={"levels": "nonsense"})
    planning.thawed.cache_clear()
    tick.tick(now=NOW)
    assert story(good) == [(0, 1, ["Pervyi"])]
    bad.refresh_from_db()
    assert bad.fault
    assert bad.next_at == NOW + tick.FAULT_PAUSE


@pytest.mark.parametrize(("after", "in_time"), [(timedelta(minutes=14, seconds=59), True), (timedelta(minutes=15, seconds=1), False)])
def test_taken_at_the_last_moment_and_escalated_at_thirty_minutes(after, in_time):
    line, people = a_ladder()
    run = a_run(line)
    go(14)
    runs.take(run_id=run.pk, by=people["pervyi"], now=NOW + after)
    assert run.events.get(kind=EventKind.TAKEN).details["in_time"] is in_time
    go(31, since=15)
    assert story(run, EventKind.DEAL_MISSED, EventKind.CLIMBED) == [(30, 1, None), (30, 1, None)]
    assert story(run)[-1] == (30, 2, ["Vtoroi"])


# Two tickers, and tickers that die


def many_runs(number=200):
    numbers(gap_seconds=0)
    group = a_duty_group("crew", [a_colleague(f"crew{n}") for n in range(3)])
    line = a_line(
        levels=[[("round_robin", {"group": group}), ("group", {"group": group}), ("wait", {"minutes": 5}), ("group", {"group": group})]],
        reaction_minutes=0, deal_minutes=0,
    )  # fmt: skip
    begun = timezone.now() - timedelta(minutes=6)
    for at in range(number):
        a_run(line, subject=f"incident:{at}", now=begun)
    return number


def assert_each_step_once(number):
    """Every run has its three steps once, and one notice for each person called."""
    counted = RunEvent.objects.filter(kind=EventKind.STEP).values_list("run_id", "key")
    assert len(counted) == len(set(counted)) == 3 * number
    sent = Delivery.objects.values_list("run_id", "key", "recipient", "channel")
    assert len(sent) == len(set(sent)) == (1 + 3 + 3) * number
    assert not Run.objects.filter(next_at__isnull=False).exists()


def tick_in_thread(found, gate):
    gate.wait()
    try:
        while looked := tick.tick(now=timezone.now()):
            found.append(looked)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_two_tickers_do_each_step_once(monkeypatch):
    monkeypatch.setattr(tick, "_DUE", tick.Prepared(lambda now: _due(now)[:20]))
    number, found, gate = many_runs(), [], threading.Barrier(4)
    tickers = [threading.Thread(target=tick_in_thread, args=(found, gate)) for _ in range(4)]
    for ticker in tickers:
        ticker.start()
    for ticker in tickers:
        ticker.join(60)
    # A ticker leaves when all that is due is held by the others; whoever comes next finds the rest.
    while tick.tick(now=timezone.now()):
        pass
    assert len(found) > 4
    assert_each_step_once(number)


def _due(now):
    due = Run.objects.filter(next_at__isnull=False, next_at__lte=now).order_by("next_at").select_for_update(skip_locked=True)
    return due.values_list(*tick.COLUMNS)


TICKER = """
import django; django.setup()
from escalation.services import tick
from django.utils import timezone
print("ready", flush=True)
while True:
    tick.tick(now=timezone.now())
"""


@pytest.fixture
def ticker(product_environment, tmp_path):
    """Starts a process that ticks for ever; `kill` is kill -9."""
    children = []

    def start():
        environment = {**product_environment, "DJANGO_SETTINGS_MODULE": "config.settings"}
        child = Child(
            Program(
                "ticker",
                (sys.executable, "-c", TICKER),
                tmp_path / "ticker.log",
                environment,
                Path(settings.BASE_DIR),
                orphan_signal=signal.SIGKILL,
            )
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.stop()


def blocked_by(pid):
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_locks where not granted and %s = any(pg_blocking_pids(pid))", [pid])
        return cursor.fetchone()[0]


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_a_ticker_killed_in_the_middle_leaves_nothing_half_done(ticker):
    """It dies after the history was written and before the notices: the whole round is gone, the next ticker does it."""
    number = many_runs(60)
    person = Staff.objects.filter(login__startswith="crew").first()
    with transaction.atomic():
        # A notice with the same key that is not committed yet: the ticker stands here, in the middle of its round.
        Delivery.objects.create(
            run=Run.objects.order_by("pk").first(), turn=1, key="step:1:1", recipient=f"staff:{person.pk}:{person.email}", channel="email",
            staff=person, address=person.email, heading="", message="", created_at=NOW,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            pid = cursor.fetchone()[0]
        child = ticker()
        assert wait_until(lambda: blocked_by(pid) > 0, seconds=90), child.last_lines(20)
        child.kill()
        transaction.set_rollback(True)
    assert wait_until(lambda: _held_rows() == 0, seconds=20), "the dead ticker's locks end with its connection"
    assert RunEvent.objects.filter(kind=EventKind.STEP).count() == Delivery.objects.count() == 0
    while tick.tick(now=timezone.now()):
        pass
    assert_each_step_once(number)


def _held_rows():
    with transaction.atomic():
        free = Run.objects.filter(next_at__isnull=False).select_for_update(skip_locked=True)
        return Run.objects.filter(next_at__isnull=False).count() - len(free)


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_tickers_killed_again_and_again_do_each_step_once(ticker):
    number = many_runs(300)
    Run.objects.update(next_at=timezone.now() + timedelta(seconds=3600))
    first, second = ticker(), ticker()
    ids = list(Run.objects.order_by("pk").values_list("pk", flat=True))
    for round_number in range(3):
        part = ids[round_number::3]
        before = RunEvent.objects.filter(kind=EventKind.STEP).count()
        Run.objects.filter(pk__in=part).update(next_at=timezone.now())
        assert wait_until(lambda before=before: RunEvent.objects.filter(kind=EventKind.STEP).count() > before, seconds=90)
        first.kill()
        first, second = second, ticker()
    assert wait_until(lambda: not Run.objects.filter(next_at__isnull=False).exists(), seconds=90)
    assert_each_step_once(number)
