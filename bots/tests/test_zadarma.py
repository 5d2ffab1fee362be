"""The voice menu of Zadarma, asked by a server that follows its answers and checks them: recordings, keys, ways out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.models import Run, Turn
from bots.states import RunState
from bots.tests import builders as bots
from omni import selectors
from omni.models import Call, InboundEvent, Message
from omni.states import Direction, EventState
from tests.channel_checks import process_all
from tests.providers.exchanges import Scene
from tests.providers.zadarma import ZadarmaServer

pytestmark = pytest.mark.django_db

STEPS = [
    {"code": "hello", "kind": "say", "text": "Здравствуйте", "sound": "file-hello", "ways": [{"to": "menu"}]},
    {"code": "menu", "kind": "menu", "text": "Что?", "sound": "file-menu", "ways": [
        {"to": "hours", "label": "Часы работы"}, {"to": "points", "label": "Баллы"}, {"to": "people", "label": "Жалоба"},
    ]},
    {"code": "hours", "kind": "end", "text": "С восьми до десяти", "sound": "file-hours"},
    {"code": "points", "kind": "say", "text": "Баллы начисляются за день", "ways": [{"to": "end"}]},
    {"code": "people", "kind": "person", "text": "Соединяю", "sound": "file-connecting"},
    {"code": "end", "kind": "end", "text": "До свидания", "sound": "file-bye"},
]  # fmt: skip


@pytest.fixture
def server():
    found = ZadarmaServer()
    found.sounds |= {"file-hello", "file-menu", "file-hours", "file-connecting", "file-bye", "file-again"}
    yield found
    found.stop()
    assert found.violations.after() == []


@pytest.fixture
def account(db):
    selectors._accounts.clear()
    bots.a_dialogue(STEPS, timezone.now(), code="keys", start="hello", misunderstood_text="Нет такого", operator_text="Зову")
    given = {"ivr": {"transfer": "100", "wait_seconds": 5}}
    return bots.an_account_with_a_bot("zadarma", "keys", settings=given, api_key="demo-zadarma-key", api_secret="demo-zadarma-secret")


@pytest.fixture
def call(client, server, account):
    """call(keys) is what a caller hears who presses these keys after these recordings."""

    def ask(post, times=1):
        headers = {"Signature": post.headers["Signature"]}
        form = {"data": post.body, "content_type": "application/x-www-form-urlencoded", "headers": headers}
        answers = [client.post(f"/hooks/zadarma/{account.public_id}/", **form) for _ in range(times)]
        assert len({answer.content for answer in answers}) == 1, "the same notice, the same answer"
        assert answers[0].status_code == 200
        return answers[0].content

    return lambda keys, scene=None, times=1: server.talk(scene or Scene(), keys, lambda post: ask(post, times))


def test_recordings_follow_each_other_and_a_key_chooses(call):
    assert call({"file-menu": "1"}) == ["file-hello", "file-menu", "file-hours", "hangup"]
    assert Run.objects.get().state == RunState.DONE


def test_a_key_may_be_pressed_before_all_is_said(call):
    assert call({"file-hello": "1"}) == ["file-hello", "file-hours", "hangup"]


def test_every_notice_told_twice_changes_nothing(call):
    assert call({"file-menu": "1"}, times=2) == ["file-hello", "file-menu", "file-hours", "hangup"]
    assert Turn.objects.count() == 2


def test_zero_leads_to_people_with_a_note(call):
    assert call({"file-menu": "0"}) == ["file-hello", "file-menu", "redirect 100"]
    assert Message.objects.get(direction=Direction.NOTE).text.startswith("Бот «Малый»: гость попросил оператора.")


def test_a_step_to_people_is_said_first(call):
    assert call({"file-menu": "3"}) == ["file-hello", "file-menu", "file-connecting", "redirect 100"]


def test_what_has_no_recording_is_said_by_a_person(call):
    assert call({"file-menu": "2"}) == ["file-hello", "file-menu", "redirect 100"]
    assert Run.objects.get().state == RunState.HANDED
    assert "нет записи" in Message.objects.get(direction=Direction.NOTE).text


def test_silence_leads_to_people(call):
    assert call({})[-1] == "redirect 100"


def test_the_call_and_its_notices_are_in_the_journal_as_always(call, account):
    scene = Scene()
    call({"file-menu": "1"}, scene)
    process_all(timezone.now() + timedelta(minutes=1))
    assert set(InboundEvent.objects.values_list("state", flat=True)) <= {EventState.PROCESSED, EventState.IGNORED}
    found = Call.objects.get()
    assert (found.call_key, found.guest_number) == (f"in_{scene.key}", "+79001112233")


@pytest.mark.parametrize("code", ["", "gone"])
def test_without_a_dialogue_the_exchange_goes_its_own_way(call, account, code):
    account.answers_first = code
    account.save()
    selectors._accounts.clear()
    assert call({}) == ["own scenario"]


def test_a_menu_of_the_exchange_itself_is_left_alone(client, server, account):
    post = server.notice(Scene(), "NOTIFY_IVR", caller_id="+79001112233", called_did="74950001122", **{"wait_dtmf[name]": "theirs"})
    form = {"content_type": "application/x-www-form-urlencoded", "headers": {"Signature": post.headers["Signature"]}}
    answer = client.post(f"/hooks/zadarma/{account.public_id}/", post.body, **form)
    assert answer.content == b"{}"
    assert not Run.objects.exists()


def test_a_forged_question_is_refused(client, account):
    other = ZadarmaServer("another", "secret")
    post = other.notice(Scene(), "NOTIFY_START", caller_id="+79001112233", called_did="74950001122")
    headers = {"Signature": post.headers["Signature"]}
    answer = client.post(
        f"/hooks/zadarma/{account.public_id}/", post.body, content_type="application/x-www-form-urlencoded", headers=headers
    )
    assert (answer.status_code, Run.objects.count()) == (403, 0)
    other.stop()
