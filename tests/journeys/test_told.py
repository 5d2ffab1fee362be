"""Over the wire: a guest is told of the ticket and asked for a mark once, by mail in its thread, in the web chat, in Telegram."""

import email
import re
import uuid
from datetime import timedelta
from email import policy

import httpx
import pytest
from django.utils import timezone

from omni.channels.email.tests.builders import simple
from omni.channels.email.tests.conftest import smtp  # noqa: F401  the fixture
from omni.chat.tests import builders as c
from omni.models import Attempt, Session
from omni.services import conversations, sending
from omni.states import SessionState
from tests import builders as b
from tests.journeys.test_asking import CHAT, telegram  # noqa: F401  the fixture
from tests.providers.telegram import TOKEN
from tickets.models import Survey, SurveyRule
from tickets.services import cases, opening, surveys, telling
from tickets.states import Cause
from tickets.tests.test_guest_notices import a_text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture(autouse=True)
def _wording(transactional_db):
    a_text("opened", "Мы завели обращение {number}.")
    a_text("solved", "Обращение {number} закрыто.")
    words = {"question": "Оцените нас по {number}", "link_question": "Оцените нас: {link}", "thanks": "Спасибо!"}
    SurveyRule.objects.create(name="Оценка", delay_minutes=0, rest_days=0, **words)


def send_all():
    """Everything that is queued goes out, in its order, repeats after a fault too."""
    for _round in range(10):
        queued = list(Attempt.objects.filter(state="queued").order_by("pk").values_list("pk", "next_at"))
        for attempt_id, at in queued:
            sending.send(attempt_id, now=max(at, timezone.now()))
    assert not Attempt.objects.filter(state="queued").exists()


def tell_and_ask():
    """The sweeps run again and again; who is told and asked is so once."""
    for _again in range(3):
        now = timezone.now() + timedelta(seconds=1)
        telling.tell_due(now=now)
        surveys.ask_due(now=now)
        send_all()


def opened(session, operator):
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=timezone.now())
    conversations.close(session_id=session.pk, by=operator, now=timezone.now())
    tell_and_ask()
    return case


def close(case, operator):
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=timezone.now())
    tell_and_ask()


def close_twice(case, operator):
    """Closed, opened again, closed: nothing is said or asked a second time."""
    close(case, operator)
    cases.reopen(case_id=case.pk, by=operator, reason="Ещё раз", now=timezone.now())
    close(case, operator)


def read_mail(envelope):
    mail = email.message_from_bytes(envelope.content, policy=policy.default)
    return mail, mail.get_body(("plain",)).get_content()


def test_by_mail_in_its_thread_and_marked_by_the_link(operator, smtp, live_product):  # noqa: F811
    running = smtp()
    server = running.settings()
    settings = {"address": "help@shop.example", "smtp": {"host": server.host, "port": server.port, "tls": "none"}}
    account = b.an_account("email", settings=settings, thread_key="k" * 32)
    b.receive(account, simple("Творог просрочен", sender="ivan@mail.example", message_id="<m1@mail.example>"), now=timezone.now())
    running.sink.answers["RCPT"] = "451 4.3.0 later"
    session = Session.objects.get()
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=timezone.now())
    telling.tell_due(now=timezone.now())
    assert sending.send(Attempt.objects.get().pk, now=timezone.now()) != "sent"
    running.sink.answers.clear()
    conversations.close(session_id=session.pk, by=operator, now=timezone.now())
    tell_and_ask()
    close_twice(case, operator)
    mails = [read_mail(envelope) for envelope in running.sink.mails]
    assert [mail["To"] for mail, _text in mails] == ["ivan@mail.example"] * 3
    assert all("<m1@mail.example>" in mail["References"] for mail, _text in mails)
    texts = [text.strip() for _mail, text in mails]
    assert texts[0].startswith(f"Мы завели обращение {case.number}.")
    assert texts[1].startswith(f"Обращение {case.number} закрыто.")
    (address,) = re.findall(rf"{live_product.url}/m/\S+", texts[2])
    with httpx.Client(follow_redirects=True) as browser:
        assert browser.get(address).status_code == 200
        form = {"mark": "4", "comment": "Быстро", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        for _twice in range(2):
            assert browser.post(f"{address}give/", data=form).status_code == 200
    survey = Survey.objects.get()
    assert (survey.case_id, survey.mark, survey.comment) == (case.pk, 4, "Быстро")
    tell_and_ask()
    assert len(running.sink.mails) == 3


class Chat:
    """A visitor of the site over HTTP."""

    def __init__(self, product):
        c.a_site()
        self.http = httpx.Client(base_url=f"{product.url}/chat/", timeout=20, headers={"Origin": c.ORIGIN})
        begun = self.http.post("sessions", json={"site_key": "shop", "device_id": c.a_device()}).raise_for_status().json()
        self.http.headers["Authorization"] = f"Bearer {begun['session_token']}"

    def write(self, text):
        self.http.post("messages", json={"client_msg_id": str(uuid.uuid4()), "text": text}).raise_for_status()

    def read(self):
        return self.http.get("messages", params={"after": 0}).raise_for_status().json()["messages"]


def test_in_the_web_chat_and_marked_by_a_digit(operator, live_product):
    chat = Chat(live_product)
    chat.write("Кефир просрочен")
    case = opened(Session.objects.get(), operator)
    close_twice(case, operator)
    ours = [one for one in chat.read() if one["text"] != "Кефир просрочен"]
    told = [f"Мы завели обращение {case.number}.", f"Обращение {case.number} закрыто.", f"Оцените нас по {case.number}"]
    assert [one["text"] for one in ours] == told
    assert ours[2]["choices"] == ["5", "4", "3", "2", "1"]
    assert Session.objects.get().state == SessionState.CLOSED
    chat.write("5")
    send_all()
    survey = Survey.objects.get()
    assert (survey.case_id, survey.mark) == (case.pk, 5)
    assert [one["text"] for one in chat.read()][-2:] == ["5", "Спасибо!"]
    assert Session.objects.get().state == SessionState.CLOSED
    chat.http.close()


def test_in_telegram_each_state_once(operator, telegram):  # noqa: F811
    account = b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN, webhook_secret="hook-secret")
    body = b.telegram_update(7001, chat_id=CHAT, text="Где мой заказ?", at=int(timezone.now().timestamp()))
    telegram.guest_says(CHAT, "Где мой заказ?")
    b.receive(account, body, now=timezone.now())
    case = opened(Session.objects.get(), operator)
    close_twice(case, operator)
    said = [call["text"] for call in telegram.accepted.after()]
    assert said == [f"Мы завели обращение {case.number}.", f"Обращение {case.number} закрыто.", f"Оцените нас по {case.number}"]
    assert telegram.violations.after() == []
