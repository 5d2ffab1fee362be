"""What people do with a run; what the watchman, the senders and the books of duty do."""

import hashlib
import hmac
import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.models import AuditEntry
from core.refusal import Refusal
from escalation import senders
from escalation.models import Alarm, Contact, Delivery, DutyInterval, Hook, Override, Run, RunEvent, Schedule
from escalation.selectors import find_open_run, find_past_duty
from escalation.senders import Outcome
from escalation.services import delivering, dry_run, duty, hooks, runs, swaps, tick, watch
from escalation.states import AlarmKind, Channel, DeliveryState, EventKind, HoleKind, RunState, SwapState
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
HOUR = timedelta(hours=1)


def test_the_same_cause_starts_once_and_a_subject_has_one_open_ladder():
    line, people = a_ladder()
    first = a_run(line)
    assert a_run(line) is None
    assert a_run(line, origin="signal:2") is None
    runs.resolve(run_id=first.pk, by=people["pervyi"], now=NOW)
    assert a_run(line) is None
    assert a_run(line, origin="signal:2") is not None
    assert find_open_run("incident:1").origin == "signal:2"


def test_a_line_without_steps_cannot_start_and_a_missing_line_is_counted():
    with pytest.raises(Refusal, match=r"шагов|steps"):
        a_run(a_line())
    for _ in range(3):
        runs.note_unmapped(key="topic:late", now=NOW)
    from escalation.models import UnmappedHit

    assert UnmappedHit.objects.get().hits == 3


def test_two_people_cannot_have_it_and_taking_twice_confirms():
    line, people = a_ladder()
    run = a_run(line)
    runs.take(run_id=run.pk, by=people["pervyi"], now=NOW + MINUTE)
    with pytest.raises(Refusal) as refused:
        runs.take(run_id=run.pk, by=people["vtoroi"], now=NOW + MINUTE)
    assert refused.value.code == "taken"
    runs.take(run_id=run.pk, by=people["pervyi"], now=NOW + 20 * MINUTE)
    run.refresh_from_db()
    assert (run.state, run.holder, run.remind_at) == (RunState.TAKEN, people["pervyi"], NOW + 50 * MINUTE)
    assert AuditEntry.objects.filter(subject=f"run:{run.pk}").count() == 2


def test_who_has_it_is_asked_and_it_is_called_out_again_when_nobody_confirms():
    numbers(deal_minutes=0)
    line, people = a_ladder()
    run = a_run(line)
    tick.tick(now=NOW)
    runs.take(run_id=run.pk, by=people["vtoroi"], now=NOW)
    tick.tick(now=NOW + 30 * MINUTE)
    asked = Delivery.objects.order_by("pk").last()
    assert (asked.address, "Оплата" in asked.message) == ("vtoroi@example.org", True)
    tick.tick(now=NOW + 45 * MINUTE)
    run.refresh_from_db()
    assert (run.state, run.holder) == (RunState.CALLING, None)
    assert [event.kind for event in run.events.order_by("pk")][-3:] == [EventKind.REMINDED, EventKind.LAPSED, EventKind.STEP]


@pytest.mark.parametrize(("verb", "code"), [(runs.climb, "no_level"), (runs.hand_back, "no_level")])
def test_there_is_no_level_beyond(verb, code):
    run = a_run(a_line(levels=[[("role", {"role": a_role("one", staff=a_colleague("one"))})]]))
    with pytest.raises(Refusal) as refused:
        verb(run_id=run.pk, by=a_colleague("boss"), reason="так надо", now=NOW)
    assert refused.value.code == code
    with pytest.raises(Refusal, match=r"почему|why"):
        verb(run_id=run.pk, by=a_colleague("boss2"), reason=" ", now=NOW)


def test_up_by_decision_in_time_and_back_down_with_both_clocks_going_on():
    line, people = a_ladder()
    run = a_run(line)
    tick.tick(now=NOW)
    runs.take(run_id=run.pk, by=people["pervyi"], now=NOW + MINUTE)
    up = runs.climb(run_id=run.pk, by=people["pervyi"], reason="не справиться", now=NOW + 10 * MINUTE)
    assert (up.level, up.state, up.holder, up.first_climbed_at) == (2, RunState.CALLING, None, NOW + 10 * MINUTE)
    deal = up.deal_due
    down = runs.hand_back(run_id=run.pk, by=people["vtoroi"], reason="это ваше", now=NOW + 12 * MINUTE)
    assert (down.level, down.deal_due) == (1, deal)
    details = run.events.get(kind=EventKind.CLIMBED).details
    assert (details["in_time"], details["to_level"], details["reason"]) == (True, 2, "не справиться")


def test_what_has_ended_does_nothing_more():
    line, people = a_ladder()
    run = a_run(line)
    tick.tick(now=NOW)
    runs.cancel(run_id=run.pk, by=people["pervyi"], reason="ложная тревога", now=NOW + MINUTE)
    assert tick.tick(now=NOW + 10 * HOUR) == 0
    with pytest.raises(Refusal) as refused:
        runs.take(run_id=run.pk, by=people["pervyi"], now=NOW + 2 * MINUTE)
    assert refused.value.code == "ended"


# Sending


class Recorder:
    def __init__(self, *outcomes):
        self.letters, self.outcomes = [], list(outcomes)

    def send(self, letter):
        self.letters.append(letter)
        return self.outcomes.pop(0) if self.outcomes else Outcome(DeliveryState.SENT, external_id=f"id-{len(self.letters)}")


@pytest.fixture
def register(monkeypatch):
    monkeypatch.setattr(senders, "_senders", {})
    return senders.register


def test_without_a_sender_nothing_is_lost_and_it_goes_out_once_there_is_one(register):
    line, _people = a_ladder()
    a_run(line)
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.tries) == (DeliveryState.NO_SENDER, 0)
    register(Channel.EMAIL, mail := Recorder())
    delivering.send_due(now=waiting.next_at)
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert mail.letters[0].address == "pervyi@example.org"
    assert "{" not in mail.letters[0].text


def test_a_storm_is_one_message_to_one_address(register):
    register(Channel.EMAIL, mail := Recorder())
    line, _people = a_ladder()
    for number in range(30):
        a_run(line, subject=f"incident:{number}")
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    assert len(mail.letters) == 1
    assert "(+29)" in mail.letters[0].heading
    assert Delivery.objects.filter(state=DeliveryState.SENT).count() == 30
    assert Delivery.objects.values("bundle").distinct().count() == 1


def test_a_temporary_fault_is_tried_again_and_a_lasting_one_stands_in_the_history(register):
    register(Channel.EMAIL, Recorder(*[Outcome(None, error="busy")] * (len(delivering.BACK_OFF) + 1)))
    run = a_run(a_ladder()[0])
    tick.tick(now=NOW)
    for _try in range(len(delivering.BACK_OFF) + 1):
        delivering.send_due(now=Delivery.objects.get().next_at)
    letter = Delivery.objects.get()
    assert (letter.state, letter.tries, letter.error) == (DeliveryState.FAILED, 6, "busy")
    assert run.events.get(kind=EventKind.UNSENT).details["error"] == "busy"


def test_a_sender_that_died_is_found_and_the_notice_says_that_it_may_have_arrived(register):
    register(Channel.EMAIL, Recorder())
    a_run(a_ladder()[0])
    tick.tick(now=NOW)
    Delivery.objects.update(state=DeliveryState.SENDING, claimed_until=NOW, tries=1)
    assert delivering.recover_lost(now=NOW + MINUTE) == 1
    delivering.send_due(now=NOW + MINUTE)
    letter = Delivery.objects.get()
    assert (letter.state, letter.possibly_delivered) == (DeliveryState.SENT, True)


def test_a_later_word_never_turns_a_notice_back(register):
    register(Channel.EMAIL, Recorder())
    a_run(a_ladder()[0])
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    for state in (DeliveryState.READ, DeliveryState.DELIVERED, DeliveryState.FAILED):
        assert delivering.apply_status(channel="email", external_id="id-1", state=state, now=NOW)
    assert Delivery.objects.get().state == DeliveryState.READ
    assert not delivering.apply_status(channel="email", external_id="other", state=DeliveryState.READ, now=NOW)


def test_a_step_names_its_channels_and_who_has_none_of_them_is_reached_by_another(register):
    person, other = a_colleague("odin"), a_colleague("dva")
    Contact.objects.create(staff=person, channel="sms", address="+79001112233")
    group = a_duty_group("two", [person, other])
    a_run(a_line(levels=[[("group", {"group": group, "channels": ["sms"]})]]))
    tick.tick(now=NOW)
    assert set(Delivery.objects.values_list("channel", "address")) == {("sms", "+79001112233"), ("email", "dva@example.org")}


class _Receiver(BaseHTTPRequestHandler):
    answers, got = [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(self.answers.pop(0))
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    _Receiver.answers, _Receiver.got = [], []
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/in"
    server.shutdown()
    thread.join(5)


@pytest.mark.parametrize(("status", "state"), [(204, DeliveryState.DELIVERED), (503, DeliveryState.QUEUED), (400, DeliveryState.FAILED)])
def test_another_system_is_called_with_a_signature(receiver, status, state):
    _Receiver.answers.append(status)
    hook = Hook(name="Табло", url=receiver)
    hook.set_secret("тайна")
    hook.save()
    a_run(a_line(levels=[[("webhook", {"hook": hook})]]))
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    assert Delivery.objects.get().state == state
    headers, body = _Receiver.got[0]
    assert headers[hooks.SIGNATURE] == "sha256=" + hmac.new("тайна".encode(), body, hashlib.sha256).hexdigest()
    assert json.loads(body)["subject"] == "incident:1"


# The watchman


def test_an_overdue_step_that_nobody_has_taken_raises_an_alarm_once_and_the_alarm_ends():
    owner = a_colleague("vladelets")
    line, _people = a_ladder()
    line.map.owner = owner
    line.map.save()
    run = a_run(line)
    assert watch.watch(now=NOW + timedelta(seconds=59)) == 0
    assert [watch.watch(now=NOW + timedelta(seconds=61 + n)) for n in range(3)] == [1, 0, 0]
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.run, alarm.since) == (AlarmKind.OVERDUE, run, NOW)
    assert Delivery.objects.get().address == "vladelets@example.org"
    tick.tick(now=NOW + 2 * MINUTE)
    watch.watch(now=NOW + 2 * MINUTE)
    alarm.refresh_from_db()
    assert alarm.ended_at == NOW + 2 * MINUTE


def test_what_is_taken_is_nobodys_overdue_step():
    line, people = a_ladder()
    run = a_run(line)
    tick.tick(now=NOW)
    runs.take(run_id=run.pk, by=people["pervyi"], now=NOW)
    assert watch.watch(now=NOW + timedelta(seconds=200)) == 0


def test_all_levels_called_and_nobody_there_is_an_alarm():
    a_run(a_ladder()[0])
    for minute in range(61):
        while tick.tick(now=NOW + minute * MINUTE):
            pass
    Delivery.objects.all().delete()
    watch.watch(now=NOW + 61 * MINUTE)
    assert [alarm.kind for alarm in Alarm.objects.all()] == [AlarmKind.SILENCE]


def test_notices_that_do_not_go_out_are_an_alarm(register):
    a_run(a_ladder()[0])
    tick.tick(now=NOW)
    assert watch.watch(now=NOW + 4 * MINUTE) == 0
    watch.watch(now=NOW + 6 * MINUTE)
    assert Alarm.objects.filter(kind=AlarmKind.UNSENT, ended_at=None).count() == 1


# Duty, swaps, the dry run


def test_duty_is_written_down_at_the_hand_over_itself_and_the_past_stays():
    one, two = a_colleague("odin"), a_colleague("dva")
    schedule = a_schedule(people=[one, two], starts=date(2026, 11, 1))
    start = NOW.replace(hour=12)
    duty.record_all(now=start)
    duty.record_all(now=start + 24 * HOUR)
    closed, running = DutyInterval.objects.order_by("starts_at")
    handover = NOW.replace(hour=6) + 24 * HOUR
    assert (closed.ends_at, running.starts_at, running.ends_at) == (handover, handover, None)
    schedule.layers.all().delete()
    duty.record_all(now=start + 25 * HOUR)
    assert [one.staff for one in find_past_duty(schedule, at=start + HOUR)] == [closed.staff]
    assert not find_past_duty(schedule, at=start + 26 * HOUR)


def test_an_override_of_the_past_hour_is_written_with_its_source():
    one, two = a_colleague("odin"), a_colleague("dva")
    schedule = a_schedule(people=[one])
    duty.record_all(now=NOW)
    Override.objects.create(schedule=schedule, staff=two, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    duty.record_all(now=NOW + 3 * HOUR)
    told = DutyInterval.objects.order_by("starts_at").values_list("staff", "source")
    assert list(told) == [(one.pk, "layer"), (two.pk, "override"), (one.pk, "layer")]


def test_a_swap_counts_only_once_it_is_accepted_by_the_one_who_was_asked():
    one, two = a_colleague("odin"), a_colleague("dva")
    schedule = a_schedule(people=[one])
    swap = swaps.propose(schedule=schedule, who=one, by=two, starts_at=NOW, ends_at=NOW + HOUR, now=NOW)
    line = a_line(levels=[[("schedule", {"schedule": schedule})]])
    a_run(line)
    tick.tick(now=NOW)
    assert Delivery.objects.get().staff == one
    with pytest.raises(Refusal, match=r"[Оо]тветить|answer"):
        swaps.accept(swap_id=swap.pk, by=one, now=NOW)
    assert swaps.accept(swap_id=swap.pk, by=two, now=NOW).state == SwapState.ACCEPTED
    a_run(line, subject="incident:2")
    tick.tick(now=NOW + MINUTE)
    assert Delivery.objects.order_by("pk").last().staff == two
    with pytest.raises(Refusal, match=r"уже|already"):
        swaps.decline(swap_id=swap.pk, by=two, now=NOW)


def test_a_swap_of_nobodys_shift_is_refused():
    one, two = a_colleague("odin"), a_colleague("dva")
    schedule = a_schedule(people=[one])
    for given in (
        {"who": two, "by": one, "starts_at": NOW, "ends_at": NOW + HOUR},
        {"who": one, "by": one, "starts_at": NOW, "ends_at": NOW + HOUR},
        {"who": one, "by": two, "starts_at": NOW, "ends_at": NOW - HOUR},
    ):
        with pytest.raises(Refusal):
            swaps.propose(schedule=schedule, now=NOW, **given)


def test_the_dry_run_tells_every_hole_of_the_next_two_weeks():
    one, lead = a_colleague("odin"), a_colleague("glava")
    covered = a_schedule("covered", people=[one])
    week = a_schedule("week", people=[one])
    week.layers.update(ends_on=NOW.date() + timedelta(days=6))
    led = a_schedule("led", lead=lead)
    a_line("good", levels=[[("schedule", {"schedule": covered})]])
    a_line("short", levels=[[("schedule", {"schedule": covered})], [("schedule", {"schedule": week})]])
    a_line("lead", levels=[[("schedule", {"schedule": led})]])
    a_line("none", levels=[[("wait", {"minutes": 5})]])
    found = dry_run.run(now=NOW)
    assert (found.lines, found.hole_count, found.days) == (4, 3, 14)
    holes = {hole.line.code: hole for hole in found.holes.all()}
    assert set(holes) == {"short", "lead", "none"}
    assert (holes["short"].kind, holes["short"].level) == (HoleKind.NOBODY, 2)
    assert holes["short"].starts_at == NOW.replace(hour=6) + timedelta(days=7)
    assert holes["short"].ends_at == NOW + timedelta(days=14)
    assert (holes["lead"].kind, holes["none"].kind) == (HoleKind.LEAD_ONLY, HoleKind.NO_STEPS)
    assert dry_run.run(now=NOW + HOUR).pk == found.pk


def test_nothing_is_left_of_schedules_without_anybody():
    assert dry_run.run(now=NOW).hole_count == 0
    empty = Schedule.objects.create(code="empty", name="Пусто")
    duty.record_all(now=NOW)
    a_line(levels=[[("schedule", {"schedule": empty})]])
    assert dry_run.run(now=NOW).holes.get().ends_at == NOW + timedelta(days=14)


def test_history_is_never_doubled_by_its_key():
    run = a_run(a_ladder()[0])
    tick.tick(now=NOW)
    Run.objects.filter(pk=run.pk).update(next_at=NOW, step=0, step_at=NOW)
    tick.tick(now=NOW)
    assert RunEvent.objects.filter(run=run, kind=EventKind.STEP).count() == 1
    assert Delivery.objects.count() == 1
