"""Calls from the exchange's mouth to the operator's feed."""

import pytest

from omni.channels.telephony.tests.plays import an_exchange, play, the_calls_of_a_day
from omni.models import InboundEvent, Message
from tests.providers.exchanges import Scene, UisExchange

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    made = UisExchange()
    yield made
    made.stop()


@pytest.fixture
def exchange(server):
    return an_exchange("uis", webhook_secret=server.secret)


def test_a_day_of_calls(client, server, exchange):
    the_calls_of_a_day(client, *exchange, server)


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_calls_told_twice_and_out_of_order(client, server, exchange, seed):
    the_calls_of_a_day(client, *exchange, server, seed=seed, twice=True)


def test_a_forged_event_is_refused_and_not_kept(client, server, exchange):
    other = type(server)("another secret")
    assert set(play(client, exchange[0], other, Scene())) == {403}
    assert (InboundEvent.objects.count(), Message.objects.count()) == (0, 0)
    other.stop()
