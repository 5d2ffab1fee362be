"""A guest of the mobile app: signed in by the app's server, heard, answered, pushed when away."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Guest, Identity
from omni.channels.mobile.adapter import MobileAdapter
from omni.channels.webchat.adapter import WebChatAdapter
from omni.chat import facts
from omni.chat.tests import builders as c
from omni.models import ChatToken, Message, Notice, PushToken, Session, SessionFacts
from omni.services import answering, conversations, notices, sending, session_facts
from omni.states import SendState
from omni.tests import notice_builders as n
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db
APP = {"version": "5.12.0", "platform": "android", "system": "Android 14", "model": "Pixel 8", "store": "4217", "time_zone": "Asia/Omsk"}
DEVICE_TOKEN = "cXv1:APA91b-demo-token"


@pytest.fixture(scope="module")
def vendors():
    with n.vendors() as running:
        yield running


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def app(vendors):
    vendors.reset()
    return n.an_app(title={"ru": "Лукошко"}, push_seconds=30)


@pytest.fixture
def fcm(app, vendors):
    return vendors.account("fcm")


@pytest.fixture
def operator(app):
    person = b.a_person(groups=[app.queue.group])
    b.go_on_line(person, now=timezone.now())
    return person


def signed(external_id="card:7700001", **claims):
    return c.a_token(external_id, site="app", **claims)


@pytest.fixture
def phone(client, app, fcm):
    """The app on a telephone, its guest signed in and taking pushes."""
    found = c.Visitor(client)
    assert found.begin(identity=signed(name="Анна"), site_key="app", app=APP).status_code == 200
    assert found.post("push", {"vendor": "fcm", "token": DEVICE_TOKEN}).status_code == 200
    return found


def answered(session, operator, text="Уже везём"):
    message = answering.answer(session_id=session.pk, text=text, by=operator, now=timezone.now(), over_newer=True)
    sending.send(message.attempts.get().pk, now=timezone.now())
    return message


def test_it_is_a_channel_of_its_own_with_the_code_of_the_web_chat(app, client):
    assert MobileAdapter.send is WebChatAdapter.send
    begun = c.Visitor(client).begin(site_key="app", app=APP).json()
    assert begun["settings"]["push"] == []
    assert {setting.path for setting in MobileAdapter.form.settings} >= {"site_key", "push_seconds", "prechat", "limits"}
    assert "origins" not in {setting.path for setting in MobileAdapter.form.settings}


def test_signed_in_heard_and_answered(phone, operator):
    key = uuid.uuid4()
    first = phone.write("Где кефир?", client_id=key)
    assert phone.write("Где кефир?", client_id=key).json() == first.json(), "an app may send again what it had no answer for"
    session = Session.objects.get()
    assert (session.account.kind, session.owner, session.guest.name) == ("mobile", operator, "Анна")
    assert session.identity.external_id == "card:7700001"
    message = answered(session, operator)
    page = phone.read(after=first.json()["seq"]).json()
    assert [found["text"] for found in page["messages"]] == ["Уже везём"]
    phone.read(after=message.pk)
    phone.post("seen", {"seq": message.pk})
    message.refresh_from_db()
    assert message.send_state == SendState.READ


def test_what_the_app_says_of_itself_is_shown_to_the_operator(phone, operator):
    store = b.a_store("4217")
    phone.write("Где кефир?")
    session = Session.objects.get()
    shown = dict(session_facts.shown(session))
    assert list(shown.values())[:3] == ["5.12.0 Android", "Pixel 8, Android 14", str(store)]
    phone.begin(site_key="app", identity=signed(), app={**APP, "version": "5.13.0", "store": "17"})
    phone.write("Ау")
    assert dict(session_facts.shown(session)) | {} != shown
    assert SessionFacts.objects.get().facts["version"] == "5.13.0"
    assert ChatToken.objects.count() == 1, "the token goes on"


def test_the_desk_shows_it(phone, client, operator):
    phone.write("Где кефир?")
    client.force_login(operator, backend="accounts.backends.StaffBackend")
    page = client.get(f"/desk/session/{Session.objects.get().pk}/open/")
    assert page.status_code == 200
    assert "5.12.0 Android" in page.content.decode()


def test_a_site_says_nothing_of_the_sort(client):
    c.a_site()
    visitor = c.Visitor(client)
    visitor.begin(app=APP)
    visitor.write("Где кефир?")
    assert not SessionFacts.objects.exists()
    assert session_facts.shown(Session.objects.get()) == []
    answer = visitor.post("push", {"vendor": "fcm", "token": DEVICE_TOKEN})
    assert (answer.status_code, answer.json()["code"]) == (400, "push_off")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, {}),
        ([], {}),
        ("5", {}),
        ({"version": 5, "platform": "symbian", "store": "<b>", "time_zone": "Mars/Base"}, {}),
        ({"version": "1\x00\ud83d\n" + "2" * 80, "store": "4217"}, {"version": "1? " + "2" * 36 + "…", "store": "4217"}),
        ({"other": "x", "platform": "ios"}, {"platform": "ios"}),
    ],
)
def test_odd_facts(given, kept):
    assert facts.read(given) == kept


@pytest.mark.parametrize("facts", [[], "x", 7, {"a": {"b": 1}}, {"a\x00": "\ud83d"}])
def test_odd_facts_in_the_journal(facts):
    event = checks.body_of({"visitor": "v", "client_id": "c", "text": "x", "facts": facts})
    checks.items_or_unreadable(MobileAdapter(), event)


def test_who_is_away_gets_the_answer_as_a_push(phone, operator, vendors):
    phone.write("Где кефир?")
    message = answered(Session.objects.get(), operator)
    notice = Notice.objects.get()
    assert timedelta(seconds=29) < notice.next_at - message.sent_at < timedelta(seconds=35)
    assert notices.send(notice.pk, now=timezone.now()) is None, "the app may yet fetch it"
    assert notices.send(notice.pk, now=notice.next_at) == SendState.SENT
    (entry,) = vendors.fcm.accepted.after()
    assert (entry["to"], entry["title"], entry["text"]) == (DEVICE_TOKEN, "Лукошко", "Уже везём")
    assert entry["data"] == {"type": "chat", "site_key": "app", "seq": str(message.pk)}
    assert Message.objects.get(pk=message.pk).send_state == SendState.SENT, "a push is not the message"


def test_who_has_the_answer_gets_no_push(phone, operator, vendors):
    phone.write("Где кефир?")
    message = answered(Session.objects.get(), operator)
    phone.read(after=message.pk)
    notice = Notice.objects.get()
    assert notices.send(notice.pk, now=notice.next_at) is None
    notice.refresh_from_db()
    assert (notice.state, notice.error_code) == (SendState.CANCELLED, "seen")
    assert vendors.fcm.accepted.after() == []


def test_the_night_does_not_hold_back_an_answer(phone, operator):
    phone.write("Где кефир?")
    answered(Session.objects.get(), operator)
    assert Notice.objects.get().is_urgent


def test_a_push_may_hide_the_text(phone, operator, app, vendors):
    app.settings["push_hides_text"] = True
    app.save()
    phone.write("Где кефир?")
    answered(Session.objects.get(), operator, "Карта 7700001 заблокирована")
    notice = Notice.objects.get()
    notices.send(notice.pk, now=notice.next_at)
    assert "7700001" not in vendors.fcm.accepted.after()[0]["text"]


def test_no_pushes_wished(phone, operator, app):
    app.settings["never_pushes"] = True
    app.save()
    phone.write("Где кефир?")
    answered(Session.objects.get(), operator)
    assert not Notice.objects.exists()


def test_without_a_device_there_is_nothing_to_push(client, app, operator):
    visitor = c.Visitor(client)
    visitor.begin(site_key="app", app=APP)
    visitor.write("Где кефир?")
    answered(Session.objects.get(), operator)
    assert not Notice.objects.exists()


def test_a_line_of_the_operator_that_is_no_answer_pushes_nothing(phone, operator):
    phone.write("Где кефир?")
    answering.note(session_id=Session.objects.get().pk, text="Скандалит", by=operator, now=timezone.now())
    conversations.close(session_id=Session.objects.get().pk, by=operator, now=timezone.now())
    assert not Notice.objects.exists()


def test_a_device_registered_before_sign_in_goes_over_to_the_guest(client, app, fcm, operator, vendors):
    visitor = c.Visitor(client)
    visitor.begin(site_key="app", app=APP)
    visitor.post("push", {"vendor": "fcm", "token": DEVICE_TOKEN})
    visitor.write("Где кефир?")
    assert PushToken.objects.get().visitor.startswith("visitor:")
    assert visitor.begin(site_key="app", identity=signed(), app=APP).json()["identified"]
    assert PushToken.objects.get().visitor == "card:7700001"
    answered(Session.objects.get(), operator)
    notice = Notice.objects.get()
    assert notices.send(notice.pk, now=notice.next_at) == SendState.SENT


def test_signing_out_ends_the_pushes(phone):
    phone.post("forget", {})
    assert PushToken.objects.get().gone_at is not None


def test_the_pushes_alone_can_be_ended(phone):
    assert phone.post("push/forget", {}).status_code == 200
    assert PushToken.objects.get().gone_at is not None
    assert phone.write("Ещё тут").status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"vendor": "hms", "token": DEVICE_TOKEN}, "push_off"),
        ({"vendor": "apns", "token": DEVICE_TOKEN}, "push_off"),
        ({"vendor": "fcm"}, "push_token"),
        ({"vendor": "fcm", "token": "short"}, "push_token"),
        ({"vendor": "fcm", "token": "x" * 4097}, "push_token"),
        ({"vendor": "fcm", "token": "токен-по-русски"}, "push_token"),
        ({"vendor": "fcm", "token": ["a"]}, "push_token"),
    ],
)
def test_devices_that_are_refused(phone, body, code):
    answer = phone.post("push", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_app_with_accounts_of_its_own(phone, app, vendors):
    assert phone.post("push", {"vendor": "fcm", "token": DEVICE_TOKEN}).status_code == 200
    app.settings["push_accounts"] = ["another"]
    app.save()
    assert phone.post("push", {"vendor": "fcm", "token": DEVICE_TOKEN}).status_code == 400


def test_a_forged_sign_in(client, app):
    visitor = c.Visitor(client)
    assert visitor.begin(site_key="app", identity=c.a_token(site="app", key="wrong")).status_code == 403
    assert visitor.begin(site_key="app", identity=c.a_token(site="shop")).status_code == 403
    assert not Identity.objects.exists()


def test_a_notice_reaches_the_app_of_the_guest(phone, vendors):
    phone.write("Где кефир?")
    guest = Guest.objects.get()
    now = timezone.now()
    notice = notices.notify(guest=guest, text="Обращение № 17 решено", key="case:17:closed", urgent=True, now=now)
    assert notices.send(notice.pk, now=now) == SendState.SENT
    assert vendors.fcm.accepted.after()[0]["text"] == "Обращение № 17 решено"


def test_messages_both_ways_with_faults_of_the_push(phone, operator, vendors):
    """24 questions, each sent twice by an app that is unsure; 24 answers; pushes go wrong: no message is lost or doubled."""
    for kind in (FaultKind.SERVER_ERROR, FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.THROTTLED, FaultKind.GARBAGE_AFTER_ACCEPTING) * 2:
        vendors.fcm.faults.add(Fault(kind, seconds=0.01, method="send"))
    keys = [uuid.uuid4() for _number in range(24)]
    for number, key in [*enumerate(keys), *enumerate(keys)]:
        assert phone.write(f"Вопрос {number}", client_id=key).status_code == 200
    session = Session.objects.get()
    for number in range(24):
        answered(session, operator, f"Ответ {number}")
    n.run(now=timezone.now() + timedelta(minutes=1), step=timedelta(minutes=15), rounds=60)
    pushed = [entry["text"] for entry in vendors.fcm.accepted.after()]
    assert len(pushed) == len(set(pushed)) == 24
    first = phone.read().json()
    shown = first["messages"] + (phone.read(after=first["messages"][-1]["seq"]).json()["messages"] if first["more"] else [])
    assert [one["text"] for one in shown] == [f"Вопрос {k}" for k in range(24)] + [f"Ответ {k}" for k in range(24)]
    assert vendors.violations() == []
