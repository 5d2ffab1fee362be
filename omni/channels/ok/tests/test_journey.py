"""Odnoklassniki through the database: a signed webhook becomes a message, an answer reaches the guest; and with faults."""

import pytest
from django.utils import timezone

from core.models import AuditEntry
from omni.channels.ok.tests.conftest import GUEST, SECRET, settings_of
from omni.models import InboundEvent, Message, Session
from omni.services import answering, connections
from omni.states import AccountState, EventState, SendState
from tests import builders as b
from tests.channel_checks import deliver, process_all, send_all, shuffled_and_doubled
from tests.providers.faults import Fault, FaultKind
from tests.providers.ok import TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(ok_frame, server):
    return b.an_account("ok", settings=settings_of(ok_frame), access_token=TOKEN, webhook_secret=SECRET)


def hear(client, account, server):
    """All events of the server go to the webhook, then the worker works."""
    events, server.events[:] = list(server.events), []
    answers = [deliver(client, account, event.body, query=f"secret={SECRET}").status_code for event in events]
    process_all(timezone.now())
    return answers


def test_there_and_back(client, account, server):
    now = timezone.now()
    server.guest_says("Где заказ?", id=GUEST)
    assert hear(client, account, server) == [200]
    message = Message.objects.get()
    assert (message.text, message.session.identity.display_name) == ("Где заказ?", "Анна Демо")
    said = answering.answer(session_id=message.session_id, text="Уже едет", by=b.a_person(), now=now)
    send_all(now)
    said.refresh_from_db()
    (entry,) = server.accepted.after()
    assert (entry["text"], entry["reply_to"]) == ("Уже едет", message.external_id)
    assert (said.send_state, said.external_id) == (SendState.SENT, entry["mid"])
    server.guest_says("Спасибо!", id=GUEST, reply_to=entry["mid"])
    hear(client, account, server)
    assert Message.objects.filter(text="Спасибо!", session=message.session, reply_to=entry["mid"]).exists()
    assert server.violations.after() == []


def test_a_guest_who_closed_his_messages_is_marked(client, account, server):
    now = timezone.now()
    server.guest_says("Где заказ?", id=GUEST)
    hear(client, account, server)
    said = answering.answer(session_id=Session.objects.get().pk, text="Уже едет", by=b.a_person(), now=now)
    server.guest_says(id=GUEST, block=True)
    send_all(now)
    said.refresh_from_db()
    assert (said.send_state, bool(Session.objects.get().identity.blocked_at)) == (SendState.FAILED, True)


@pytest.mark.parametrize("query", ["", "secret=guessed"])
def test_who_does_not_know_the_address_is_refused(client, account, server, query):
    (event,) = server.guest_says("впустите", id=GUEST)
    assert deliver(client, account, event.body, query=query).status_code == 403
    assert InboundEvent.objects.count() == 0


def test_with_faults_nothing_is_lost_and_what_may_be_doubled_is_marked(client, account, server):
    """Doubled and reordered webhooks in, every kind of fault out. No key of ours is known there: after an unknown outcome it may double."""
    account.settings |= {"read_timeout": 0.3}
    account.save()
    now, guests, person = timezone.now(), range(801, 807), b.a_person()
    for number in range(36):
        server.guest_says(f"Вопрос {number}", id=guests[number % 6])
    events, server.events[:] = shuffled_and_doubled(server.events, 7), []
    assert {deliver(client, account, event.body, query=f"secret={SECRET}").status_code for event in events} == {200}
    process_all(now)
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"Вопрос {number}" for number in range(36))
    for session in Session.objects.all():
        asked = list(session.messages.order_by("sent_at", "sequence").values_list("text", flat=True))
        assert asked == sorted(asked, key=lambda text: int(text.split()[1]))
    for kind in (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING):
        server.faults.add(Fault(kind, seconds=1), times=4)
    for kind in (FaultKind.GARBAGE_AFTER_ACCEPTING, FaultKind.TIMEOUT_AFTER_ACCEPTING, FaultKind.LATE):
        server.faults.add(Fault(kind, seconds=0.6 if kind is not FaultKind.LATE else 0.05), times=2)
    for number in range(24):
        session = Session.objects.order_by("pk")[number % 6]
        answering.answer(session_id=session.pk, text=f"Ответ {number}", by=person, now=now, over_newer=True)
    send_all(now)
    said = [entry["text"] for entry in server.accepted.after()]
    answers = Message.objects.filter(text__startswith="Ответ")
    assert set(said) == {f"Ответ {number}" for number in range(24)}
    doubled = {text for text in said if said.count(text) > 1}
    assert doubled <= set(answers.filter(possibly_delivered=True).values_list("text", flat=True))
    assert set(answers.values_list("send_state", flat=True)) == {SendState.SENT}
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert server.violations.after() == []


def test_a_forgotten_subscription_is_made_anew(client, account, server):
    assert connections.find_forgetting() == [], "nothing has ever come from there"
    connections.connect_webhook(account)
    server.guest_says("Где заказ?", id=GUEST)
    hear(client, account, server)
    assert connections.find_forgetting() == [account.pk]
    assert connections.renew(account.pk) is False
    before = dict(server.subscriptions)
    server.subscriptions.clear()
    assert connections.renew(account.pk) is True
    assert server.subscriptions.keys() == before.keys()
    assert AuditEntry.objects.filter(action="account.webhook_renewed").count() == 1
    server.faults.add(Fault(FaultKind.SERVER_ERROR), times=2)
    assert connections.renew(account.pk) is False
    account.state = AccountState.DISABLED
    account.save()
    assert connections.find_forgetting() == []
    assert server.violations.after() == []
