"""What the tests of channels that must be asked share: accounts, reading all there is, spoiled samples, the way through the database."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import strategies as st

from omni.channels import chat_sweep
from omni.channels.contract import AccountConfig, InboundKind, Outgoing, PollFault, RawEvent, Unreadable
from omni.channels.registry import adapter_for
from omni.models import InboundEvent, Message, PollPosition
from omni.services import answering, journal, polling, sending
from omni.states import Direction, EventState, SessionState
from tests import builders as b
from tests.providers.faults import Fault, FaultKind

RECEIVED = datetime(2026, 3, 3, 8, 5, tzinfo=UTC)
_numbers = iter(range(10**9))


def config_of(kind, settings, secrets) -> AccountConfig:
    """An account of its own, so that no pooled client or memory is shared between tests."""
    return AccountConfig(f"{kind}-{next(_numbers)}", kind, settings, secrets)


def outgoing(text="", *files, **changes) -> Outgoing:
    return Outgoing(**{"key": f"k{next(_numbers)}", "recipient": "r1", "text": text, "files": files, **changes})


def read_all(adapter, account, cursor=None, *, now=None, most=200):
    """All events from `cursor` on, and where it ended; the position goes through JSON as it does in the database."""
    events, cursor = [], cursor or {}
    for _time in range(most):
        page = adapter.poll(account, json.loads(json.dumps(cursor, sort_keys=True)), now=now or timezone.now())
        events += page.events
        cursor = dict(page.cursor)
        if not page.more:
            return events, cursor
    raise AssertionError("the poll does not come to an end")


def items(adapter, events, account=None):
    return [item for event in events for item in adapter.parse(event, account or AccountConfig("a", adapter.kind))]


def event(body, query=None, **headers) -> RawEvent:
    return RawEvent(body if isinstance(body, bytes) else json.dumps(body).encode(), headers, RECEIVED, query or {})


# Faults of a question: what is queued, whether the key is said to be refused, the pause asked for.
POLL_FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=17), False, 17.0),
    "server error": (Fault(FaultKind.SERVER_ERROR), False, None),
    "bad gateway": (Fault(FaultKind.SERVER_ERROR, status=502), False, None),
    "garbage": (Fault(FaultKind.GARBAGE), False, None),
    "key revoked": (Fault(FaultKind.TOKEN_REVOKED), True, None),
    "no right": (Fault(FaultKind.BLOCKED), True, None),
    "dropped": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), False, None),
    "too late": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), False, None),
}


def meets(adapter, server, account, fault, cursor=None):
    """The PollFault of the next question under a fault."""
    server.faults.add(fault)
    with pytest.raises(PollFault) as caught:
        read_all(adapter, account, cursor)
    for secret in account.secrets.values():
        assert secret not in repr(caught.value) + repr(caught.value.__cause__)
    return caught.value


@st.composite
def spoiled(draw, samples):
    """A sample with up to four of its values replaced, dropped or doubled."""
    value = copy.deepcopy(draw(st.sampled_from(samples)))
    junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just([]) | st.just({}) | st.just("\x00\ud83d")
    for _time in range(draw(st.integers(1, 4))):
        place = value
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(sorted(place))) if isinstance(place, dict) else draw(st.integers(0, len(place) - 1))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                if draw(st.integers(0, 3)):
                    place[key] = draw(junk)
                else:
                    del place[key]
                break
            place = place[key]
    return value


def anything():
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
        max_leaves=15,
    )


def check_parse(adapter, raw):
    """Items a database can hold, or Unreadable; nothing else may come out of `parse` and `event_key`."""
    key = adapter.event_key(raw)
    assert key
    key.encode()
    try:
        found = adapter.parse(raw, AccountConfig("a", adapter.kind))
    except Unreadable:
        return
    for item in found:
        texts = [item.external_id, item.guest_external_id, item.guest_name, item.text, item.conversation, item.reply_to, item.subject]
        texts += [part for one in item.attachments for part in (one.ref, one.name, one.mime)]
        for text in [*texts, json.dumps(dict(item.extra), ensure_ascii=False)]:
            assert "\x00" not in text
            text.encode()
        assert item.external_id
        assert item.sent_at.tzinfo is not None
        assert item.kind is not InboundKind.MESSAGE or item.text or item.attachments
        assert item.edited_at is None or item.edited_at.tzinfo is not None


# The way through the database.
def an_account(kind, settings, **secrets):
    return b.an_account(kind, settings=settings, **secrets)


def ask(account, *, now=None):
    """Ask the provider once more at once; the number of new events."""
    now = now or timezone.now()
    polling.find_due(now=now)
    PollPosition.objects.filter(account=account).update(next_at=now)
    return polling.poll(account.pk, now=now)


def process():
    for pk in InboundEvent.objects.filter(state=EventState.RECEIVED).order_by("pk").values_list("pk", flat=True):
        journal.process(pk, now=timezone.now())


def answer(session, text, by, uploads=()):
    """An operator answers; the attempt is sent at once, again after faults without their pauses. Returns the message."""
    if session.state != SessionState.ACTIVE:
        type(session).objects.filter(pk=session.pk).update(state=SessionState.ACTIVE, owner=by)
    message = answering.answer(session_id=session.pk, text=text, by=by, now=timezone.now(), uploads=uploads)
    settle()
    message.refresh_from_db()
    return message


def settle(rounds=8):
    """Send what waits, whatever pauses were asked for."""
    later = timezone.now()
    for _time in range(rounds):
        later += timedelta(hours=1)
        for pk in sending.find_due(now=later):
            sending.send(pk, now=later)


def adapter_named(kind):
    return adapter_for(kind)


def a_word_beside_our_answer(server, account, chat):
    """The buyer's second word stands there when our answer takes the chat off the list: it is read with the list of every chat."""
    server.guest("Где заказ?")
    ask(account)
    server.guest("И где чек?")
    server.take(server.chats[chat], {}, "Заказ в пути")
    ask(account)
    process()
    assert "И где чек?" not in said_by_guests()
    position = PollPosition.objects.get()
    PollPosition.objects.update(cursor={**position.cursor, "every_at": position.cursor["every_at"] - chat_sweep.EVERY_SECONDS})
    ask(account)
    process()
    assert sorted(said_by_guests()) == ["Где заказ?", "И где чек?"]


def said_by_guests():
    return list(Message.objects.filter(direction=Direction.IN).values_list("text", flat=True))
