"""A guest of WhatsApp through the database to an operator and back, with faults on both ways."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from customers.models import Identity
from omni.channels.whatsapp.tests.conftest import SECRETS, settings_of
from omni.delivery import story_of
from omni.models import Attempt, InboundEvent, Message, Session
from omni.services import answering, connections, sending
from omni.states import Direction, EventState, SendState
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(whatsapp_frame, server):
    return b.an_account("whatsapp", settings=settings_of(whatsapp_frame, read_timeout=1), **SECRETS)


def hear(client, account, events):
    for event in events:
        assert checks.deliver(client, account, event.body, headers=event.headers).status_code == 200
    checks.process_all(timezone.now())


def answer(session, text, person):
    return answering.answer(session_id=session.pk, text=text, by=person, now=timezone.now(), over_newer=True)


def test_question_answer_and_receipts(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    asked = Message.objects.get()
    assert (asked.text, asked.session.guest.name, asked.session.guest.phone) == ("Где кефир?", "Анна", "+79001112233")
    reply = answer(asked.session, "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    (entry,) = server.accepted.after()
    assert (entry["text"], entry["reply_to"], entry["key"]) == ("Уже везём", asked.external_id, str(reply.public_id))
    states = []
    for status in ("read", "delivered", "sent"):  # the provider keeps no order
        hear(client, account, [server.status(entry["id"], status)])
        states.append(Message.objects.get(pk=reply.pk).send_state)
    assert states == [SendState.READ] * 3
    assert server.violations.after() == []


def test_a_failure_told_later_is_shown(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    hear(client, account, [server.status(server.accepted.after()[0]["id"], "failed", 131026)])
    reply.refresh_from_db()
    assert reply.send_state == SendState.FAILED
    assert "131026" in reply.send_error
    with translation.override("en"):
        (told,) = story_of(reply, now=timezone.now()).tries
    assert told.said == "The channel refused it for good."


def send_due():
    for attempt_id in sending.find_due(now=timezone.now()):
        sending.send(attempt_id, now=timezone.now())


def test_a_send_whose_answer_was_lost_is_known_by_our_key_and_not_repeated(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="messages"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    send_due()
    (entry,) = server.accepted.after()
    doubtful, repeat = Attempt.objects.order_by("number")
    assert (doubtful.possibly_delivered, repeat.state) == (True, SendState.QUEUED)
    assert repeat.next_at - doubtful.finished_at >= timedelta(seconds=15), "Meta's word is waited for"
    hear(client, account, [server.status(entry["id"], "sent"), server.status(entry["id"], "delivered")])
    send_due()
    assert len(server.accepted.after()) == 1, "nothing goes out twice"
    reply.refresh_from_db()
    assert (reply.send_state, reply.possibly_delivered, reply.external_id) == (SendState.DELIVERED, False, entry["id"])
    hear(client, account, [server.status(entry["id"], "read")])
    reply.refresh_from_db()
    assert reply.send_state == SendState.READ


def test_a_word_of_a_send_after_its_repeat_has_begun_belongs_to_nobody(client, server, account):
    """With a third try to come nobody could tell which part it is."""
    hear(client, account, server.guest_says("Где кефир?"))
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="messages"))
    answer(Session.objects.get(), "Уже везём", b.a_person())
    send_due()
    Attempt.objects.filter(number=2).update(state=SendState.SENDING)
    hear(client, account, [server.status(server.accepted.after()[0]["id"], "sent")])
    assert Attempt.objects.get(number=1).external_ids == []


def test_a_send_given_up_whose_fate_is_told_after_all(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    Attempt.objects.update(tries=6)
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="messages"))
    send_due()
    reply.refresh_from_db()
    assert (reply.send_state, reply.possibly_delivered) == (SendState.FAILED, True)
    hear(client, account, [server.status(server.accepted.after()[0]["id"], "delivered")])
    reply.refresh_from_db()
    assert (reply.send_state, reply.possibly_delivered) == (SendState.DELIVERED, False)


def test_edit_and_revoke_change_the_message(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    key = Message.objects.get().external_id
    hear(client, account, server.guest_says("Где ряженка?", edit=key))
    assert Message.objects.get().text == "Где ряженка?"
    hear(client, account, server.guest_says(revoke=key))
    assert Message.objects.get().deleted_at is not None


def test_handshake_and_forgeries_at_the_view(client, server, account):
    query = "hub.mode=subscribe&hub.verify_token={}&hub.challenge=42"
    address = f"/hooks/whatsapp/{account.public_id}/?"
    good = client.get(address + query.format(SECRETS["verify_token"]))
    assert (good.status_code, good.content, good.headers["Content-Type"]) == (200, b"42", "text/plain; charset=utf-8")
    assert client.get(address + query.format("guess")).status_code == 403
    assert client.get(address).status_code == 403
    (event,) = server.guest_says("Где кефир?")
    assert checks.deliver(client, account, event.body + b" ", headers=event.headers).status_code == 403
    assert checks.deliver(client, account, event.body).status_code == 403
    assert InboundEvent.objects.count() == 0


def test_a_guest_who_hides_the_number_later_stays_the_same(client, server, account):
    hear(client, account, server.guest_says("Раз"))
    hear(client, account, server.guest_says("Два", no_phone=True))
    identity = Identity.objects.get()
    assert (identity.external_id, identity.address) == ("RU.79001112233", "RU.79001112233")
    answer(Session.objects.get(), "Ответ", b.a_person())
    checks.send_all(timezone.now())
    assert server.accepted.after()[0]["to"] == "RU.79001112233"
    assert server.violations.after() == []


def test_a_guest_who_changes_the_number_stays_the_same(client, server, account):
    hear(client, account, server.guest_says("Раз", id="79001112277", no_user_id=True))
    assert Identity.objects.get().external_id == "79001112277"
    notice = server.guest_moves("79001112277", "79001112288")
    hear(client, account, [notice])
    hear(client, account, [notice])
    hear(client, account, server.guest_says("Два", id="79001112288", no_user_id=True))
    identity, session = Identity.objects.get(), Session.objects.get()
    assert (identity.external_id, identity.address, identity.phone) == ("79001112288", "79001112288", "+79001112288")
    assert identity.guest.phone == "+79001112288"
    lines = Message.objects.filter(session=session, direction=Direction.SYSTEM).values_list("text", flat=True)
    assert list(lines) == ["гость сменил номер: был 79001112277, теперь 79001112288"]
    answer(session, "Ответ", b.a_person())
    checks.send_all(timezone.now())
    assert server.accepted.after()[0]["to"] == "79001112288"


def test_of_a_guest_with_a_user_id_only_the_address_changes(client, server, account):
    hear(client, account, server.guest_says("Раз"))
    hear(client, account, [server.guest_moves("79001112233", "79001112288", user_id="RU.79001112233")])
    identity = Identity.objects.get()
    assert (identity.external_id, identity.address, identity.phone) == ("RU.79001112233", "79001112288", "+79001112288")


def test_a_new_number_that_has_written_before_is_left_to_people(client, server, account):
    for number, text in (("79001112277", "Раз"), ("79001112288", "Два")):
        hear(client, account, server.guest_says(text, id=number, no_user_id=True))
    hear(client, account, [server.guest_moves("79001112277", "79001112288")])
    old, new = Identity.objects.order_by("pk")
    assert (old.external_id, new.external_id) == ("79001112277", "79001112288")
    assert old.guest_id != new.guest_id
    assert (old.phone, new.phone) == ("+79001112288", "+79001112288"), "by which they are offered as one person"


KINDS = (
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR,
    FaultKind.GARBAGE,
    FaultKind.LATE,
    FaultKind.DROPPED_AFTER_ACCEPTING,
    FaultKind.GARBAGE_AFTER_ACCEPTING,
)


def test_faults_on_both_ways_lose_nothing_and_double_only_what_is_marked(client, server, account):
    guests = [f"7900111{number:04}" for number in range(6)]
    asked = [(f"Вопрос {number}", number % 6) for number in range(36)]
    events = [event for text, which in asked for event in server.guest_says(text, id=guests[which], name=f"Гость {which}")]
    hear(client, account, checks.shuffled_and_doubled(events, seed=7))
    assert {row.state for row in InboundEvent.objects.all()} == {EventState.PROCESSED}
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"Вопрос {number}" for number in range(36))
    assert Session.objects.count() == 6
    person, sessions = b.a_person(), list(Session.objects.order_by("pk"))
    for kind in random.Random(9).choices(KINDS, k=30):
        server.faults.add(Fault(kind, seconds=0.01, method="messages"))
    for number in range(36):
        answer(sessions[number % 6], f"Ответ {number}", person)
    checks.send_all(timezone.now())
    assert server.faults.waiting() == [], "every fault had its turn"
    arrived = [entry["text"] for entry in server.accepted.after()]
    assert set(arrived) == {f"Ответ {number}" for number in range(36)}, "none is lost"
    doubled = {text for text in arrived if arrived.count(text) > 1}
    marked = set(Message.objects.filter(direction=Direction.OUT, possibly_delivered=True).values_list("text", flat=True))
    assert doubled <= marked, "what came twice is marked as possibly delivered"
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.SENT}
    for session in sessions:
        said = [int(text.split()[1]) for text in arrived if int(text.split()[1]) % 6 == sessions.index(session)]
        assert said == sorted(said), "in the order in which they were written"
    statuses = [server.status(entry["id"], status) for entry in server.accepted.after() for status in ("sent", "delivered", "read")]
    hear(client, account, checks.shuffled_and_doubled(statuses, seed=8))
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.READ}
    assert not Attempt.objects.filter(state__in=[SendState.QUEUED, SendState.SENDING]).exists()
    assert server.violations.after() == []


@pytest.mark.django_db(transaction=True)
def test_over_real_http(live_product, server, whatsapp_frame):
    """Meta tries our address, delivers there and tells the fate of the answer by itself."""
    account = b.an_account("whatsapp", settings=settings_of(whatsapp_frame), **SECRETS | {"verify_token": "chosen by us"})
    assert connections.connect_webhook(account) == server.callback
    for event in server.guest_says("Где кефир?"):
        assert server.deliver(event)["statuses"] == [200]
    checks.process_all(timezone.now())
    server.receipts = ("sent", "delivered")
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    server.deliveries.wait_for(3)
    checks.process_all(timezone.now())
    reply.refresh_from_db()
    assert reply.send_state == SendState.DELIVERED
    assert [finding.works for finding in connections.check(account)] == [True, True]
    assert server.violations.after() == []
