"""The voice menu of Mango Office: its notices through our webhook, our commands on the wire to its server, which checks them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bots.models import Run, Turn
from bots.services import mango
from bots.states import RunState
from bots.tests import builders as bots
from bots.tests.test_zadarma import STEPS
from omni import dispatch, selectors
from omni.models import Call, InboundEvent, Message
from omni.states import Direction, EventState
from tests.channel_checks import process_all
from tests.providers.exchanges import Scene
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.mango import API_KEY, SALT, MangoServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with Frame(MangoServer()) as frame:
        (found,) = frame.providers
        found.base = f"{frame.url}/vpbx"
        found.sounds |= {"file-menu", "file-hours", "file-bye"}
        yield found
        assert found.violations.after() == []


@pytest.fixture
def account(server):
    selectors._accounts.clear()
    bots.a_dialogue(STEPS, timezone.now(), code="keys", start="hello", misunderstood_text="Нет такого", operator_text="Зову")
    given = {"api_base": server.base, "ivr": {"transfer": "700"}}
    return bots.an_account_with_a_bot("mango", "keys", settings=given, vpbx_api_key=API_KEY, vpbx_api_salt=SALT)


@pytest.fixture
def tell(client, account, monkeypatch, django_capture_on_commit_callbacks):
    """tell(post) delivers a notice and carries out the work that it calls up; the delays of what was put off."""
    waiting = []

    def take(task, arguments, delay=0, expires=None):
        if task == "bots.tasks.lead_caller":
            waiting.append((arguments, delay))

    monkeypatch.setattr(dispatch, "_send", take)

    def told(post):
        delays = []
        with django_capture_on_commit_callbacks(execute=True):
            address = f"/hooks/mango/{account.public_id}/{post.tail}"
            assert client.post(address, post.body, content_type=post.headers["Content-Type"]).status_code == 200
        while waiting:
            arguments, delay = waiting.pop(0)
            delays.append(delay)
            with django_capture_on_commit_callbacks(execute=True):
                mango.lead(arguments["account_id"], arguments["heard"], tries=arguments.get("tries", 0), now=timezone.now())
        return delays

    return told


def done(server):
    return [(entry["kind"], entry.get("sound") or entry.get("to", "")) for entry in server.accepted.after()]


def test_a_key_in_the_menu_chooses_and_a_recording_answers(server, tell):
    scene = Scene()
    tell(server.in_menu(scene))
    tell(server.dtmf(scene, "1", 1))
    assert done(server) == [("play", "file-menu"), ("play", "file-hours")]
    assert Run.objects.get().state == RunState.DONE


def test_zero_routes_to_people_with_a_note(server, tell):
    scene = Scene()
    tell(server.in_menu(scene))
    tell(server.dtmf(scene, "0", 1))
    assert done(server)[-1] == ("route", "700")
    assert Message.objects.get(direction=Direction.NOTE).text.startswith("Бот «Малый»: гость попросил оператора.")


def test_what_has_no_recording_is_said_by_a_person(server, tell):
    scene = Scene()
    tell(server.in_menu(scene))
    tell(server.dtmf(scene, "2", 1))
    assert done(server)[-1] == ("route", "700")


def test_notices_told_again_command_nothing(server, tell):
    scene = Scene()
    for post in (server.in_menu(scene), server.dtmf(scene, "1", 1)) * 2:
        tell(post)
    assert len(done(server)) == 2
    assert Turn.objects.count() == 2


def test_routes_come_too_fast_for_the_exchange(server, tell):
    """One in two seconds: a refused one is tried again after them."""
    server.faults.add(Fault(FaultKind.THROTTLED, seconds=3, method="commands/route"))
    scene = Scene()
    tell(server.in_menu(scene))
    assert tell(server.dtmf(scene, "0", 1)) == [0, 3.0]
    assert done(server)[-1] == ("route", "700")
    assert Turn.objects.count() == 2


def test_a_caller_who_has_hung_up_is_let_go(server, tell):
    scene = Scene()
    tell(server.in_menu(scene))
    server.calls_in_menu.clear()
    assert tell(server.dtmf(scene, "0", 1)) == [0]
    assert done(server) == [("play", "file-menu")]


def test_without_a_dialogue_nothing_is_commanded(server, tell, account):
    account.answers_first = ""
    account.save()
    selectors._accounts.clear()
    scene = Scene()
    assert tell(server.in_menu(scene)) == []
    assert tell(server.dtmf(scene, "1", 1)) == []
    assert not Run.objects.exists()


def test_other_notices_of_the_call_are_left_alone_and_kept(server, tell):
    scene = Scene()
    for post in server.posts(scene):
        tell(post)
    process_all(timezone.now() + timedelta(minutes=1))
    assert set(InboundEvent.objects.values_list("state", flat=True)) <= {EventState.PROCESSED, EventState.IGNORED}
    assert Call.objects.get().guest_number == "+79001112233"
    assert Turn.objects.count() == 1, "its arrival in the menu"
