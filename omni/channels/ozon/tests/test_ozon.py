"""Ozon: what notifications and histories turn into, questions and answers on the wire with each fault."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    DeliveryState,
    Failed,
    InboundAttachment,
    InboundKind,
    OutgoingFile,
    Reason,
    Retry,
    Sent,
    Unreadable,
    Unverified,
)
from omni.channels.ozon.adapter import OzonAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.ozon import API_KEY, CHAT, CLIENT_ID, OzonServer
from tests.providers.polled import ApiError

ADAPTER = OzonAdapter()
FOLDER = Path(__file__).parent / "samples"
PUSHES = json.loads((FOLDER / "pushes.json").read_text("utf-8"))
HISTORY = json.loads((FOLDER / "history.json").read_text("utf-8"))
ASKED = {"chat_id": "c-1"}
PNG = OutgoingFile("полка.png", "image/png", b"\x89PNG demo")


@pytest.fixture(scope="module")
def frame():
    with Frame(OzonServer(page=3)) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    yield found
    assert [one["text"] for one in found.violations.after()] == []
    found.reset()


@pytest.fixture
def account(frame, server):
    return account_of(frame)


def account_of(frame, **changes) -> AccountConfig:
    secrets = {"client_id": CLIENT_ID, "api_key": API_KEY, "push_key": "push-secret"} | changes.pop("secrets", {})
    return p.config_of("ozon", {"api_base": frame.url, "read_timeout": 1} | changes, secrets)


def parse(value, query=None):
    return list(ADAPTER.parse(p.event(value, query), AccountConfig("a", "ozon")))


PUSHED = [
    (InboundKind.MESSAGE, "c-1:3000000000118032001", "Добрый день! Молоко прокисло."),
    (InboundKind.EDIT, "c-1:3000000000118032001", "Молоко и творог прокисли."),
    (InboundKind.STATUS, "c-1:3000000000118032009", ""),
    (InboundKind.IGNORED, "push:TYPE_MESSAGE_READ:c-1:3000000000118032009:3000000000118032009", "прочитано не покупателем"),
    (InboundKind.IGNORED, "push:TYPE_CHAT_CLOSED:c-1", "чат закрыт на площадке"),
    (InboundKind.IGNORED, "push:TYPE_NEW_MESSAGE:c-2:5", "уведомление вида «TYPE_NEW_MESSAGE» не обрабатывается"),
    (InboundKind.IGNORED, "push:TYPE_NEW_POSTING:24219509-0020-1", "уведомление вида «TYPE_NEW_POSTING» не обрабатывается"),
    (InboundKind.IGNORED, "sha256:", "уведомление вида «TYPE_PING» не обрабатывается"),
    (InboundKind.IGNORED, "push:TYPE_TELEPATHY:c-1", "уведомление вида «TYPE_TELEPATHY» не обрабатывается"),
]


@pytest.mark.parametrize(("sample", "expected"), list(zip(PUSHES, PUSHED, strict=True)))
def test_notifications(sample, expected):
    (item,) = parse(sample)
    assert item.external_id.startswith(expected[1])
    assert (item.kind, item.text) == (expected[0], expected[2])


def test_when_who_and_where():
    item, edit, status = (parse(PUSHES[number])[0] for number in range(3))
    assert (item.sent_at, item.conversation, item.guest_external_id) == (datetime(2026, 3, 3, 8, 5, 5, 123456, tzinfo=UTC), "c-1", "c-1")
    assert edit.edited_at == datetime(2026, 3, 3, 8, 6, 5, tzinfo=UTC)
    assert status.state is DeliveryState.READ


HISTORY_ITEMS = [
    (InboundKind.MESSAGE, "Молоко прокисло", []),
    (InboundKind.MESSAGE, "Вот", ["https://api-seller.ozon.ru/v2/chat/file/a.jpg"]),
    (InboundKind.MESSAGE, "", ["https://api-seller.ozon.ru/v2/chat/file/b.jpg"]),
    (InboundKind.MESSAGE, "[изображение на проверке у площадки]", []),
    (InboundKind.MESSAGE, "[пустое сообщение]", []),
    (InboundKind.IGNORED, "сообщение не покупателя (Seller): Здравствуйте!", []),
    (InboundKind.IGNORED, "сообщение не покупателя (NotificationUser): Заказ доставлен", []),
]


def test_a_history():
    found = parse(HISTORY, ASKED)
    assert [(item.kind, item.text, [one.ref for one in item.attachments]) for item in found] == HISTORY_ITEMS
    assert found[0].external_id == parse(PUSHES[0])[0].external_id, "the same message, however it came"
    assert found[0].extra == {"order": "0001-77", "sku": "77001234"}
    assert [item.sequence for item in found] == sorted(item.sequence for item in found)


def test_keys():
    assert ADAPTER.event_key(p.event(HISTORY, ASKED)) == "history:c-1:3000000000118032001-3000000000118032007:7"
    keys = [ADAPTER.event_key(p.event(sample)) for sample in PUSHES]
    assert len(set(keys)) == len(keys) - 1, "two reads up to one message are one"


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"{}", b'{"messages": []}', b'{"message_type": "TYPE_NEW_MESSAGE", "chat_id": "1"}'])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parse(body)


@given(p.spoiled([*PUSHES, HISTORY]), st.sampled_from([None, ASKED]))
def test_spoiled_samples(value, query):
    p.check_parse(ADAPTER, p.event(value, query))


@given(st.binary(max_size=100) | p.anything())
def test_anything(value):
    p.check_parse(ADAPTER, p.event(value, ASKED))


@pytest.mark.parametrize(("secret", "given_key"), [("right", "wrong"), ("right", ""), ("", ""), ("right", "прав\udcff"), ("right", None)])
def test_a_wrong_key_is_refused(secret, given_key):
    query = {} if given_key is None else {"key": given_key}
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(PUSHES[0], query), AccountConfig("a", "ozon", {}, {"push_key": secret}))


def test_the_right_key_passes():
    ADAPTER.verify(p.event(PUSHES[0], {"key": "right"}), AccountConfig("a", "ozon", {}, {"push_key": "right"}))


def test_replies():
    pong = json.loads(ADAPTER.reply(p.event(PUSHES[7]), AccountConfig("a", "ozon")).body)
    assert set(pong) == {"version", "name", "time"}
    assert json.loads(ADAPTER.reply(p.event(PUSHES[0]), AccountConfig("a", "ozon")).body) == {"result": True}
    assert json.loads(ADAPTER.reply(p.event(b"\xff"), AccountConfig("a", "ozon")).body) == {"result": True}


def test_all_that_was_said_comes_once_and_in_order(server, account):
    for number in range(16):
        server.guest(f"Сообщение {number}", id=f"c-{number % 4}")
    server.guest("Из поддержки", id="s-1", chat_type="Seller_Support", type="Support")
    events, cursor = p.read_all(ADAPTER, account)
    found = {item.external_id: item for item in p.items(ADAPTER, events)}
    for chat in range(4):
        texts = [item.text for item in found.values() if item.conversation == f"c-{chat}"]
        assert texts == [f"Сообщение {number}" for number in range(chat, 16, 4)]
    assert len(found) == 16
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Ещё", id="c-0")
    events, cursor = p.read_all(ADAPTER, account, cursor)
    assert p.items(ADAPTER, events)[-1].text == "Ещё"


def test_what_somebody_else_read_meanwhile_is_not_lost(server, account):
    server.guest("Первое")
    _events, cursor = p.read_all(ADAPTER, account)
    server.guest("Второе")
    server.chats[CHAT].unread.clear()
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Третье")
    texts = [item.text for item in p.items(ADAPTER, p.read_all(ADAPTER, account, cursor)[0])]
    assert texts[-2:] == ["Второе", "Третье"]


@pytest.mark.parametrize("method", ["list", "history"])
@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after, method):
    server.guest("Сообщение")
    met = p.meets(ADAPTER, server, account, Fault(fault.kind, fault.seconds, fault.status, method))
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


def test_a_chat_that_cannot_be_read_holds_up_no_other(server, account):
    for number in range(3):
        server.guest(f"Сообщение {number}", id=f"c-{number}")
    server.faults.add(Fault(FaultKind.SERVER_ERROR, status=404, method="history"))
    events, cursor = p.read_all(ADAPTER, account)
    assert len(events) == 2
    server.guest("Снова", id="c-0")
    assert [item.text for item in p.items(ADAPTER, p.read_all(ADAPTER, account, cursor)[0])] == ["Сообщение 0", "Снова"]


def test_a_fault_in_the_middle_keeps_what_was_read(server, account):
    for number in range(3):
        server.guest(f"Сообщение {number}", id=f"c-{number}")
    listed = ADAPTER.poll(account, {}, now=p.RECEIVED)
    original = server.history
    calls = []

    def failing(request, found):
        calls.append(1)
        if len(calls) == 2:
            raise ApiError(500, "out of order")
        return original(request, found)

    server.history = failing
    try:
        page = ADAPTER.poll(account, listed.cursor, now=p.RECEIVED)
    finally:
        server.history = original
    assert len(page.events) == 1
    assert page.more
    events, _cursor = p.read_all(ADAPTER, account, page.cursor)
    assert len(events) == 2


def test_keys_that_are_none(frame, server):
    for secrets in ({"api_key": ""}, {"client_id": ""}, {"api_key": "ключ"}):
        with pytest.raises(p.PollFault) as caught:
            p.read_all(ADAPTER, account_of(frame, secrets=secrets))
        assert caught.value.refused
        result = ADAPTER.send(p.outgoing("Ответ", recipient=CHAT), account_of(frame, secrets=secrets))
        assert isinstance(result, Failed)
        assert result.reason is Reason.ACCOUNT_REFUSED


def send(account, text="Ответ", *files, **changes):
    return ADAPTER.send(p.outgoing(text, *files, **{"recipient": CHAT, **changes}), account)


def test_files_and_text_arrive_as_they_are(server, account):
    server.guest("Вопрос")
    text = "Добрый день! <b>Чек</b> & 😀\nвторая строка"
    result = send(account, text, PNG, key="k")
    assert result == Sent((f"{CHAT}:sent:k:0", f"{CHAT}:sent:k:1"))
    entries = server.accepted.after()
    assert [(entry["method"], entry.get("text", entry.get("name"))) for entry in entries] == [("file", "полка.png"), ("message", text)]


REFUSED = {
    "1001 letters": ({"text": "я" * 1001}, "text_too_long", Reason.TOO_LONG),
    "nothing": ({"text": " "}, "empty", Reason.REJECTED),
    "no recipient": ({"recipient": ""}, "no_recipient", Reason.REJECTED),
    "unknown chat": ({"recipient": "nobody"}, "chat_not_found", Reason.CONTACT_GONE),
    "closed chat": ({"recipient": "closed"}, "chat_closed", Reason.WINDOW_CLOSED),
    "empty file": ({"files": [OutgoingFile("a.png", "image/png", b"")]}, "empty_file", Reason.REJECTED),
}


@pytest.mark.parametrize(("changes", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_for_good(server, account, changes, code, reason):
    server.guest("Вопрос", id="closed")
    server.chats["closed"].status = "CLOSED"
    changes = dict(changes)
    files = changes.pop("files", ())
    result = send(account, changes.pop("text", "Ответ"), *files, **changes)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


SEND_FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=9), Retry("throttled", "throttled on demand", after=9.0, whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry("http_500", "server_error on demand"), 0),
    "garbage": (Fault(FaultKind.GARBAGE, status=503), Retry("http_503", "HTTP 503"), 0),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "late": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), Retry("no_answer", "ReadTimeout", unknown=True), 1),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=True),
        1,
    ),
    "not allowed": (Fault(FaultKind.BLOCKED), Failed("not_allowed", "blocked on demand", Reason.WINDOW_CLOSED), 0),
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("key_refused", "token_revoked on demand", Reason.ACCOUNT_REFUSED), 0),
}


@pytest.mark.parametrize(("fault", "result", "arrived"), SEND_FAULTS.values(), ids=SEND_FAULTS)
def test_faults_of_a_send(server, account, fault, result, arrived):
    server.guest("Вопрос")
    server.faults.add(fault)
    assert send(account) == result
    assert len(server.accepted.after()) == arrived


def test_the_next_attempt_begins_with_the_part_that_failed(server, account):
    server.guest("Вопрос")
    server.faults.add(Fault(FaultKind.SERVER_ERROR, method="message"))
    result = send(account, "Текст", PNG, key="k")
    assert isinstance(result, Retry)
    assert result.sent == (f"{CHAT}:sent:k:0",)
    assert isinstance(send(account, "Текст", PNG, key="k", already_sent=result.sent), Sent)
    assert [entry["method"] for entry in server.accepted.after()] == ["file", "message"]


def test_a_wrong_key_refuses_the_account(frame, server):
    result = send(account_of(frame, secrets={"api_key": "wrong"}))
    assert result == Failed("key_refused", "Invalid Api-Key, please contact support", Reason.ACCOUNT_REFUSED)


def test_files(server, account):
    server.guest("", image=b"\xff\xd8 data")
    (item,) = p.items(ADAPTER, p.read_all(ADAPTER, account)[0])
    assert ADAPTER.fetch(item.attachments[0], account, limit=100) == b"\xff\xd8 data"
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=5)
    for ref in ("/v2/chat/file/none", "", "http://10.0.0.1/a", "http://["):
        with pytest.raises(AttachmentGone):
            ADAPTER.fetch(InboundAttachment(AttachmentKind.IMAGE, ref), account, limit=100)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    (found,) = ADAPTER.check(account_of(frame, secrets={"api_key": "wrong"}), "")
    assert not found.works
    assert "Invalid Api-Key" in found.text
