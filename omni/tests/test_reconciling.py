"""Calls of which no notice came: found in each exchange's own history, put into the journal once, beside those that were heard."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.channels.telephony.history import FIRST, LONGEST, OVERLAP, SETTLED, period_of
from omni.channels.telephony.tests.plays import an_exchange, play
from omni.models import Call, InboundEvent, Message, PollPosition
from omni.services import polling
from omni.states import AccountState, EventState
from tests.channel_checks import process_all
from tests.providers.exchanges import (
    DATA_TOKEN,
    SIGNING_KEY,
    UIS_SECRET,
    VOXIMPLANT,
    VOXIMPLANT_KEY,
    Scene,
    UisExchange,
    VoiceExchange,
)
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.mango import MangoServer
from tests.providers.zadarma import ZadarmaServer

pytestmark = pytest.mark.django_db

QUESTION = {
    "mango": "stats/calls/request",
    "zadarma": "/v1/statistics/pbx/",
    "uis": "get.calls_report",
    "voice": "GetCallHistory",
}


def account_of(kind, server, base):
    if kind == "mango":
        return an_exchange(kind, {"api_base": f"{base}/vpbx"}, vpbx_api_key=server.key, vpbx_api_salt=server.salt)
    if kind == "zadarma":
        return an_exchange(kind, {"api_base": base}, api_key=server.key, api_secret=server.secret)
    if kind == "uis":
        return an_exchange(kind, {"api_base": base}, webhook_secret=UIS_SECRET, data_api_token=DATA_TOKEN)
    settings = {"api_base": base, "voximplant_account": VOXIMPLANT}
    return an_exchange(kind, settings, signing_key=SIGNING_KEY, voximplant_api_key=VOXIMPLANT_KEY)


SERVERS = {"mango": MangoServer, "zadarma": ZadarmaServer, "uis": UisExchange, "voice": VoiceExchange}


@pytest.fixture(params=list(SERVERS))
def exchange(request, monkeypatch):
    """An exchange with its server: (server, account)."""
    monkeypatch.setattr("omni.channels.mango.history.PAUSES", (0.01, 0.01, 0.01))
    with Frame(SERVERS[request.param]()) as frame:
        (server,) = frame.providers
        yield server, account_of(request.param, server, frame.url)[0]
        assert server.violations.after() == []


def ago(minutes):
    return timezone.now().timestamp() - minutes * 60


def reconcile(account, now=None):
    """One question for the history, and what came understood; how many events were new."""
    moment = now or timezone.now()
    polling.find_due(now=moment)
    PollPosition.objects.filter(account=account).update(next_at=moment)
    new = polling.poll(account.pk, now=moment)
    process_all(timezone.now() + timedelta(minutes=1))
    states = set(InboundEvent.objects.values_list("state", flat=True))
    assert states <= {EventState.PROCESSED, EventState.IGNORED}, list(InboundEvent.objects.values_list("state", "reason"))
    return new


@pytest.mark.parametrize("outcome", ["missed", "answered", "outgoing"])
def test_a_call_without_any_notice_is_found_once(exchange, outcome):
    server, account = exchange
    server.history.append(Scene(outcome=outcome, began=ago(40)))
    assert reconcile(account) == 1
    call, message = Call.objects.get(), Message.objects.get()
    words = {"missed": "Пропущенный звонок", "answered": "Звонок: принят", "outgoing": "Исходящий звонок: состоялся"}
    assert message.text.startswith(words[outcome])
    assert ("Анна Иванова (101)" in message.text) == (outcome != "missed")
    assert (call.guest_number, bool(call.ended_at)) == ("+79001112233", True)
    assert reconcile(account) == 0
    assert (Call.objects.count(), Message.objects.get().text) == (1, message.text)


@pytest.mark.parametrize("outcome", ["missed", "answered", "outgoing"])
def test_a_call_that_was_heard_stays_as_it_is(client, exchange, outcome):
    server, account = exchange
    scene = Scene(outcome=outcome, began=ago(40))
    server.history.append(scene)
    play(client, account, server, scene)
    before = list(Call.objects.values())
    assert reconcile(account) == 1
    assert list(Call.objects.values()) == before
    assert Message.objects.count() == 1


def test_an_end_that_was_lost_is_found(client, exchange):
    server, account = exchange
    scene = Scene(outcome="missed", began=ago(40))
    server.history.append(scene)
    told = server.posts
    server.posts = lambda played: told(played)[:1]
    play(client, account, server, scene)
    assert Call.objects.get().ended_at is None
    assert reconcile(account) == 1
    assert Call.objects.get().ended_at
    assert Message.objects.get().text.startswith("Пропущенный звонок")


def test_the_notices_of_a_found_call_may_still_come(client, exchange):
    """The desk was away: the history was asked before the exchange tried again. Its notices may know more (the queue), not otherwise."""
    server, account = exchange
    scene = Scene(outcome="missed", began=ago(40))
    server.history.append(scene)
    reconcile(account)
    before = Call.objects.get()
    play(client, account, server, scene)
    after = Call.objects.get()
    same = ("state", "guest_number", "inbound", "extension", "session_id", "message_id")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert Message.objects.get().text.startswith("Пропущенный звонок")
    assert Message.objects.get().session.unread == 1


def test_a_call_that_may_still_be_told_is_left_for_later(exchange):
    server, account = exchange
    server.history.append(Scene(outcome="answered", began=ago(12), talked=300))
    assert reconcile(account) == 0
    assert reconcile(account, timezone.now() + timedelta(hours=1)) == 1


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.THROTTLED])
def test_a_history_that_is_ill_is_asked_again(exchange, kind):
    server, account = exchange
    server.history.append(Scene(outcome="missed", began=ago(40)))
    server.faults.add(Fault(kind, method=QUESTION[account.kind]))
    assert reconcile(account) == 0
    assert PollPosition.objects.get().cursor == {}
    assert reconcile(account) == 1


def test_whose_keys_are_not_there_is_not_asked(exchange):
    server, account = exchange
    server.history.append(Scene(outcome="missed", began=ago(40)))
    account.closed_secrets = ""
    account.set_secrets(signing_key="x")
    account.save()
    assert reconcile(account) == 0
    account.refresh_from_db()
    assert account.state == AccountState.ENABLED


def test_the_switch(exchange):
    server, account = exchange
    server.history.append(Scene(outcome="missed", began=ago(40)))
    account.settings["history"] = False
    account.save()
    assert reconcile(account) == 0


@pytest.mark.parametrize(
    ("cursor", "since"),
    [
        ({}, FIRST + OVERLAP),
        ({"until": "nonsense"}, FIRST + OVERLAP),
        ({"until": 1}, SETTLED + OVERLAP),
        ({"until": 60}, timedelta(hours=1) + OVERLAP),
        ({"until": 60 * 24 * 30}, LONGEST + OVERLAP),
        ({"until": -60}, SETTLED + OVERLAP),
    ],
)
def test_periods(cursor, since):
    """`until` in minutes ago; a position in the future is a clock that went back."""
    now = timezone.now()
    if isinstance(cursor.get("until"), int):
        cursor = {"until": (now - timedelta(minutes=cursor["until"])).isoformat()}
    period = period_of(cursor, now=now)
    assert (now - period.since, now - period.until) == (since, SETTLED)
