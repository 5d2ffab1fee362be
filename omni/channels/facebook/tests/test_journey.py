"""Guests of Messenger and of the page's feed through the database to an operator and back, with faults on both ways."""

import random

import pytest
from django.utils import timezone

from omni.channels.facebook.tests.conftest import GUEST, SECRETS, settings_of
from omni.models import InboundEvent, Message, Session
from omni.services import answering, sending
from omni.states import Direction, EventState, SendState
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(facebook_frame, server):
    return b.an_account("facebook", settings=settings_of(facebook_frame, read_timeout=1), **SECRETS)


def hear(client, account, events):
    for event in events:
        assert checks.deliver(client, account, event.body, headers=event.headers).status_code == 200
    checks.process_all(timezone.now())


def answer(session, text, person):
    return answering.answer(session_id=session.pk, text=text, by=person, now=timezone.now(), over_newer=True)


def test_question_answer_and_receipt(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    (entry,) = server.accepted.after()
    assert (entry["text"], entry["to"], entry["key"]) == ("Уже везём", GUEST, str(reply.public_id))
    hear(client, account, [server.echo(entry["id"]), server.receipt([entry["id"]])])
    reply.refresh_from_db()
    assert reply.send_state == SendState.DELIVERED
    assert Message.objects.count() == 2, "our own words come back and are not shown twice"
    assert server.violations.after() == []


def test_an_echo_tells_of_a_send_whose_answer_was_lost(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="messages"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    for _time in range(2):
        for attempt_id in sending.find_due(now=timezone.now()):
            sending.send(attempt_id, now=timezone.now())
        hear(client, account, [server.echo(entry["id"]) for entry in server.accepted.after()])
    reply.refresh_from_db()
    assert (reply.send_state, reply.possibly_delivered) == (SendState.SENT, False)
    assert len(server.accepted.after()) == 1, "nothing goes out twice"


def test_a_comment_its_answer_edit_and_removal(client, server, account):
    hear(client, account, server.guest_says("Где кефир?", comment=True))
    message = Message.objects.get()
    assert message.session.guest.name == "Анна"
    answer(message.session, "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    (entry,) = server.accepted.after()
    assert (entry["comment"], entry["text"]) == (message.external_id, "Уже везём")
    hear(client, account, [server.change(entry["id"], "add")])
    hear(client, account, server.guest_says("Где ряженка?", comment=True, edit=message.external_id))
    hear(client, account, server.guest_says(remove=message.external_id))
    message.refresh_from_db()
    assert message.text == "Где ряженка?"
    assert message.deleted_at is not None
    assert Message.objects.count() == 2


def test_talk_and_comments_of_one_person_do_not_mix(client, server, account):
    hear(client, account, [*server.guest_says("В личку"), *server.guest_says("На стене", comment=True)])
    assert Session.objects.count() == 2
    for session in Session.objects.all():
        answer(session, f"Ответ {session.pk}", b.a_person(login=f"p{session.pk}"))
    checks.send_all(timezone.now())
    assert sorted(bool(entry["comment"]) for entry in server.accepted.after()) == [False, True]


def test_handshake_and_forgeries_at_the_view(client, server, account):
    query = "hub.mode=subscribe&hub.verify_token={}&hub.challenge=42"
    address = f"/hooks/facebook/{account.public_id}/?"
    assert client.get(address + query.format(SECRETS["verify_token"])).content == b"42"
    assert client.get(address + query.format("guess")).status_code == 403
    (event,) = server.guest_says("Где кефир?")
    assert checks.deliver(client, account, event.body + b" ", headers=event.headers).status_code == 403
    assert InboundEvent.objects.count() == 0


KINDS = (
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR,
    FaultKind.GARBAGE,
    FaultKind.LATE,
    FaultKind.DROPPED_AFTER_ACCEPTING,
    FaultKind.GARBAGE_AFTER_ACCEPTING,
)


def test_faults_on_both_ways_lose_nothing_and_double_only_what_is_marked(client, server, account):
    asked = [(f"Вопрос {number}", number % 6) for number in range(36)]
    events = [event for text, which in asked for event in server.guest_says(text, id=f"2470000{which}", comment=which > 3)]
    hear(client, account, checks.shuffled_and_doubled(events, seed=7))
    assert {row.state for row in InboundEvent.objects.all()} == {EventState.PROCESSED}
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(text for text, _ in asked)
    assert Session.objects.count() == 6
    person, sessions = b.a_person(), list(Session.objects.order_by("pk"))
    for kind in random.Random(9).choices(KINDS, k=30):
        server.faults.add(Fault(kind, seconds=0.01))
    for number in range(36):
        answer(sessions[number % 6], f"Ответ {number}", person)
    checks.send_all(timezone.now())
    assert server.faults.waiting() == [], "every fault had its turn"
    arrived = [entry["text"] for entry in server.accepted.after()]
    assert set(arrived) == {f"Ответ {number}" for number in range(36)}, "none is lost"
    doubled = {text for text in arrived if arrived.count(text) > 1}
    marked = set(Message.objects.filter(direction=Direction.OUT, possibly_delivered=True).values_list("text", flat=True))
    assert doubled <= marked, "what came twice is marked as possibly delivered"
    for which in range(6):
        said = [int(text.split()[1]) for text in arrived if int(text.split()[1]) % 6 == which]
        assert said == sorted(said), "in the order in which they were written"
    talks = [entry["id"] for entry in server.accepted.after() if not entry["comment"]]
    hear(client, account, checks.shuffled_and_doubled([server.receipt([mid]) for mid in talks], seed=8))
    states = Message.objects.filter(direction=Direction.OUT)
    assert states.filter(send_state=SendState.DELIVERED).count() == 24
    assert states.filter(send_state=SendState.SENT).count() == 12, "comments have no receipts"
    assert server.violations.after() == []


def test_what_has_been_read_is_marked_up_to_the_watermark(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    session, person = Session.objects.get(), b.a_person()
    first, second = answer(session, "Везём", person), answer(session, "Уже близко", person)
    checks.send_all(timezone.now())
    mids = [entry["id"] for entry in server.accepted.after()]
    hear(client, account, [server.receipt(mids)])
    other = answer(Session.objects.get(), "Пока", person)
    hear(client, account, [server.receipt(mids, "read")])
    states = dict(Message.objects.filter(direction=Direction.OUT).values_list("text", "send_state"))
    assert states == {"Везём": SendState.READ, "Уже близко": SendState.READ, "Пока": SendState.QUEUED}
    assert (first.session_id, second.session_id, other.session_id) == (session.pk,) * 3
    assert server.violations.after() == []


def test_a_reading_of_one_guest_is_not_another_s(client, server, account):
    person = b.a_person()
    for guest in ("24700000001", "24700000002"):
        hear(client, account, server.guest_says("Где кефир?", id=guest))
        answer(Session.objects.latest("pk"), f"Ответ {guest}", person)
    checks.send_all(timezone.now())
    entry = server.accepted.after()[0]
    hear(client, account, [server.receipt([entry["id"]], "read")])
    read = Message.objects.filter(send_state=SendState.READ).values_list("text", flat=True)
    assert list(read) == [entry["text"]]


def test_an_answer_from_meta_s_inbox_is_in_the_feed(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    hear(client, account, server.guest_says("Уже везём", staff=True))
    said = Message.objects.get(direction=Direction.OUT)
    assert (said.text, said.is_outside, said.send_state) == ("Уже везём", True, SendState.SENT)
    assert Session.objects.get().waiting_since is None
