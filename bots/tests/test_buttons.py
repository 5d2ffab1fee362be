"""A bot's buttons in the channels' own form, on the wire to each provider's server, which checks them; a press is the choice."""

from dataclasses import dataclass

import pytest
from django.utils import timezone

from bots.models import Run
from bots.services import talking
from bots.states import RunState
from bots.tests import builders as bots
from omni.channels.facebook.tests import conftest as facebook
from omni.channels.max.tests import conftest as max_
from omni.channels.ok.tests import conftest as ok
from omni.channels.viber.tests import conftest as viber
from omni.channels.vk.tests import conftest as vk
from omni.channels.whatsapp.tests import conftest as whatsapp
from omni.models import InboundEvent, Message, Session
from omni.services import journal
from omni.states import Direction, SendState
from tests import builders as b
from tests.channel_checks import deliver, process_all, send_all
from tests.providers import facebook as facebook_server
from tests.providers import max as max_server
from tests.providers import ok as ok_server
from tests.providers import viber as viber_server
from tests.providers import vk as vk_server
from tests.providers import whatsapp as whatsapp_server
from tests.providers.frame import Frame

pytestmark = pytest.mark.django_db

MENU = ["Где мой заказ", "Баланс баллов", "Активировать карту", "Часы работы магазина", "Задать вопрос", "Оператор"]


@dataclass(frozen=True)
class Wire:
    """A channel: its server, settings and secrets of an account, whether a press names the message, the query of our address."""

    server: type
    settings: object
    secrets: dict
    named: bool = False
    query: str = ""


WIRES = {
    "viber": Wire(viber_server.ViberServer, viber.settings_of, viber.SECRETS),
    "max": Wire(max_server.MaxServer, max_.settings_of, {"bot_token": max_server.TOKEN, "webhook_secret": max_server.SECRET}, named=True),
    "whatsapp": Wire(whatsapp_server.WhatsAppServer, whatsapp.settings_of, whatsapp.SECRETS, named=True),
    "ok": Wire(
        ok_server.OkServer, ok.settings_of, {"access_token": ok_server.TOKEN, "webhook_secret": ok.SECRET}, True, f"secret={ok.SECRET}"
    ),
    "vk": Wire(vk_server.VkServer, vk.settings_of, {"access_token": vk_server.TOKEN, "secret": vk_server.SECRET}),
    "facebook": Wire(facebook_server.FacebookServer, facebook.settings_of, facebook.SECRETS),
}


class Play:
    """A guest, our webhook, the worker and the sender, one after the other."""

    def __init__(self, kind, server, frame, client):
        self.kind, self.wire, self.server, self.client = kind, WIRES[kind], server, client
        self.account = bots.an_account_with_a_bot(kind, settings=self.wire.settings(frame), **self.wire.secrets)

    def says(self, text="", **what):
        """What the guest does; the provider's entries of what we sent then."""
        seen = len(self.server.accepted.after())
        self.server.guest_says(text, **what)
        events, self.server.events[:] = list(self.server.events), []
        for event in events:
            assert deliver(self.client, self.account, event.body, headers=dict(event.headers), query=self.wire.query).status_code == 200
        now = timezone.now()
        process_all(now)
        for turn in talking.find_due(now=now):
            talking.answer(turn, now=now)
        send_all(now)
        return self.server.accepted.after()[seen:]

    def taps(self, label, entry):
        return self.says(tap=label, **({"reply_to": entry.get("mid") or entry["id"]} if self.wire.named else {}))


@pytest.fixture(params=list(WIRES))
def play(request, client):
    server = WIRES[request.param].server(pauses=(0.01,))
    with Frame(server) as frame:
        bots.shipped_dialogues()
        b.a_store()
        yield Play(request.param, server, frame, client)


def test_the_menu_is_buttons_and_a_press_is_the_choice(play):
    (menu,) = play.says("Добрый день")
    assert menu["choices"] == MENU
    assert "1." not in menu["text"]
    asked, *rest = [entry for entry in play.taps("Часы работы магазина", menu) if "text" in entry]
    assert "номер магазина" in asked["text"]
    assert rest == []
    pressed = Message.objects.filter(direction=Direction.IN).latest("pk")
    assert pressed.text == "Часы работы магазина"
    said = [entry for entry in play.says("4217") if "text" in entry]
    assert said[0]["text"].startswith("Москва, Лесная ул., 12: с 08:00 до 22:00")
    play.taps("Оператор", said[-1])
    assert Run.objects.get().state == RunState.HANDED
    assert Session.objects.get().waiting_since
    assert not Message.objects.filter(direction=Direction.OUT).exclude(send_state__in=[SendState.SENT, SendState.DELIVERED]).exists()
    assert play.server.violations.after() == []


@pytest.mark.parametrize("play", ["whatsapp"], indirect=True)
def test_three_short_answers_are_reply_buttons_in_whatsapp(play):
    (menu,) = play.says("Добрый день")
    assert menu["type"] == "interactive"
    rows = play.server.sent[menu["id"]]["content"]
    assert rows["type"] == "list"
    (_asked,) = play.taps("Часы работы магазина", menu)
    assert play.server.sent[_asked["id"]]["content"]["type"] == "button"
    assert _asked["choices"] == ["Оператор"]


@pytest.mark.parametrize("play", ["facebook"], indirect=True)
def test_labels_over_the_limit_become_numbers(play):
    """Messenger's titles have 20 characters."""
    steps = [{"code": "menu", "kind": "menu", "text": "Что?", "ways": [
        {"to": "end", "label": "Про акции, купоны и карту гостя"}, {"to": "end", "label": "Другое"}
    ]}, {"code": "end", "kind": "end", "text": "Пока"}]  # fmt: skip
    bots.a_dialogue(steps, timezone.now(), code="long", start="menu", operator_label="Оператор")
    play.account.answers_first = "long"
    play.account.save()
    (menu,) = play.says("Добрый день")
    assert menu["choices"] == []
    assert "1. Про акции, купоны и карту гостя\n2. Другое" in menu["text"]
    (bye,) = play.says("2")
    assert bye["text"] == "Пока"


@pytest.mark.parametrize(("play", "what"), [("vk", {"comment": 55}), ("facebook", {"comment": True})], indirect=["play"])
def test_who_speaks_in_public_is_left_to_people(play, what):
    assert play.says("Где мой заказ 123?", **what) == []
    assert not Run.objects.exists()
    assert Session.objects.get().waiting_since
    (menu,) = play.says("Добрый день")
    assert menu["choices"] == MENU
    assert "comment" not in menu["text"]
    assert Run.objects.get().session.messages.count() == 2


@pytest.mark.parametrize("play", ["max"], indirect=True)
def test_a_press_in_max_is_answered_at_once(play):
    (menu,) = play.says("Добрый день")
    play.taps("Баланс баллов", menu)
    journal.acknowledge(InboundEvent.objects.latest("pk").pk)
    entry = play.server.accepted.after()[-1]
    assert (entry["method"], entry["callback_id"], entry["notification"]) == ("POST /answers", "kb1", "Баланс баллов")
    assert play.server.violations.after() == []
