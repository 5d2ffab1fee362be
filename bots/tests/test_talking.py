"""Talks with guests on the real database: each word is answered once, and a person comes when one is wanted."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from bots.models import Run, SkillUse, Turn, Version
from bots.services import scripts, talking
from bots.skills import registry
from bots.states import RunState, TurnState
from bots.tests import builders as bots
from core import shipped
from customers.models import Identity
from knowledge.services import defaults as articles
from loyalty.models import Card
from loyalty.services import cards
from omni.channels.contract import Failed, Inbound, InboundKind, Sent
from omni.channels.viber.adapter import ViberAdapter
from omni.models import Attempt, Message, MessageChoices, Session
from omni.services import conversations, distribution, inbound, sending
from omni.states import Direction, SendState, SessionState
from orders.services import importing
from orders.types import Told
from sla.models import Clock
from sla.services import clocks
from stores.models import Chain
from tests import builders as b
from worklist.models import Item
from worklist.states import ItemState

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def account(db):
    b.a_topic("card-activation", parent=b.a_topic("loyalty"))
    bots.shipped_dialogues()
    return bots.an_account_with_a_bot()


def out():
    return list(Message.objects.filter(direction=Direction.OUT).order_by("pk"))


def test_a_greeting_is_answered_by_the_menu_and_nobody_is_given_the_dialogue(account):
    operator = b.a_person(groups=[b.a_group()])
    b.go_on_line(operator, now=NOW)
    (text,) = bots.say(account, "Привет", NOW)
    assert "бот-помощник" in text
    session = Session.objects.get()
    assert (session.state, session.responder, session.waiting_since, session.unread) == (SessionState.WAITING, "welcome", None, 1)
    assert Item.objects.get(kind="session").state == ItemState.ANSWERED
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 0
    assert not Clock.objects.exists()
    message = out()[0]
    assert (message.author, message.is_automatic, message.send_state) == (None, True, SendState.QUEUED)
    assert MessageChoices.objects.get(message=message).labels == [
        "Где мой заказ", "Баланс баллов", "Активировать карту", "Часы работы магазина", "Задать вопрос", "Оператор",
    ]  # fmt: skip
    assert Attempt.objects.get().message == message


def test_hours_of_a_store(account):
    b.a_store()
    bots.say(account, "Привет", NOW)
    assert bots.say(account, "до скольки работает магазин", NOW) == ["Напишите номер магазина или улицу, на которой он стоит."]
    first, second = bots.say(account, "лесная", NOW)
    assert first.startswith("Москва, Лесная ул., 12: с 08:00 до 22:00, ")
    assert second == "Помочь чем-то ещё?"
    assert SkillUse.objects.get().outcome == "done"


def test_an_article_answers_a_whole_sentence_at_once(account):
    articles.load(shipped.Shipment(now=NOW, known=set()))
    first, second = bots.say(account, "потеряла чек, что теперь делать", NOW)
    assert first.startswith("Копию чека можно найти")
    assert second == "Это помогло?"
    assert bots.say(account, "да, спасибо", NOW) == ["Рад был помочь. Если что-то понадобится, просто напишите."]
    assert Session.objects.get().state == SessionState.CLOSED
    assert Run.objects.get().state == RunState.DONE
    (greeting,) = bots.say(account, "Здравствуйте", NOW + timedelta(minutes=1))
    assert greeting.startswith("Здравствуйте!"), "whoever comes back begins anew"


def test_orders_are_told_after_the_telephone_was_shared(account):
    importing.load([Told("own", "A-77", "in_delivery", NOW, NOW, phone="+79161234567", total=Decimal(900))], by=None, now=NOW)
    (asked,) = bots.say(account, "где мой заказ", NOW)
    assert "Поделиться номером" in asked
    assert MessageChoices.objects.get(message=out()[-1]).asks_phone
    first, again = bots.say(account, "+79161234567", NOW)
    assert "A-77" not in first + again, "a number that anybody can write opens nothing"
    told, more = bots.share_phone(account, NOW)
    assert "A-77" in told
    assert more == "Помочь чем-то ещё?"


def test_a_card_is_activated_for_whoever_is_known_and_guessing_ends_at_a_person(account):
    chain = Chain.objects.create(code="lukoshko", name="Лукошко")
    cards.issue_card(number="7700001234", chain=chain, now=NOW)
    bots.say(account, "активировать карту", NOW)
    assert bots.share_phone(account, NOW) == ["Напишите номер карты: цифры на лицевой стороне."]
    assert bots.say(account, "7700009999", NOW) == ["Карты с таким номером я не нашёл.", "Напишите номер карты: цифры на лицевой стороне."]
    assert bots.say(account, "77 0000 1234", NOW)[0].startswith("Готово, карта активирована")
    guest = Session.objects.get().guest
    assert Card.objects.get().wallet.guest == guest
    assert bots.say(account, "Главное меню", NOW)[0].startswith("Здравствуйте")
    assert "0 баллов" in bots.say(account, "2", NOW)[0]
    for wrong in range(4):
        SkillUse.objects.create(run=Run.objects.get(), guest=guest, skill="card", outcome="unknown", at=NOW - timedelta(hours=wrong))
    bots.say(account, "меню", NOW)
    bots.say(account, "активировать карту", NOW)
    assert bots.say(account, "7700001234", NOW) == ["Номер снова не подошёл. Зову оператора, он проверит карту."]
    assert Session.objects.get().topics == ["card-activation", "loyalty"]


def test_an_operator_comes_with_a_summary_and_the_clock_starts(account):
    operator, later = b.a_person(groups=[b.a_group()]), NOW + timedelta(minutes=3)
    b.go_on_line(operator, now=later)
    bots.say(account, "Привет", NOW)
    bots.say(account, "Активировать карту", NOW)
    assert bots.say(account, "дайте оператора", later) == ["Зову оператора. Он увидит наш разговор, повторять ничего не нужно."]
    session = Session.objects.get()
    assert (session.state, session.owner, session.responder, session.waiting_since) == (SessionState.ACTIVE, operator, "", later)
    assert Clock.objects.get().metric == "first_response"
    note = Message.objects.get(direction=Direction.NOTE)
    assert note.text == "Бот «Помощник в чате»: гость попросил оператора.\nВыбрано: Активировать карту"
    assert session.topics == ["card-activation", "loyalty"]
    assert MessageChoices.objects.get(message=out()[-1]).labels == [], "the buttons go away"
    assert bots.say(account, "вы тут?", later) == [], "from now on a person answers"
    assert Run.objects.get().state == RunState.HANDED


def test_an_operator_may_step_in(account):
    bots.say(account, "Привет", NOW)
    session, operator = Session.objects.get(), b.a_person(groups=[b.a_group()])
    conversations.take(session_id=session.pk, by=operator, now=NOW)
    assert bots.say(account, "баланс", NOW) == []
    session.refresh_from_db()
    assert (session.responder, session.owner) == ("", operator)
    assert Run.objects.get().state == RunState.TAKEN
    conversations.give_back(session_id=session.pk, by=operator, now=NOW)
    assert bots.say(account, "ау", NOW) == [], "who was with a person is not given to a machine again"
    assert Item.objects.get(kind="session").state == ItemState.WAITING


def test_a_step_in_between_a_word_and_its_answer(account):
    bots.say(account, "Привет", NOW)
    b.receive(account, b.telegram_update(7, text="баланс", at=int(NOW.timestamp())), now=NOW)
    conversations.take(session_id=Session.objects.get().pk, by=b.a_person(groups=[b.a_group()]), now=NOW)
    assert bots.answer_all(NOW) == []
    assert Turn.objects.order_by("-pk").first().state == TurnState.SKIPPED


def test_outside_working_hours_a_message_is_taken(account):
    night = NOW.replace(hour=20, minute=0)  # 23:00 in Moscow
    calendar = account.queue.policy.calendar
    b.WorkingInterval.objects.filter(calendar=calendar).update(starts=b.time(9), ends=b.time(18))
    clocks.forget_hours()
    (said,) = bots.say(account, "оператор", night)
    assert "начнут завтра в 09:00" in said
    assert Session.objects.get().responder == "welcome"
    (taken,) = bots.say(account, "У меня прокис кефир", night)
    assert taken.startswith("Спасибо, записал")
    session = Session.objects.get()
    assert (session.responder, session.waiting_since) == ("", night)
    assert "оставил сообщение" in Message.objects.get(direction=Direction.NOTE).text


def test_silence_ends_the_talk(account):
    bots.say(account, "Привет", NOW)
    run = Run.objects.get()
    assert talking.find_silent(now=NOW + timedelta(minutes=29)) == []
    later = NOW + timedelta(minutes=31)
    assert talking.find_silent(now=later) == [run.pk]
    assert talking.end_silent(run.pk, now=later) == RunState.SILENT
    assert talking.end_silent(run.pk, now=later) is None
    assert Session.objects.get().state == SessionState.CLOSED


def test_a_file_comes_to_a_person(account):
    bots.say(account, "Привет", NOW)
    person = {"id": 555000111, "is_bot": False, "first_name": "Анна"}
    photo = [{"file_id": "f", "width": 1, "height": 1}]
    message = {
        "message_id": 5,
        "date": 1,
        "from": person,
        "chat": {"id": 555000111, "type": "private"},
        "photo": photo,
        "caption": "смотрите",
    }
    b.receive(account, json.dumps({"update_id": 5, "message": message}).encode(), now=NOW)
    bots.answer_all(NOW)
    assert Session.objects.get().responder == ""
    assert "прислал файл" in Message.objects.get(direction=Direction.NOTE).text


def test_a_skill_that_fails_leaves_the_guest_to_a_person(account, monkeypatch):
    def broken(asking, values):
        raise ZeroDivisionError

    monkeypatch.setitem(registry.SKILLS, "stores", type(registry.SKILLS["stores"])("stores", "x", {}, broken))
    bots.say(account, "часы работы", NOW)
    bots.say(account, "4217", NOW)
    assert Run.objects.get().state == RunState.HANDED
    assert SkillUse.objects.get().outcome == "failed"


def test_a_script_that_cannot_be_read_is_tried_again_and_then_left_to_a_person(account):
    bots.say(account, "Привет", NOW)
    run = Run.objects.get()
    type(run.version).objects.update(script={"steps": "broken"})
    b.receive(account, b.telegram_update(8, text="1", at=int(NOW.timestamp())), now=NOW)
    at = NOW
    for _try in range(10):
        for turn in talking.find_due(now=at):
            talking.answer(turn, now=at)
        at += timedelta(seconds=31)
    assert Run.objects.get().state == RunState.HANDED
    assert Session.objects.get().waiting_since is not None


def test_a_word_that_never_arrives_brings_a_person(account, django_capture_on_commit_callbacks):
    bots.say(account, "Привет", NOW)
    attempt = Attempt.objects.get()
    Attempt.objects.update(state=SendState.SENDING)
    with django_capture_on_commit_callbacks(execute=True):
        sending.finish(attempt_id=attempt.pk, result=Failed("rejected", "no"), now=NOW)
    session = Session.objects.get()
    assert (session.responder, session.waiting_since is not None) == ("", True)


def test_a_word_that_the_channel_took_and_then_lost_brings_a_person(account, django_capture_on_commit_callbacks):
    bots.say(account, "Привет", NOW)
    attempt = Attempt.objects.get()
    Attempt.objects.update(state=SendState.SENDING)
    sending.finish(attempt_id=attempt.pk, result=Sent(("555000111:9",)), now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        sending.apply_status(account=account, external_id="555000111:9", state="failed", error="gone", now=NOW)
    session = Session.objects.get()
    assert (session.responder, session.waiting_since is not None) == ("", True)


def test_a_talk_that_never_ends_is_left_to_a_person(account):
    bots.say(account, "Привет", NOW)
    Version.objects.update(most_turns=5)
    b.a_store()
    for wish in ("часы работы", "Лесная", "вопрос", "вернуть молоко", "Главное меню"):
        bots.say(account, wish, NOW)
    assert Run.objects.get().turns_done == 6
    assert "затянулся" in Message.objects.get(direction=Direction.NOTE).text


@pytest.mark.parametrize("hello", ["Добрый день, подскажите пожалуйста", "/start", "Здравствуйте!!!", "привет привет привет привет"])
def test_greetings_are_answered_by_the_menu(account, hello):
    assert bots.say(account, hello, NOW)[0].startswith("Здравствуйте! Я бот-помощник.")


def test_numbers_where_the_channel_has_no_buttons(account, monkeypatch):
    monkeypatch.setattr(ViberAdapter, "capabilities", replace(ViberAdapter.capabilities, keyboards=()))
    viber = bots.an_account_with_a_bot("viber")

    def write(number, text):
        item = Inbound(kind=InboundKind.MESSAGE, external_id=number, guest_external_id="42", sent_at=NOW, text=text)
        inbound.apply(account=viber, item=item, now=NOW)
        return bots.answer_all(NOW)

    (text,) = write("1", "Привет")
    lines = ["1. Где мой заказ", "2. Баланс баллов", "3. Активировать карту", "4. Часы работы магазина", "5. Задать вопрос", "0. Оператор"]
    assert text.endswith("\n".join(lines))
    (text,) = write("2", "2")
    assert "не могу проверить" in text, "no telephone can be shared here"


@pytest.mark.parametrize(("kind", "guest"), [("vk", "comments:42"), ("facebook", "feed:42"), ("google_play", "42"), ("email", "42")])
def test_nothing_is_said_by_a_machine_where_others_may_read_it(account, kind, guest):
    public = bots.an_account_with_a_bot(kind)
    item = Inbound(kind=InboundKind.MESSAGE, external_id="1", guest_external_id=guest, sent_at=NOW, text="баланс")
    inbound.apply(account=public, item=item, now=NOW)
    assert Session.objects.get().waiting_since is not None
    assert not Turn.objects.exists()
    assert bool(talking.BotResponder().offered(public)) == (kind in ("vk", "facebook")), "they have private dialogues too"


def test_accounts_without_a_bot_are_as_ever(account):
    plain = b.an_account("webchat")
    b.receive(plain, b.webchat_event(text="Привет"), now=NOW)
    assert Session.objects.get(account=plain).waiting_since is not None
    assert not Turn.objects.exists()


def test_a_dialogue_that_is_gone_leaves_guests_to_people(account):
    account.answers_first = "no-such"
    account.save()
    assert bots.say(account, "Привет", NOW) == []
    assert Session.objects.get().waiting_since is not None


def test_talks_under_way_go_on_by_their_version(account):
    bots.say(account, "Привет", NOW)
    run = Run.objects.get()
    draft = scripts.new_draft(run.version_id, by=None, now=NOW)
    draft.steps.filter(code="question_ask").update(text="Новые слова")
    scripts.publish(draft.pk, by=None, now=NOW)
    assert bots.say(account, "5", NOW) == ["Слушаю. Опишите вопрос одним сообщением."]
    bots.say(account, "Привет", NOW, chat=777)
    assert bots.say(account, "5", NOW, chat=777) == ["Новые слова"]


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_messages_and_fifty_workers_make_one_answer():
    bots.shipped_dialogues()
    account = bots.an_account_with_a_bot()
    body = b.telegram_update(1, text="Привет", at=int(NOW.timestamp()))
    at_once(50, lambda: b.receive(account, body, now=NOW))
    (turn,) = Turn.objects.all()
    answers = at_once(50, lambda: talking.answer(turn.pk, now=NOW))
    assert sorted(answers) == [False] * 49 + [True]
    assert Message.objects.filter(direction=Direction.OUT).count() == 1
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_words_at_once_are_answered_each_once_and_in_their_order():
    bots.shipped_dialogues()
    account = bots.an_account_with_a_bot()
    bots.say(account, "Привет", NOW)
    bodies = iter([b.telegram_update(number, text="меню", at=int(NOW.timestamp())) for number in range(10, 22)])
    lock = threading.Lock()

    def write_and_answer():
        with lock:
            body = next(bodies)
        b.receive(account, body, now=NOW)
        for turn in talking.find_due(now=NOW):
            talking.answer(turn, now=NOW)

    at_once(12, write_and_answer)
    run = Run.objects.get()
    done = Turn.objects.filter(state=TurnState.DONE).count()
    assert done == run.turns_done
    assert Turn.objects.filter(state=TurnState.DUE).count() == 0
    assert Message.objects.filter(direction=Direction.NOTE).count() == (1 if run.state == RunState.HANDED else 0)


def at_once(count, run):
    """What `count` threads that begin together return."""
    barrier, found = threading.Barrier(count), []

    def work():
        try:
            barrier.wait(timeout=30)
            found.append(run())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == count
    return found


def test_identity_of_a_shared_telephone_is_verified(account):
    bots.say(account, "активировать карту", NOW)
    bots.share_phone(account, NOW)
    assert Identity.objects.get().is_verified
