"""From a real exchange's mouth (ARI's socket, AMI's lines) through the listener and the journal to the feed; breaks and gaps."""

import threading
from datetime import timedelta

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from core.embedded.waiting import wait_until
from omni import listeners
from omni.channels.asterisk.adapter import AsteriskAdapter
from omni.channels.contract import AttachmentGone, AttachmentKind, AttachmentTooLarge, InboundAttachment
from omni.channels.telephony.tests.plays import an_exchange
from omni.models import Call, ChannelAccount, InboundEvent, Message, Session
from omni.services import exchanges
from omni.states import AccountState
from tests.channel_checks import process_all
from tests.providers.asterisk import PASSWORD, SOUND, USER, AsteriskServer
from tests.providers.frame import Frame

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("interface", ["ari", "ami"])


@pytest.fixture
def server():
    with Frame(AsteriskServer()) as frame:
        (found,) = frame.providers
        yield found
        assert found.violations.after() == []


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(exchanges, "BACK_OFF", (0.1,))
    monkeypatch.setattr(exchanges, "SLICE", 0.1)


def settings_of(server, interface, **changes):
    ari, ami = {"address": server.ari_url}, {"host": "127.0.0.1", "port": server.ami_port}
    return {"interface": interface, "user": USER, "ari": ari, "ami": ami, "read_timeout": 5, **changes}


def an_asterisk(server, interface, **changes):
    return an_exchange("asterisk", settings_of(server, interface, **changes), password=PASSWORD)


@pytest.fixture
def listen():
    """Starts listeners; all are stopped at the end."""
    started = []

    def start(run, *arguments):
        stop = threading.Event()
        thread = threading.Thread(target=closing(run), args=(*arguments, stop), daemon=True)
        thread.start()
        started.append((thread, stop))
        return stop

    yield start
    for _thread, stop in started:
        stop.set()
    for thread, _stop in started:
        thread.join(10)
        assert not thread.is_alive()


def closing(run):
    def called(*arguments):
        try:
            run(*arguments)
        finally:
            connection.close()

    return called


def until(ready, seconds=15):
    assert wait_until(ready, seconds=seconds), "not in time"


def understood(ready):
    """Whether it is so after all that has been heard was understood."""

    def looked():
        process_all(timezone.now() + timedelta(minutes=1))
        return ready()

    return looked


@BOTH
def test_a_call_that_is_taken_and_one_that_is_missed(server, listen, interface):
    account, operator = an_asterisk(server, interface)
    listen(exchanges.listen, account.pk)
    until(lambda: server.listeners == 1)
    server.guest(name="Анна")
    until(understood(lambda: Call.objects.filter(state="ended").exists()))
    call, session = Call.objects.get(), Session.objects.get()
    assert (call.guest_number, call.operator, call.extension, session.owner) == ("+79001112233", operator, "101", operator)
    assert Message.objects.get().text.startswith("Звонок: принят, Анна Иванова (101)")
    assert session.guest.name == "Анна"
    server.guest(text="missed")
    until(understood(lambda: Session.objects.get().waiting_since is not None))
    assert Message.objects.latest("pk").text.startswith("Пропущенный звонок")
    assert (Session.objects.count(), Call.objects.filter(session=None).count()) == (1, 0)


def test_without_linked_ids_the_legs_are_still_one_call(listen):
    with Frame(AsteriskServer(linked=False)) as frame:
        (server,) = frame.providers
        account, operator = an_asterisk(server, "ari")
        listen(exchanges.listen, account.pk)
        until(lambda: server.listeners == 1)
        server.guest()
        until(understood(lambda: Call.objects.filter(state="ended", operator=operator).exists()))
        assert (Call.objects.count(), Message.objects.count()) == (1, 1)


@BOTH
def test_after_a_break_it_is_heard_on_and_what_was_missed_is_asked_for(server, listen, interface, monkeypatch):
    monkeypatch.setattr(exchanges, "GRACE", timedelta(0))
    monkeypatch.setattr(exchanges, "LOOK_SECONDS", 1.0)
    account, operator = an_asterisk(server, interface)
    listen(exchanges.listen, account.pk)
    until(lambda: server.listeners == 1)
    guest, desk = server.ring()
    server.answer(guest, desk)
    until(understood(lambda: Call.objects.filter(state="talking").exists()))
    server.channels.clear()  # all hang up, and nobody is told
    server.drop()
    until(understood(lambda: Call.objects.filter(state="ended").exists()))
    until(lambda: server.listeners == 1)
    assert (Call.objects.get().reason, Call.objects.get().operator) == ("gone", operator)
    assert ChannelAccount.objects.get().state == AccountState.ENABLED


@BOTH
def test_a_call_that_began_while_nobody_listened_is_seen(server, listen, interface):
    account, operator = an_asterisk(server, interface)
    guest, desk = server.ring()
    server.answer(guest, desk)
    listen(exchanges.listen, account.pk)
    until(understood(lambda: Session.objects.filter(owner=operator).exists()))
    server.hang_up(desk)
    server.hang_up(guest)
    until(understood(lambda: Call.objects.filter(state="ended").exists()))
    assert (Call.objects.count(), Message.objects.count()) == (1, 1)


@BOTH
def test_two_listeners_hear_everything_once(server, listen, interface):
    account, _operator = an_asterisk(server, interface)
    for _ in range(2):
        listen(exchanges.listen, account.pk)
    until(lambda: server.listeners == 1)
    server.guest()
    until(understood(lambda: Call.objects.filter(state="ended").exists()))
    assert server.listeners == 1
    assert InboundEvent.objects.values("body").distinct().count() == InboundEvent.objects.count()


@BOTH
def test_a_wrong_password_is_said_on_the_account_and_healed(server, listen, interface, monkeypatch):
    account, _operator = an_asterisk(server, interface)
    account.set_secrets(password="old")
    account.save()
    monkeypatch.setattr(listeners, "WATCH_SECONDS", 0.2)
    listen(watching)
    until(lambda: ChannelAccount.objects.get().state == AccountState.DEGRADED)
    assert "old" not in ChannelAccount.objects.get().state_reason
    account.set_secrets(password=PASSWORD)
    ChannelAccount.objects.update(closed_secrets=account.closed_secrets)
    until(lambda: ChannelAccount.objects.get().state == AccountState.ENABLED)
    until(lambda: server.listeners == 1)
    ChannelAccount.objects.update(state=AccountState.DISABLED)
    until(lambda: server.listeners == 0)
    assert ChannelAccount.objects.get().state == AccountState.DISABLED


def watching(stop):
    listeners.watch(stop, kind=exchanges.KIND, name="exchange", listen=exchanges.listen, every=0.2)


@BOTH
def test_a_listener_outlives_its_database_connection(server, listen, interface):
    account, _operator = an_asterisk(server, interface)
    listen(exchanges.listen, account.pk)
    until(lambda: server.listeners == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    guest, _desk = server.ring()
    until(understood(lambda: Call.objects.filter(call_key=guest["id"]).exists()))


@BOTH
def test_the_check_signs_in_and_counts(server, interface):
    server.ring()
    account, _operator = an_asterisk(server, interface)
    (found,) = AsteriskAdapter().check(account.config(), "")
    assert (found.works, "2" in found.text) == (True, True)
    account.set_secrets(password="old")
    (refused,) = AsteriskAdapter().check(account.config(), "")
    assert (refused.works, "old" in refused.text) == (False, False)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"interface": "ami"},
        {"interface": "ari", "ari": {"address": "pbx"}},
        {"interface": "ami", "ami": {"host": "127.0.0.1", "port": 1}},
    ],
)
def test_an_account_that_leads_nowhere_is_said(settings):
    account, _operator = an_exchange("asterisk", settings, password="x")
    (found,) = AsteriskAdapter().check(account.config(), "")
    assert not found.works


def test_a_recording_of_ari(server):
    account, _operator = an_asterisk(server, "ari")

    def fetch(name, limit=1000, account=account):
        return AsteriskAdapter().fetch(InboundAttachment(AttachmentKind.AUDIO, name), account.config(), limit=limit)

    assert fetch("rec-1") == SOUND
    with pytest.raises(AttachmentGone):
        fetch("no-such")
    with pytest.raises(AttachmentTooLarge):
        fetch("rec-1", limit=3)
    by_lines, _operator = ChannelAccount(kind="asterisk", settings=settings_of(server, "ami")), None
    with pytest.raises(AttachmentGone):
        fetch("rec-1", account=by_lines)
    by_lines.settings["recordings"] = f"{server.ari_url}/ari/recordings/stored/{{name}}/file"
    with pytest.raises(httpx.TransportError):  # its web server wants a password
        fetch("rec-1", account=by_lines)
