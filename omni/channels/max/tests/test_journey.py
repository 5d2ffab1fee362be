"""MAX through the database: a signed webhook becomes a message, an answer reaches the guest; and with faults."""

import pytest
from django.utils import timezone

from omni.channels.max.tests.conftest import GUEST, settings_of
from omni.models import InboundEvent, Message, Session
from omni.services import answering, connections
from omni.states import EventState, SendState
from tests import builders as b
from tests.channel_checks import deliver, process_all, send_all, shuffled_and_doubled
from tests.providers.faults import Fault, FaultKind
from tests.providers.max import SECRET, TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(max_frame, server):
    return b.an_account("max", settings=settings_of(max_frame), bot_token=TOKEN, webhook_secret=SECRET)


def hear(client, account, server):
    """All events of the server go to the webhook, then the worker works."""
    events, server.events[:] = list(server.events), []
    answers = [deliver(client, account, event.body, headers=dict(event.headers)).status_code for event in events]
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
    server.guest_says("Спасибо!", id=GUEST, edit=message.external_id)
    server.guest_says(id=GUEST, delete=message.external_id)
    server.guest_says(id=GUEST, block=True)
    hear(client, account, server)
    message.refresh_from_db()
    assert (message.text, bool(message.deleted_at), bool(message.session.identity.blocked_at)) == ("Спасибо!", True, True)
    server.guest_says("Я снова тут", id=GUEST)
    hear(client, account, server)
    assert Message.objects.filter(text="Я снова тут").exists()
    assert server.violations.after() == []


def test_forged_events_are_refused(client, account, server):
    server.secret = "guessed"
    server.guest_says("впустите", id=GUEST)
    assert hear(client, account, server) == [403]
    assert InboundEvent.objects.count() == 0


def test_with_faults_nothing_is_lost_and_what_may_be_doubled_is_marked(client, account, server):
    """Doubled and reordered webhooks in, every kind of fault out. MAX knows no key of ours: after an unknown outcome it may double."""
    account.settings |= {"read_timeout": 0.3}
    account.save()
    now, guests, person = timezone.now(), range(801, 807), b.a_person()
    for number in range(36):
        server.guest_says(f"Вопрос {number}", id=guests[number % 6])
    events, server.events[:] = shuffled_and_doubled(server.events, 7), []
    assert {deliver(client, account, event.body, headers=dict(event.headers)).status_code for event in events} == {200}
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


def test_a_dropped_subscription_is_made_anew(client, account, server):
    connections.connect_webhook(account)
    server.guest_says("Где заказ?", id=GUEST)
    hear(client, account, server)
    assert connections.find_forgetting() == [account.pk]
    assert connections.renew(account.pk) is False
    server.subscriptions.clear()
    assert connections.renew(account.pk) is True
    assert [one["url"] for one in server.subscriptions] == [connections.webhook_address(account)]
