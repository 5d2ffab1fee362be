"""A guest played over the real wire: the product's own entrances, the provider servers, an operator who answers by the services."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.conf import settings as settings_
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from bots.services import talking
from core.embedded.waiting import wait_until
from customers.models import Guest
from demo.channels import ALL
from demo.guests import OWN
from demo.management.commands import guest as guest_command
from demo.services import addresses, people
from omni.models import Attempt, Call, ChannelAccount, InboundEvent, Message, Session
from omni.services import answering, exchanges, journal, mailboxes, polling, sending
from omni.states import EventState, SendState, SessionState
from tests import builders as b
from tests import shipped
from tests.providers.asterisk import AsteriskServer
from tests.providers.channels import SERVERS
from tests.providers.frame import Frame
from tests.providers.mail import MailServers
from tests.providers.played import CALLS, NOTICES, REVIEWS, WAYS, PlayedGuests
from tests.providers.telegram import TelegramServer

pytestmark = pytest.mark.django_db(transaction=True)


BOTS = sorted(name for name, channel in ALL.items() if channel.bot)
ANSWERED = sorted(kind for kind, way in WAYS.items() if way.to and way.group not in (CALLS, NOTICES) and kind not in BOTS)
CHATS = sorted(kind for kind in ANSWERED if WAYS[kind].group != REVIEWS)
CALLED = sorted(kind for kind, way in WAYS.items() if way.group == CALLS)
UNANSWERED = sorted(kind for kind, way in WAYS.items() if not way.to and way.group != CALLS)


@pytest.fixture
def outside(live_product, settings, tmp_path):
    """The product with the demo's accounts, and their provider servers as demo.json describes them."""
    settings.VAR_DIR = tmp_path
    shipped.load()
    mail, asterisk = MailServers(), AsteriskServer()
    with Frame(mail, asterisk) as frame:
        ari_port = int(asterisk.ari_url.rpartition(":")[2])
        where = addresses.Addresses(live_product.url, frame.url, mail.smtp_port, mail.imap_port, ari_port)
        people.make_accounts(where)
        facts = addresses.read(addresses.tell(where, []))
        mail.password, asterisk.password = facts["mail"]["password"], facts["channels"]["asterisk"]["secrets"]["password"]
        telegram = TelegramServer(facts["telegram"]["token"])
        telegram.webhook.register({"url": facts["telegram"]["webhook"], "secret_token": facts["telegram"]["secret"]})
        servers = [server.built(facts["channels"][kind]) for kind, server in SERVERS.items() if kind != "asterisk"]
        for server in servers:
            server.start(frame.url)
        frame.providers = (mail, asterisk, telegram, *servers, PlayedGuests([*servers, asterisk]))
        yield frame


@pytest.fixture
def desk(outside):
    """An operator who answers whoever waits, and what fetches, listens and asks."""
    stop = threading.Event()
    accounts = {account.kind: account for account in ChannelAccount.objects.all()}
    for account in accounts.values():
        if "poll_seconds" in account.settings:
            ChannelAccount.objects.filter(pk=account.pk).update(settings={**account.settings, "poll_seconds": 0.2})
    reader = mailboxes.Reader(accounts["email"].pk, stop)
    threads = [
        threading.Thread(target=reader.run),
        threading.Thread(target=exchanges.listen, args=(accounts["asterisk"].pk, stop)),
        threading.Thread(target=_answer_all, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def _answer_all(stop):
    operator = b.a_person(groups=[b.a_group("chats")])
    try:
        while not stop.wait(0.05):
            for account_id in polling.find_due(now=timezone.now()):
                polling.poll(account_id, now=timezone.now())
            for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).values_list("pk", flat=True):
                journal.process(event_id, now=timezone.now())
            for session in Session.objects.filter(waiting_since__isnull=False).exclude(state=SessionState.CLOSED):
                if session.account.kind in (*ANSWERED, *OWN):
                    _answer(session, operator)
    finally:
        connection.close()


def _answer(session, operator):
    said = session.messages.filter(direction="in").order_by("-seq")[0]
    text = f"Здравствуйте! Вы написали: {(said.visible_text or said.text).strip()}"
    message = answering.answer(session_id=session.pk, text=text, by=operator, now=timezone.now(), over_newer=True)
    Attempt.objects.filter(message=message).update(next_at=timezone.now())
    assert sending.send(message.attempts.get().pk, now=timezone.now()) == SendState.SENT


def said(**options):
    out = StringIO()
    call_command("guest", stdout=out, **{"wait": 60, **options})
    return out.getvalue()


@pytest.mark.parametrize("channel", sorted(OWN))
def test_a_guest_writes_and_is_answered_and_goes_on(desk, channel):
    assert "Operator: Здравствуйте! Вы написали: Где заказ?" in said(channel=channel, text="Где заказ?", name="Мария")
    assert "Вы написали: Спасибо!" in said(channel=channel, text="Спасибо!", name="Мария", again=True)
    session = Session.objects.get()
    assert session.guest.name == ("" if channel in ("webchat", "mobile") else "Мария")  # a chat asks for no name
    said(channel=channel, text="Другой вопрос", name="Пётр")
    assert Session.objects.count() == 2


def all_say(channels, **options):
    """What was printed in each channel, all guests at once."""
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(channels, pool.map(lambda channel: said(channel=channel, name="Мария", **options), channels), strict=True))


def test_a_guest_of_every_channel_is_answered(desk, outside):
    printed = all_say(ANSWERED, text="Где заказ?")
    # A review's stars stand before its words.
    assert {channel: text for channel, text in printed.items() if not re.search("Вы написали: .*Где заказ", text)} == {}
    assert sorted(Session.objects.values_list("account__kind", flat=True)) == ANSWERED
    # Events of Facebook and VK tell no names.
    named = Guest.objects.exclude(identities__channel__in=["facebook", "vk"]).values_list("name", flat=True)
    assert {name.split(" ")[0] for name in named} == {"Мария"}
    sent = Message.objects.filter(direction="out", send_state__in=[SendState.SENT, SendState.DELIVERED, SendState.READ])
    assert wait_until(lambda: sent.count() == len(ANSWERED), seconds=30)
    assert [violations(outside, channel) for channel in ANSWERED] == [[]] * len(ANSWERED)


def test_a_guest_of_every_chat_goes_on(desk):
    all_say(CHATS, text="Где заказ?")
    printed = all_say(CHATS, text="Спасибо!", again=True)
    assert {channel: text for channel, text in printed.items() if "Вы написали: Спасибо!" not in text} == {}
    assert sorted(Session.objects.values_list("account__kind", flat=True)) == CHATS


def test_a_guest_is_served_by_the_bot_s_buttons(outside):
    """No operator is there: the bot answers in its account, and in no other."""
    said(channel="max_bot", text="Добрый день", wait=0)
    said(channel="max", text="Добрый день", wait=0)
    with httpx.Client(base_url=f"{outside.url}/phone/", timeout=10) as phone:
        guest = json.loads((Path(settings_.VAR_DIR) / "guest-max_bot.json").read_text())["id"]
        menu = talked(phone, guest)[-1]
        assert "Часы работы магазина" in menu["choices"]
        tap = {"channel": "max_bot", "id": guest, "tap": "Часы работы магазина", "reply_to": menu["id"]}
        assert phone.post("say", json=tap).json()["taken"]
        shown = talked(phone, guest)
    assert [message["own"] for message in shown] == [True, False, True, False]
    assert shown[2]["text"] == "Часы работы магазина"
    assert "номер магазина" in shown[3]["text"]
    assert Session.objects.get(waiting_since__isnull=False).account.settings.get("demo_as") is None
    assert Session.objects.get(waiting_since=None).queue.code == "demo-bot"
    assert violations(outside, "max_bot") == []


def talked(phone, guest):
    """The worker's part, then both sides of the talk."""
    now = timezone.now()
    for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).values_list("pk", flat=True):
        journal.process(event_id, now=now)
    for turn in talking.find_due(now=timezone.now()):
        talking.answer(turn, now=timezone.now())
    for attempt_id in sending.find_due(now=timezone.now()):
        sending.send(attempt_id, now=timezone.now())
    return phone.get("talk", params={"channel": "max_bot", "id": guest}).json()["messages"]


def test_a_review_that_cannot_be_answered_comes_in(desk):
    printed = all_say(UNANSWERED, text="Кассиры вежливые")
    assert all("brings no answers back" in text for text in printed.values())
    assert wait_until(lambda: Message.objects.filter(text__contains="Кассиры вежливые").count() == len(UNANSWERED), seconds=30)
    assert sorted(Session.objects.values_list("account__kind", flat=True)) == UNANSWERED


def test_a_guest_calls_every_exchange(desk, outside):
    all_say(CALLED, text="missed", wait=0)
    assert wait_until(lambda: Call.objects.filter(ended_at__isnull=False).count() == len(CALLED), seconds=30)
    assert sorted(Session.objects.values_list("account__kind", flat=True)) == CALLED
    assert [violations(outside, channel) for channel in CALLED] == [[]] * len(CALLED)


def test_nobody_writes_through_a_channel_of_notices(outside):
    with pytest.raises(CommandError, match="Nobody can write"):
        said(channel="smsc", text="x")


def test_every_channel_can_be_played():
    assert sorted([*OWN, *ANSWERED, *BOTS, *UNANSWERED, *CALLED]) == guest_command.CHANNELS


def violations(outside, channel):
    return httpx.get(f"{outside.url}/_control/{channel}/violations", timeout=10).json()


def test_nobody_answers(outside):
    with pytest.raises(SystemExit) as ended:
        said(text="Есть кто?", wait=0.3)
    assert ended.value.code == 2
    assert wait_until(lambda: InboundEvent.objects.exists(), seconds=5)


def test_without_waiting(outside):
    assert said(text="Добрый день", wait=0).strip() == "Анна: Добрый день"


@pytest.mark.parametrize("channel", ["telegram", "webchat", "email"])
def test_a_product_that_does_not_run_is_told_in_a_sentence(settings, tmp_path, channel):
    settings.VAR_DIR = tmp_path
    with pytest.raises(CommandError, match=r"no demo\.json"):
        said(channel=channel, text="x")
    facts = {
        "product": "http://127.0.0.1:1",
        "providers": "http://127.0.0.1:1",
        "site_key": "k",
        "mail": {"address": "a@b.example", "smtp_port": 1},
    }
    (tmp_path / addresses.FILE).write_text(json.dumps(facts))
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:1 .*manage\.py up"):
        said(channel=channel, text="x")
