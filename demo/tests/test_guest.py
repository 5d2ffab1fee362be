"""A guest played over the real wire: the product's own entrances, the provider servers, an operator who answers by the services."""

import json
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from core.embedded.waiting import wait_until
from demo.services import addresses, people
from omni.models import Attempt, ChannelAccount, InboundEvent, Session
from omni.services import answering, journal, mailboxes, sending
from omni.states import EventState, SendState, SessionState
from tests import builders as b
from tests.providers.frame import Frame
from tests.providers.mail import MailServers
from tests.providers.telegram import TelegramServer
from tickets.services import defaults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outside(live_product, settings, tmp_path):
    """The product with the demo's accounts, and their provider servers."""
    settings.VAR_DIR = tmp_path
    defaults.load(now=timezone.now())
    mail = MailServers()
    with Frame(mail) as mails:
        where = addresses.Addresses(live_product.url, mails.url, mail.smtp_port, mail.imap_port)
        people.make_accounts(where)
        secrets = {account.kind: account.config().secrets for account in ChannelAccount.objects.all()}
        telegram = TelegramServer(secrets["telegram"]["bot_token"])
        mails.providers = (*mails.providers, telegram)
        mail.password = secrets["email"]["imap_password"]
        addresses.tell(where, [])
        facts = addresses.read(tmp_path / addresses.FILE)
        telegram.webhook.register({"url": facts["telegram"]["webhook"], "secret_token": facts["telegram"]["secret"]})
        yield mails


@pytest.fixture
def desk(outside):
    """An operator who answers whoever waits, and the mail fetcher."""
    stop = threading.Event()
    account = ChannelAccount.objects.get(kind="email")
    threads = [threading.Thread(target=mailboxes.Reader(account.pk, stop).run), threading.Thread(target=_answer_all, args=(stop,))]
    ChannelAccount.objects.filter(pk=account.pk).update(settings={**account.settings, "poll_seconds": 0.1})
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
            for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).values_list("pk", flat=True):
                journal.process(event_id, now=timezone.now())
            for session in Session.objects.filter(waiting_since__isnull=False).exclude(state=SessionState.CLOSED):
                said = session.messages.filter(direction="in").order_by("-seq")[0]
                text = f"Здравствуйте! Вы написали: {(said.visible_text or said.text).strip()}"
                message = answering.answer(session_id=session.pk, text=text, by=operator, now=timezone.now(), over_newer=True)
                Attempt.objects.filter(message=message).update(next_at=timezone.now())
                assert sending.send(message.attempts.get().pk, now=timezone.now()) == SendState.SENT
    finally:
        connection.close()


def said(**options):
    out = StringIO()
    call_command("guest", stdout=out, **{"wait": 20, **options})
    return out.getvalue()


@pytest.mark.parametrize("channel", ["telegram", "webchat", "email"])
def test_a_guest_writes_and_is_answered_and_goes_on(desk, channel):
    assert "Operator: Здравствуйте! Вы написали: Где заказ?" in said(channel=channel, text="Где заказ?", name="Мария")
    assert "Вы написали: Спасибо!" in said(channel=channel, text="Спасибо!", name="Мария", again=True)
    session = Session.objects.get()
    assert session.guest.name == ("" if channel == "webchat" else "Мария")  # a chat asks for no name
    said(channel=channel, text="Другой вопрос", name="Пётр")
    assert Session.objects.count() == 2


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
