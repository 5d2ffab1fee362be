"""VK through the database: a signed webhook becomes a message, an answer reaches the guest, its echo moves the send; and with faults."""

import pytest
from django.utils import timezone

from customers.models import Guest
from omni.channels.vk.tests.conftest import GUEST, settings_of
from omni.models import Attempt, InboundEvent, Message, Session
from omni.services import answering
from omni.states import AccountState, Direction, EventState, SendState
from sla.models import Clock
from tests import builders as b
from tests.channel_checks import deliver, process_all, send_all, shuffled_and_doubled
from tests.providers.faults import Fault, FaultKind
from tests.providers.vk import CONFIRMATION, SECRET, TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(vk_frame, server):
    return b.an_account("vk", settings=settings_of(vk_frame), access_token=TOKEN, secret=SECRET)


def hear(client, account, server):
    """All events of the server go to the webhook, then the worker works."""
    events, server.events[:] = list(server.events), []
    answers = [deliver(client, account, event.body) for event in events]
    process_all(timezone.now())
    return answers


def test_there_and_back(client, account, server):
    now = timezone.now()
    greeting = deliver(client, account, b'{"type": "confirmation", "group_id": 200300}')
    assert (greeting.status_code, greeting.content) == (200, CONFIRMATION.encode())
    server.guest_says("Нет молока", id=GUEST)
    (answer,) = hear(client, account, server)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"ok", "text/plain")
    message = Message.objects.get()
    assert (message.text, message.session.identity.external_id) == ("Нет молока", str(GUEST))
    said = answering.answer(session_id=message.session_id, text="Привезём завтра", by=b.a_person(), now=now)
    send_all(now)
    said.refresh_from_db()
    (entry,) = server.accepted.after()
    assert (entry["text"], said.send_state, said.external_id) == ("Привезём завтра", SendState.SENT, f"{GUEST}:{entry['number']}")
    assert f"{GUEST}:{entry['reply_to']}" == message.external_id
    hear(client, account, server)  # VK's echo of it
    said.refresh_from_db()
    assert said.send_state == SendState.DELIVERED
    server.guest_says(id=GUEST, read=entry["number"])
    hear(client, account, server)
    said.refresh_from_db()
    assert said.send_state == SendState.READ
    assert server.violations.after() == []


def test_a_comment_is_answered_in_public_and_a_message_in_private(client, account, server):
    now, person = timezone.now(), b.a_person()
    server.guest_says("А хлеб будет?", id=GUEST, comment=55)
    server.guest_says("Мой номер карты 123", id=GUEST)
    hear(client, account, server)
    public, private = Session.objects.order_by("pk")
    assert public.identity != private.identity
    for session, text in ((public, "Да, завтра"), (private, "Баланс 100")):
        answering.answer(session_id=session.pk, text=text, by=person, now=now)
    send_all(now)
    assert {entry["text"]: entry["method"] for entry in server.accepted.after()} == {
        "Да, завтра": "wall.createComment",
        "Баланс 100": "messages.send",
    }


def test_forged_and_foreign_events_are_refused(client, account, server):
    server.secret = "guessed"
    server.guest_says("впустите", id=GUEST)
    (answer,) = hear(client, account, server)
    assert (answer.status_code, InboundEvent.objects.count()) == (403, 0)


def test_a_revoked_token_degrades_the_account(client, account, server):
    now = timezone.now()
    server.guest_says("Нет молока", id=GUEST)
    hear(client, account, server)
    answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=b.a_person(), now=now)
    server.faults.add(Fault(FaultKind.TOKEN_REVOKED))
    send_all(now)
    account.refresh_from_db()
    assert account.state == AccountState.DEGRADED
    assert TOKEN not in account.state_reason


def test_with_faults_nothing_is_lost_and_nothing_doubled(client, account, server, settings):
    """Doubled and reordered webhooks in, every kind of fault out: `random_id` lets VK know a repeated message."""
    account.settings |= {"read_timeout": 0.3}
    account.save()
    now, guests, person = timezone.now(), range(700800, 700806), b.a_person()
    for number in range(36):
        server.guest_says(f"Вопрос {number}", id=guests[number % 6])
    events, server.events[:] = shuffled_and_doubled(server.events, 7), []
    assert {deliver(client, account, event.body).content for event in events} == {b"ok"}
    process_all(now)
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(f"Вопрос {number}" for number in range(36))
    assert Session.objects.count() == 6
    for session in Session.objects.all():
        asked = list(session.messages.order_by("sent_at", "sequence").values_list("text", flat=True))
        assert asked == sorted(asked, key=lambda text: int(text.split()[1]))
    for kind in (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.DROPPED_AFTER_ACCEPTING):
        server.faults.add(Fault(kind, seconds=0.6), times=4)
    for kind in (FaultKind.GARBAGE_AFTER_ACCEPTING, FaultKind.TIMEOUT_AFTER_ACCEPTING, FaultKind.LATE):
        server.faults.add(Fault(kind, seconds=0.6 if kind is not FaultKind.LATE else 0.05), times=2)
    for number in range(24):
        session = Session.objects.order_by("pk")[number % 6]
        answering.answer(session_id=session.pk, text=f"Ответ {number}", by=person, now=now, over_newer=True)
    send_all(now)
    said = [entry["text"] for entry in server.accepted.after()]
    assert sorted(said) == sorted(f"Ответ {number}" for number in range(24))
    assert set(Attempt.objects.filter(message__send_state=SendState.SENT).values_list("message", flat=True)) == set(
        Message.objects.filter(text__startswith="Ответ").values_list("pk", flat=True)
    )
    for guest in guests:
        order = [entry["text"] for entry in server.accepted.after() if entry["peer_id"] == guest]
        assert order == sorted(order, key=lambda text: int(text.split()[1]))
    hear(client, account, server)
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert set(Message.objects.filter(text__startswith="Ответ").values_list("send_state", flat=True)) == {SendState.DELIVERED}
    assert server.violations.after() == []


def test_an_answer_typed_on_the_site_is_in_the_feed_and_ends_the_wait(client, account, server):
    server.guest_says("Нет молока", id=GUEST)
    hear(client, account, server)
    session = Session.objects.get()
    assert session.waiting_since
    assert Clock.objects.filter(ended_at=None).exists()
    server.guest_says("Привезём завтра", id=GUEST, staff=1001)
    hear(client, account, server)
    session.refresh_from_db()
    said = Message.objects.get(direction=Direction.OUT)
    assert (said.text, said.is_outside, said.author, said.send_state) == ("Привезём завтра", True, None, SendState.SENT)
    assert not session.waiting_since
    assert (session.unread, session.message_count) == (0, 2)
    assert not Clock.objects.filter(ended_at=None).exists()
    server.guest_says("Точно?", id=GUEST)
    hear(client, account, server)
    session.refresh_from_db()
    assert session.waiting_since
    assert server.violations.after() == []


def test_answers_typed_on_the_site_change_nothing_when_they_come_late_or_again(client, account, server):
    server.guest_says("Нет молока", id=GUEST)
    early = server.guest_says("Привезём завтра", id=GUEST, staff=1001)[0]
    server.events.remove(early)
    server.guest_says("Алло?", id=GUEST)
    hear(client, account, server)
    for _time in range(2):
        assert deliver(client, account, early.body).status_code == 200
    process_all(timezone.now())
    session = Session.objects.get()
    assert list(session.messages.order_by("sent_at", "sequence").values_list("text", flat=True)) == [
        "Нет молока", "Привезём завтра", "Алло?",
    ]  # fmt: skip
    assert session.waiting_since, "the guest has written after that answer"
    server.guest_says("Кому-то ещё", id=999, staff=1001)
    hear(client, account, server)
    assert Session.objects.count() == 1
    assert Guest.objects.count() == 1
