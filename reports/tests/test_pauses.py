"""A clock that stands while the guest writes is reported: on the page by group, in the file one by one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.rights import Right
from omni.models import Message, Session
from reports.pauses import overlaps, question
from sla.models import ClockPause
from tests import builders as b
from tickets.services import cases, opening
from tickets.states import CaseState

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def parked(now):
    """A ticket that waits for a supplier since two hours ago; the guest wrote an hour ago."""
    person = b.a_person(groups=[b.a_group(), b.a_group("quality", "=Качество")])
    account = b.an_account("webchat")
    b.receive(account, b.webchat_event(), now=now - 3 * HOUR)
    case = opening.open_ticket(session_id=Session.objects.get().pk, topic=b.a_topic(), by=person, now=now - 3 * HOUR)
    cases.take(case_id=case.pk, by=person, now=now - 3 * HOUR)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_THIRD, by=person, now=now - 2 * HOUR)
    b.receive(account, b.webchat_event(text="Ну что там?"), now=now - HOUR)
    Message.objects.filter(text="Ну что там?").update(received_at=now - HOUR)
    Message.objects.exclude(text="Ну что там?").update(received_at=now - 3 * HOUR)
    return case


def found(now):
    return list(overlaps(since=(now - 2 * HOUR).date(), until=now.date(), zone="UTC", now=now))


def test_a_pause_with_a_message_in_it_is_found_once_for_all_its_clocks(parked, now):
    assert ClockPause.objects.count() >= 1
    (one,) = found(now)
    assert (one.number, one.reason, one.ends_at, one.messages) == (parked.number, "waiting_third", None, 1)
    assert (one.starts_at, one.wrote_at) == (now - 2 * HOUR, now - HOUR)


@pytest.mark.parametrize(("wrote", "ended", "seen"), [(2.5, None, 0), (1, 1.5, 0), (1, 0.5, 1), (1, None, 1)])
def test_only_what_came_inside_the_pause_counts(parked, now, wrote, ended, seen):
    Message.objects.filter(text="Ну что там?").update(received_at=now - wrote * HOUR)
    ClockPause.objects.update(ends_at=now - ended * HOUR if ended else None)
    assert len(found(now)) == seen
    if seen and ended:
        assert found(now)[0].hidden_seconds == 1800


def test_the_page_and_the_file_say_the_same(parked, now):
    boss = b.a_person("boss", role=b.a_role("reader", [Right.REPORTS]))
    client = Client()
    client.force_login(boss)
    period = {"since": (now - 2 * HOUR).date().isoformat(), "until": now.date().isoformat()}
    assert parked.number in client.get("/reports/pauses/", period).content.decode()
    lines = b"".join(client.get("/reports/pauses.csv", period).streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("number;group")
    assert lines[1].split(";")[:2] == [parked.number, "'=Качество"]
    assert len(lines) == 2
    assert client.get("/reports/pauses.csv", {"since": "гм"}).status_code == 400
    client.force_login(b.a_person("nobody", role=b.a_role("empty", [])))
    assert client.get("/reports/pauses/").status_code == 403


def test_the_pauses_of_a_day_are_found_by_their_index_among_those_of_years(parked, now):
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into sla_clockpause (clock_id, starts_at, ends_at, reason)"
            " select (select min(id) from sla_clock), %s - n * interval '1 hour', %s, 'waiting_third' from generate_series(48, 20000) n",
            [now, now],
        )
        cursor.execute("analyze sla_clockpause")
        sql, values = question(since=(now - 2 * HOUR).date(), until=now.date(), zone="UTC", now=now)
        cursor.execute(f"explain {sql}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "clock_pause_begun" in plan
    assert "Seq Scan on sla_clockpause" not in plan
    assert len(found(now)) == 1
