"""Webhooks over real HTTP: stored before understood, once, whatever is sent and however often."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from omni.models import InboundEvent, Message, Session
from omni.services import journal
from omni.states import EventState
from tests import builders as b

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}


@pytest.fixture
def account(live_product):
    return b.an_account()


@pytest.fixture
def address(live_product, account):
    return f"{live_product.url}/hooks/telegram/{account.public_id}/"


def post(address, body, headers=SECRET):
    with httpx.Client(timeout=30) as client:
        return client.post(address, content=body, headers={"Content-Type": "application/json", **headers})


def process_all():
    from django.utils import timezone

    for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).values_list("pk", flat=True):
        journal.process(event_id, now=timezone.now())


def post_all(address, bodies):
    with ThreadPoolExecutor(20) as pool:
        return [answer.status_code for answer in pool.map(lambda body: post(address, body), bodies)]


def process_in_parallel():
    from django.db import connection
    from django.utils import timezone

    def work(event_id):
        try:
            journal.process(event_id, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, InboundEvent.objects.values_list("pk", flat=True)))


def test_a_hundred_equal_webhooks_at_once_make_one_message(address):
    assert set(post_all(address, [b.telegram_update(1)] * 100)) == {200}
    process_in_parallel()
    assert (InboundEvent.objects.count(), Message.objects.count()) == (1, 1)


def test_fifty_first_messages_of_a_new_guest_make_one_session(address):
    bodies = [b.telegram_update(number, text=f"Сообщение {number}") for number in range(1, 51)]
    assert set(post_all(address, bodies)) == {200}
    process_in_parallel()
    process_all()  # a process that found the guest's row locked by another leaves nothing behind
    assert (Session.objects.count(), Message.objects.count()) == (1, 50)
    assert sorted(Message.objects.values_list("seq", flat=True)) == list(range(1, 51))


def test_a_wrong_secret_is_refused_and_nothing_is_kept(address):
    assert post(address, b.telegram_update(1), {"X-Telegram-Bot-Api-Secret-Token": "guessed"}).status_code == 403
    assert post(address, b.telegram_update(1), {}).status_code == 403
    assert InboundEvent.objects.count() == 0


def test_two_megabytes_of_nonsense_are_answered_and_shown_cut(address):
    assert post(address, b"\xff\x00nonsense" * 220_000).status_code == 200
    event = InboundEvent.objects.get()
    assert event.state == EventState.UNREADABLE
    assert len(event.body) == 1024 * 1024
    assert "over the limit" in event.reason


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b'{"update_id": "x"', "{}".encode("utf-16")])
def test_what_is_no_update_is_kept_and_answered(address, body):
    assert post(address, body).status_code == 200
    process_all()
    event = InboundEvent.objects.get()
    assert event.state in {EventState.UNREADABLE, EventState.IGNORED}
    assert event.reason
    assert bytes(event.body) == body


def test_an_unknown_kind_of_update_is_kept_as_not_for_us(address):
    assert post(address, json.dumps({"update_id": 5, "telepathy": {"x": 1}}).encode()).status_code == 200
    process_all()
    assert InboundEvent.objects.get().state == EventState.IGNORED


def test_an_unknown_account_is_answered_so_that_nobody_repeats_for_hours(live_product):
    address = f"{live_product.url}/hooks/telegram/00000000-0000-0000-0000-000000000001/"
    assert post(address, b.telegram_update(1)).status_code == 200


def test_replaying_everything_changes_nothing(address):
    post_all(address, [b.telegram_update(number) for number in range(1, 6)])
    process_all()
    before = list(Message.objects.order_by("pk").values_list("pk", "text", "seq"))
    ids = list(InboundEvent.objects.values_list("pk", flat=True))
    from django.utils import timezone

    assert journal.replay(event_ids=ids, by=b.a_person(), now=timezone.now()) == {"processed": 5}
    assert list(Message.objects.order_by("pk").values_list("pk", "text", "seq")) == before


def test_a_fault_of_ours_leaves_the_event_to_be_tried_again(address, monkeypatch):
    from django.utils import timezone

    from omni.services import conversations

    post(address, b.telegram_update(1))

    def fall(**_kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(conversations, "add_inbound", fall)
    process_all()
    event = InboundEvent.objects.get()
    assert (event.state, event.tries, Message.objects.count()) == (EventState.RECEIVED, 1, 0)
    assert "disk full" in event.reason
    monkeypatch.undo()
    journal.process(event.pk, now=timezone.now())
    assert Message.objects.count() == 1


def test_a_body_in_chunks_is_read_and_capped_though_it_announces_no_length(address, settings):
    said = b.telegram_update(5)
    assert post(address, iter([said[:10], said[10:]])).status_code == 200
    process_all()
    assert Message.objects.count() == 1
    assert post(address, (b"x" * 65536 for _number in range(40))).status_code == 200
    kept = InboundEvent.objects.get(state=EventState.UNREADABLE)
    assert len(kept.body) == settings.WEBHOOK_BODY_LIMIT


@pytest.mark.parametrize(("networks", "status"), [(["127.0.0.0/8"], 200), (["217.20.145.192/28"], 403), (["nonsense"], 403), ([], 200)])
def test_only_addresses_that_the_account_allows_deliver(address, account, networks, status):
    account.settings = {**account.settings, "allowed_from": networks}
    account.save()
    assert post(address, b.telegram_update(1)).status_code == status
    assert InboundEvent.objects.count() == (status == 200)
