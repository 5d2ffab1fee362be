"""Over the wire: a letter of SMTP brings the store to its page; a guest in Telegram marks the work by a button; a chat by a digit."""

import email
import re
from email import policy

import httpx
import pytest
from django.utils import timezone

from core.embedded.waiting import wait_until
from omni.channels.email.tests.conftest import smtp  # noqa: F401  the fixture
from omni.models import Message, Session
from omni.services import conversations
from omni.states import SessionState
from tests import builders as b
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.telegram import TOKEN, TelegramServer
from tickets.models import CaseLetter, CaseStep, StoreLink, Survey, SurveyRule
from tickets.services import cases, mailing, opening, store_links, surveys
from tickets.states import Cause, Step
from tickets.tests.asking_builders import a_store_case

pytestmark = pytest.mark.django_db(transaction=True)
CHAT = 555000222


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


def a_mailbox(running):
    server = running.settings()
    settings = {"address": "otvet@lukoshko.example", "smtp": {"host": server.host, "port": server.port, "tls": "none"}}
    return b.an_account("email", settings=settings, thread_key="k" * 32)


def test_a_letter_brings_the_store_to_its_page_and_the_answer_to_the_feed(operator, smtp, live_product):  # noqa: F811
    now, running = timezone.now(), smtp()
    a_mailbox(running)
    case = a_store_case(operator, now=now)
    running.sink.answers["RCPT"] = "451 4.3.0 later"
    store_links.sweep(now=now)
    mailing.send_due(now=now)
    assert CaseLetter.objects.get().error
    running.sink.answers.clear()
    mailing.send_due(now=CaseLetter.objects.get().next_at)
    (envelope,) = running.sink.mails
    mail = email.message_from_bytes(envelope.content, policy=policy.default)
    assert (mail["To"], envelope.rcpt_tos) == ("m4217@lukoshko.example", ["m4217@lukoshko.example"])
    (address,) = re.findall(rf"{live_product.url}/s/\S+", mail.get_body(("plain",)).get_content())
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(address)
        assert page.status_code == 200
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        assert "123-45-67" not in page.text
        form = {"words": "Списали", "signed": "Ирина", "deed": "answer", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        done = browser.post(f"{address}answer/", data=form, files={"files": ("полка.png", PIXEL, "image/png")})
    assert "Списали" in done.text
    assert "<textarea" not in done.text
    note = Message.objects.get(direction="note")
    assert (note.attachments.get().mime, note.attachments.get().name) == ("image/png", "полка.png")
    assert StoreLink.objects.get().word == "answered"
    case.refresh_from_db()
    assert not case.at_store


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture
def telegram():
    server = TelegramServer(token=TOKEN, pauses=(0.05, 0.1))
    with Frame(server) as frame:
        server.url = frame.url
        yield server


def answered(telegram, count):
    assert wait_until(lambda: len(telegram.accepted.after()) >= count, seconds=30), telegram.accepted.after()
    return telegram.accepted.after()[:count]


def closed_case_of(session, operator):
    now = timezone.now()
    conversations.take(session_id=session.pk, by=operator, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)
    conversations.close(session_id=session.pk, by=operator, now=now)
    return cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=now)


def test_a_guest_marks_the_work_by_a_button_in_telegram(operator, telegram, live_product, worker_process):
    account = b.an_account(settings={"api_base": telegram.url}, bot_token=TOKEN, webhook_secret="hook-secret")
    telegram.webhook.url, telegram.webhook.secret = f"{live_product.url}/hooks/telegram/{account.public_id}/", "hook-secret"
    texts = {"question": "Оцените нас", "link_question": "{link}", "comment_question": "Что улучшить?", "thanks": "Спасибо!"}
    SurveyRule.objects.create(name="Оценка", delay_minutes=0, **texts)
    telegram.guest_says(CHAT, "Где мой заказ?")
    assert wait_until(lambda: Session.objects.filter(state=SessionState.WAITING).exists(), seconds=20)
    case = closed_case_of(Session.objects.get(), operator)
    telegram.faults.add(Fault(FaultKind.SERVER_ERROR))
    surveys.ask_due(now=timezone.now())
    (question,) = answered(telegram, 1)
    assert [row[0]["text"] for row in question["reply_markup"]["keyboard"]] == ["5", "4", "3", "2", "1"]
    telegram.guest_says(CHAT, "5")
    (_question, wanted) = answered(telegram, 2)
    assert (wanted["text"], wanted["reply_markup"]) == ("Что улучшить?", {"remove_keyboard": True})
    telegram.guest_says(CHAT, "Всё понравилось")
    assert answered(telegram, 3)[2]["text"] == "Спасибо!"
    survey = Survey.objects.get(case=case)
    assert (survey.mark, survey.comment) == (5, "Всё понравилось")
    assert Session.objects.get().state == SessionState.CLOSED
    assert CaseStep.objects.filter(case=case, step=Step.RATED).count() == 1
    assert telegram.violations.after() == []
