"""Calls from the exchange's mouth to the operator's feed, and the call back that an operator orders."""

import pytest
from django.utils import timezone

from core.refusal import Refusal
from omni.channels.telephony.tests.plays import an_exchange, play, the_calls_of_a_day
from omni.models import InboundEvent, Message, Session
from omni.services import calling
from tests import builders as b
from tests.providers.exchanges import Scene
from tests.providers.frame import Frame
from tests.providers.mango import MangoServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with Frame(MangoServer()) as frame:
        (found,) = frame.providers
        found.base = f"{frame.url}/vpbx"
        yield found


@pytest.fixture
def exchange(server):
    return an_exchange("mango", {"api_base": server.base}, vpbx_api_key=server.key, vpbx_api_salt=server.salt)


def test_a_day_of_calls(client, server, exchange):
    the_calls_of_a_day(client, *exchange, server)


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_calls_told_twice_and_out_of_order(client, server, exchange, seed):
    the_calls_of_a_day(client, *exchange, server, seed=seed, twice=True)


def test_a_forged_event_is_refused_and_not_kept(client, server, exchange):
    other = MangoServer("another key", "another secret")
    assert set(play(client, exchange[0], other, Scene())) == {403}
    assert (InboundEvent.objects.count(), Message.objects.count()) == (0, 0)
    other.stop()


def test_a_missed_call_is_called_back_from_the_dialogue(client, server, exchange):
    _account, operator = exchange
    play(client, exchange[0], server, Scene(outcome="missed"))
    session = Session.objects.get()
    assert calling.call_back(session_id=session.pk, by=operator, now=timezone.now()) == "+79001112233"
    orders = [told for told in server.accepted.after() if told["kind"] == "callback"]
    assert [(told["extension"], told["number"]) for told in orders] == [("101", "79001112233")]
    with pytest.raises(Refusal) as refused:
        calling.call_back(session_id=session.pk, by=b.a_person("other", "Другой"), now=timezone.now())
    assert refused.value.code == "no_telephone"
