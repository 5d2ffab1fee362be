"""The voice menu through its entrances: signed questions of the generic exchange, the dialplan of Asterisk."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from bots.models import Run, Turn, Version
from bots.services import calling, talking
from bots.services.asking import known_caller
from bots.services.calling import Question
from bots.states import RunState
from bots.tests import builders as bots
from customers.models import Guest, Identity
from omni import selectors
from omni.channels.contract import CallKind, CallStep
from omni.models import Call, Message, Session
from omni.services import calls
from omni.states import Direction, SessionState
from orders.services import importing
from orders.types import Told
from sla.services import clocks
from tests import builders as b
from tests.builders import time

NOW = timezone.now().replace(microsecond=0)
CALLER = "+79161234567"


@pytest.fixture(autouse=True)
def _forgotten_accounts():
    selectors._accounts.clear()


@pytest.fixture
def exchange(db):
    bots.shipped_dialogues()
    given = {"ivr": {"transfer": "600", "numbers": ["vip = 777"], "wait_seconds": 5}}
    return bots.an_account_with_a_bot("voice", "phone-menu", settings=given, signing_key="key")


def ask(account, key="c-1", signed_by="key", **fields):
    body = json.dumps({"call_key": key, "caller": CALLER, "called": "84950001122", **fields}).encode()
    signature = "sha256=" + hmac.new(signed_by.encode(), body, hashlib.sha256).hexdigest()
    return Client().post(f"/ivr/{account.public_id}/next", body, content_type="application/json", headers={"X-Signature": signature})


def heard(answer):
    return " ".join(one["text"] for one in answer.json()["say"])


def test_a_caller_hears_the_menu_and_the_hours_of_a_store(exchange):
    b.a_store()
    first = ask(exchange, seq=1)
    assert first.json()["collect"] == {"digits": 1, "timeout": 5, "finish": "#"}
    assert heard(first).startswith("Здравствуйте!")
    assert "Узнать о заказе — нажмите 1." in heard(first)
    assert "Соединить с оператором — нажмите 0." in heard(first)
    asked = ask(exchange, seq=2, digits="3")
    assert asked.json()["collect"]["digits"] == 32
    told = ask(exchange, seq=3, digits="4217#")
    assert "Москва, Лесная ул., 12: с 08:00 до 22:00" in heard(told)
    over = ask(exchange, seq=4, digits="2")
    assert (over.json()["hangup"], over.json()["collect"]) == (True, None)
    assert Run.objects.get().state == RunState.DONE
    call = Call.objects.get()
    assert (call.guest_number, call.session.identity.address) == (CALLER, CALLER)


def test_a_question_repeated_gets_the_first_answer(exchange):
    first, again = ask(exchange, seq=1), ask(exchange, seq=1)
    assert first.json() == again.json()
    second, third = ask(exchange, seq=2, digits="3"), ask(exchange, seq=2, digits="3")
    assert second.json() == third.json()
    assert Turn.objects.count() == 2
    assert Run.objects.get().turns_done == 2


def test_zero_is_transferred_with_a_note(exchange):
    ask(exchange, seq=1)
    ask(exchange, seq=2, digits="3")
    answer = ask(exchange, seq=3, digits="0").json()
    assert (answer["transfer"], answer["hangup"]) == ("600", False)
    assert [one["text"] for one in answer["say"]] == ["Соединяю с оператором."]
    note = Message.objects.get(direction=Direction.NOTE)
    assert note.text == "Бот «Голосовое меню»: гость попросил оператора.\nВыбрано: Часы работы магазина"
    assert ask(exchange, seq=4).json()["transfer"] == "600", "whoever asks once more is sent there again"


def test_a_wrong_key_twice_is_transferred(exchange):
    ask(exchange, seq=1)
    assert heard(ask(exchange, seq=2, digits="8")).startswith("Такого варианта нет.")
    assert ask(exchange, seq=3, digits="").json()["transfer"] == "600"


def test_nobody_is_told_of_orders_by_a_number_that_can_be_forged(exchange):
    importing.load([Told("own", "A-77", "in_delivery", NOW, NOW, phone=CALLER, total=Decimal(1))], by=None, now=NOW)
    ask(exchange, seq=1)
    answer = ask(exchange, seq=2, digits="1")
    assert (answer.json()["transfer"], "A-77" in heard(answer)) == ("600", False)
    exchange.settings["ivr"]["trust_caller"] = True
    exchange.save()
    selectors._accounts.clear()
    ask(exchange, "c-2", seq=1)
    answer = ask(exchange, "c-2", seq=2, digits="1")
    assert "A-77" in heard(answer)
    assert answer.json()["collect"] is not None


def test_at_night_a_call_back_is_offered(exchange):
    calendar = exchange.queue.policy.calendar
    b.WorkingInterval.objects.filter(calendar=calendar).update(starts=time(9), ends=time(18))
    clocks.forget_hours()
    night = NOW.replace(hour=20, minute=0)

    def question(key, number, digits=""):
        return calling.what_next(account=exchange, question=Question(key, CALLER, digits=digits, number=number), now=night)

    question("c-1", 1)
    closed = question("c-1", 2, "0")
    assert "завтра в 09:00" in closed.say[0].text
    assert closed.digits == 1
    assert question("c-1", 3, "1").hangup
    session = Session.objects.get()
    assert (session.waiting_since, session.state) == (night, SessionState.WAITING)
    assert "оставил сообщение" in Message.objects.get(direction=Direction.NOTE).text
    question("c-2", 1)
    question("c-2", 2, "0")
    assert question("c-2", 3, "7").hangup
    assert Message.objects.filter(direction=Direction.NOTE).count() == 1


def test_the_exchanges_own_events_and_the_menu_tell_one_story(exchange):
    ask(exchange, seq=1)
    ask(exchange, seq=2, digits="0")
    for number, kind in enumerate([CallKind.RINGING, CallKind.QUEUED, CallKind.ANSWERED, CallKind.ENDED], 1):
        at = NOW + timedelta(seconds=number)
        calls.apply(account=exchange, step=CallStep(kind, "c-1", "c-1", number, at, caller=CALLER, extension="101"), now=at)
    call = Call.objects.get()
    assert (call.state, Session.objects.count()) == ("ended", 1)
    assert ask(exchange, seq=3, event="hangup").json()["transfer"] == "600"


def test_who_hangs_up_is_over(exchange):
    ask(exchange, seq=1)
    assert ask(exchange, seq=2, event="hangup").json()["hangup"]
    assert Run.objects.get().state == RunState.SILENT
    ask(exchange, "c-9", seq=1)
    run = Run.objects.get(call_key="c-9")
    assert talking.end_silent(run.pk, now=timezone.now() + timedelta(minutes=31)) == RunState.SILENT


def test_an_exchange_without_a_dialogue_transfers_at_once(exchange):
    exchange.answers_first = ""
    exchange.save()
    assert ask(exchange, seq=1).json() == {"say": [], "collect": None, "transfer": "600", "hangup": False}


@pytest.mark.parametrize("sign", ["wrong", "", "ключ"])
def test_forged_questions_are_refused(exchange, sign):
    assert ask(exchange, signed_by=sign or "x").status_code == 403
    assert not Call.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"call_key": ""}', b'{"call_key": {"a": 1}}', b'{"digits": "1"}', b"\xff"])
def test_garbage_is_said_to_be_garbage(exchange, body):
    signature = "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()
    answer = Client().post(f"/ivr/{exchange.public_id}/next", body, content_type="application/json", headers={"X-Signature": signature})
    assert answer.status_code == 400


def test_strange_values_break_nothing(exchange):
    for number, digits in enumerate(["\x00", "9" * 500, "*", "абв", "-1", 7, None, True, ["1"]], 1):
        assert ask(exchange, f"c-{number}", seq=1).status_code == 200
        assert ask(exchange, f"c-{number}", seq=2, digits=digits, caller=digits).status_code == 200


@pytest.fixture
def asterisk(db):
    bots.shipped_dialogues()
    return bots.an_account_with_a_bot("asterisk", "phone-menu", settings={"ivr": {"transfer": "600"}}, password="p", ivr_key="secret")


def dial(account, key="secret", **fields):
    credentials = base64.b64encode(f"otklik:{key}".encode()).decode()
    form = {"call": "1772524805.42", "caller": CALLER, **fields}
    answer = Client().post(f"/ivr/{account.public_id}/dialplan", form, headers={"Authorization": f"Basic {credentials}"})
    return answer.status_code, dict(parse_qsl(answer.content.decode(), keep_blank_values=True))


def test_a_dialplan_is_told_what_to_do_in_a_form(asterisk):
    status, first = dial(asterisk, seq=1)
    assert (status, first["digits"], first["transfer"], first["hangup"]) == (200, "1", "", "0")
    assert first["text"].startswith("Здравствуйте!")
    assert dial(asterisk, seq=2, digits="0")[1]["transfer"] == "600"
    assert dial(asterisk, key="guess")[0] == 403
    assert Client().post(f"/ivr/{asterisk.public_id}/dialplan", {"call": "1"}).status_code == 403
    assert Client().post(f"/ivr/{asterisk.public_id}/dialplan", {}, headers={"Authorization": "Basic ключ"}).status_code == 403


def test_recordings_are_named_where_there_are_some(asterisk):
    version = Version.objects.get(dialogue__code="phone-menu")
    for step in version.script["steps"]:
        step["sound"] = f"otklik/{step['code']}" if step["kind"] == "menu" else ""
    version.save()
    assert dial(asterisk, seq=1)[1] | {"digits": "1"} == {
        "text": "", "sound": "otklik/start", "digits": "1", "timeout": "7", "transfer": "", "hangup": "0",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_one_question_asked_by_many_threads_is_answered_once():
    bots.shipped_dialogues()
    account = bots.an_account_with_a_bot("voice", "phone-menu", settings={"ivr": {"transfer": "600"}}, signing_key="key")
    found, barrier = [], threading.Barrier(12)

    def work():
        try:
            barrier.wait(timeout=30)
            found.append(calling.what_next(account=account, question=Question("c-1", CALLER, number=1), now=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 12
    assert all(reply == found[0] for reply in found)
    assert (Turn.objects.count(), Run.objects.get().turns_done, Session.objects.count()) == (1, 1, 1)


def test_a_trusted_number_is_the_guest_who_shared_it_elsewhere(exchange):
    exchange.settings["ivr"]["trust_caller"] = True
    other = Identity.objects.create(
        guest=a_guest(), channel="telegram", scope="s", external_id="1", phone=CALLER, is_verified=True, created_at=NOW
    )
    assert known_caller(CALLER, exchange, 1).guest_id == other.guest_id
    Identity.objects.create(guest=a_guest(), channel="viber", scope="s", external_id="2", phone=CALLER, is_verified=True, created_at=NOW)
    assert known_caller(CALLER, exchange, 1).guest_id == 1, "of two nobody is chosen"


def a_guest():
    return Guest.objects.create(name="Гость", created_at=NOW)
