"""A step of a ladder reaches a person's messenger through a real channel account."""

import pytest

from escalation.models import Contact, Delivery
from escalation.services import delivering, tick
from escalation.states import DeliveryState
from escalation.tests.builders import NOW, a_colleague, a_line, a_role, a_run
from omni.models import ChannelAccount
from tests import builders as b
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def telegram():
    server = TelegramServer(token=TOKEN)
    with Frame(server) as frame:
        server.url = frame.url
        server.change_chat({"chat_id": 77})
        yield server


@pytest.fixture
def run():
    person = a_colleague("dezhurnyi")
    Contact.objects.create(staff=person, channel="messenger", address="telegram:77")
    role = a_role("duty", staff=person)
    return a_run(a_line(levels=[[("role", {"role": role, "channels": ["messenger"]})]]))


def test_a_notice_comes_by_telegram(telegram, run):
    b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN)
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    letter = Delivery.objects.get()
    assert (letter.state, letter.channel) == (DeliveryState.SENT, "messenger"), letter.error
    (sent,) = telegram.accepted.after()
    assert "Оплата не проходит" in sent["text"]


def test_a_server_in_trouble_is_tried_again(telegram, run):
    b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN)
    telegram.faults.add(Fault(FaultKind.SERVER_ERROR))
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    assert Delivery.objects.get().state == DeliveryState.QUEUED
    delivering.send_due(now=Delivery.objects.get().next_at)
    assert (Delivery.objects.get().state, Delivery.objects.get().tries) == (DeliveryState.SENT, 2)


def test_without_an_account_the_notice_waits_and_an_unknown_messenger_too(run):
    tick.tick(now=NOW)
    delivering.send_due(now=NOW)
    assert Delivery.objects.get().state == DeliveryState.NO_SENDER
    Delivery.objects.update(address="smoke:signals", state=DeliveryState.QUEUED, next_at=NOW)
    delivering.send_due(now=NOW)
    assert Delivery.objects.get().state == DeliveryState.NO_SENDER
    assert not ChannelAccount.objects.exists()
