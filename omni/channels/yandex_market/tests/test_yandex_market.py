"""Yandex Market: what histories and notifications turn into, questions and answers on the wire with each fault."""

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
from omni.channels.yandex_market.adapter import YandexMarketAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.yandex_market import API_KEY, BUSINESS, CHAT, YandexMarketServer

ADAPTER = YandexMarketAdapter()
FOLDER = Path(__file__).parent / "samples"
PUSHES = json.loads((FOLDER / "pushes.json").read_text("utf-8"))
HISTORY = json.loads((FOLDER / "history.json").read_text("utf-8"))
ASKED = {"chatId": "55"}
PDF = OutgoingFile("чек «1».pdf", "application/pdf", b"%PDF demo")


@pytest.fixture(scope="module")
def frame():
    with Frame(YandexMarketServer(page=3)) as running:
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


def account_of(frame, api_key=API_KEY, **changes) -> AccountConfig:
    settings = {"api_base": frame.url, "read_timeout": 1, "business_id": BUSINESS} | changes
    return p.config_of("yandex_market", settings, {"api_key": api_key})


def parse(value, query=None):
    return list(ADAPTER.parse(p.event(value, query), AccountConfig("a", "yandex_market")))


def test_a_history():
    found = parse(HISTORY, ASKED)
    assert [(item.kind, item.external_id, item.text) for item in found] == [
        (InboundKind.MESSAGE, "55:7001", "Хлеб чёрствый"),
        (InboundKind.MESSAGE, "55:7002", ""),
        (InboundKind.MESSAGE, "55:7003", "[пустое сообщение]"),
        (InboundKind.IGNORED, "55:7004", "сообщение не покупателя (PARTNER): Здравствуйте!"),
        (InboundKind.IGNORED, "55:7005", "сообщение не покупателя (MARKET): Открыт спор"),
        (InboundKind.IGNORED, "55:7006", "сообщение не покупателя (?): ?"),
    ]
    first = found[0]
    assert (first.guest_name, first.conversation, first.sent_at) == ("Анна Демо", "55", datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC))
    assert first.extra == {"order": "9055", "about": "ORDER"}
    files = [(one.kind, one.ref, one.name, one.size) for one in found[1].attachments]
    assert files == [
        (AttachmentKind.IMAGE, "https://files.example/1", "фото.JPG", 2048),
        (AttachmentKind.DOCUMENT, "https://files.example/2", "чек.pdf", None),
    ]


def test_notifications_only_have_us_ask():
    found = [parse(push)[0] for push in PUSHES]
    assert {item.kind for item in found} == {InboundKind.IGNORED}
    assert [item.text for item in found[1:3]] == ["чат будет прочитан"] * 2
    assert [ADAPTER.wakes(p.event(push), account) for push in PUSHES for account in [None]] == [False, True, True, False]
    assert not ADAPTER.wakes(p.event(b"\xff"), None)


def test_keys():
    assert ADAPTER.event_key(p.event(HISTORY, ASKED)) == "history:55:7001-7006:6"
    assert len({ADAPTER.event_key(p.event(push)) for push in PUSHES}) == 4


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"{}", b'{"result": {"messages": []}}', b'{"result": []}'])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parse(body)


@given(p.spoiled([*PUSHES, HISTORY]), st.sampled_from([None, ASKED]))
def test_spoiled_samples(value, query):
    p.check_parse(ADAPTER, p.event(value, query))


@given(st.binary(max_size=100) | p.anything())
def test_anything(value):
    p.check_parse(ADAPTER, p.event(value, ASKED))


@pytest.mark.parametrize("business", [BUSINESS, str(BUSINESS)])
def test_notifications_of_this_business_pass(business):
    for push in PUSHES:
        ADAPTER.verify(p.event(push), AccountConfig("a", "yandex_market", {"business_id": business}))


REFUSED_PUSHES = [
    ({"business_id": BUSINESS}, {**PUSHES[1], "businessId": 1}),
    ({}, PUSHES[1]),
    ({"business_id": BUSINESS}, {"businessId": BUSINESS}),
    ({"business_id": BUSINESS}, HISTORY),
    ({"business_id": BUSINESS}, b"\xff"),
]


@pytest.mark.parametrize(("settings", "body"), REFUSED_PUSHES)
def test_anything_else_is_refused(settings, body):
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(body), AccountConfig("a", "yandex_market", settings))


def test_the_reply_says_who_and_when():
    assert set(json.loads(ADAPTER.reply(p.event(PUSHES[0]), None).body)) == {"version", "name", "time"}


def test_all_that_was_said_comes_once_and_in_order(server, account):
    for number in range(20):
        server.guest(f"Сообщение {number}", id=1 + number % 5)
    events, cursor = p.read_all(ADAPTER, account)
    found = {item.external_id: item for item in p.items(ADAPTER, events)}
    for chat in range(5):
        texts = [item.text for item in found.values() if item.conversation == str(1 + chat)]
        assert texts == [f"Сообщение {number}" for number in range(chat, 20, 5)]
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Ещё", id=1)
    events, _cursor = p.read_all(ADAPTER, account, cursor)
    assert p.items(ADAPTER, events)[-1].text == "Ещё"


def test_what_somebody_else_answered_meanwhile_is_not_lost(server, account):
    server.guest("Первое")
    _events, cursor = p.read_all(ADAPTER, account)
    server.guest("Второе")
    server.chats[CHAT].status = "WAITING_FOR_CUSTOMER"
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Третье")
    texts = [item.text for item in p.items(ADAPTER, p.read_all(ADAPTER, account, cursor)[0])]
    assert texts == ["Первое", "Второе", "Третье"]


def test_thousands_of_chats_are_remembered_within_bounds(server, account, monkeypatch):
    monkeypatch.setattr("omni.channels.chat_sweep.KNOWN", 4)
    for number in range(9):
        server.guest("Сообщение", id=1 + number)
    events, cursor = p.read_all(ADAPTER, account)
    assert len(events) == 9
    assert set(cursor["known"]) == {"6", "7", "8", "9"}, "those that changed last"


@pytest.mark.parametrize("method", ["list", "history"])
@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after, method):
    server.guest("Сообщение")
    met = p.meets(ADAPTER, server, account, Fault(fault.kind, fault.seconds, fault.status, method))
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


def test_accounts_that_lack_something(frame, server):
    for account in (account_of(frame, api_key=""), account_of(frame, api_key="ключ"), account_of(frame, business_id=None)):
        with pytest.raises(p.PollFault) as caught:
            p.read_all(ADAPTER, account)
        assert caught.value.refused
        result = ADAPTER.send(p.outgoing("Ответ", recipient="55"), account)
        assert isinstance(result, Failed)
        assert result.reason is Reason.ACCOUNT_REFUSED


def test_an_error_that_calls_itself_a_success(server, account, monkeypatch):
    monkeypatch.setattr(server, "list_chats", lambda request, found: {"status": "ERROR", "errors": [{"code": "X", "message": "not today"}]})
    with pytest.raises(p.PollFault, match="not today"):
        p.read_all(ADAPTER, account)


def send(account, text="Ответ", *files, **changes):
    return ADAPTER.send(p.outgoing(text, *files, **{"recipient": str(CHAT), **changes}), account)


def test_files_and_text_arrive_as_they_are(server, account):
    server.guest("Вопрос")
    text = "Добрый день! <b>Чек</b> & 😀\nвторая строка"
    assert send(account, text, PDF, key="k") == Sent((f"{CHAT}:sent:k:0", f"{CHAT}:sent:k:1"))
    entries = server.accepted.after()
    assert [(entry["method"], entry.get("text", entry.get("name"))) for entry in entries] == [("file", PDF.name), ("message", text)]


REFUSED = {
    "4097 letters": ({"text": "я" * 4097}, "text_too_long", Reason.TOO_LONG),
    "nothing": ({"text": " "}, "empty", Reason.REJECTED),
    "no recipient": ({"recipient": ""}, "no_recipient", Reason.REJECTED),
    "unknown chat": ({"recipient": "1"}, "chat_not_found", Reason.CONTACT_GONE),
    "closed chat": ({"recipient": "77"}, "chat_closed", Reason.WINDOW_CLOSED),
    "file over 5 MB": ({"files": [OutgoingFile("a.png", "image/png", bytes(5 * 1024**2 + 1))]}, "file_too_large", Reason.REJECTED),
}


@pytest.mark.parametrize(("changes", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_for_good(server, account, changes, code, reason):
    server.guest("Вопрос", id=77)
    server.chats[77].status = "FINISHED"
    changes = dict(changes)
    files = changes.pop("files", ())
    result = send(account, changes.pop("text", "Ответ"), *files, **changes)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


SEND_FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=9), Retry("throttled", "throttled on demand", after=9.0, whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry("http_500", "server_error on demand"), 0),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "late": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), Retry("no_answer", "ReadTimeout", unknown=True), 1),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=True),
        1,
    ),
    "no right": (Fault(FaultKind.BLOCKED), Failed("key_has_no_right", "blocked on demand", Reason.ACCOUNT_REFUSED), 0),
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("key_refused", "token_revoked on demand", Reason.ACCOUNT_REFUSED), 0),
}


@pytest.mark.parametrize(("fault", "result", "arrived"), SEND_FAULTS.values(), ids=SEND_FAULTS)
def test_faults_of_a_send(server, account, fault, result, arrived):
    server.guest("Вопрос")
    server.faults.add(fault)
    assert send(account) == result
    assert len(server.accepted.after()) == arrived


def test_files(server, account):
    server.guest("", file=b"\xff\xd8 data")
    (item,) = p.items(ADAPTER, p.read_all(ADAPTER, account)[0])
    assert ADAPTER.fetch(item.attachments[0], account, limit=100) == b"\xff\xd8 data"
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=5)
    for ref in ("/chat-files/none", "", "http://10.0.0.1/a", "http://["):
        with pytest.raises(AttachmentGone):
            ADAPTER.fetch(InboundAttachment(AttachmentKind.IMAGE, ref), account, limit=100)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    (found,) = ADAPTER.check(account_of(frame, api_key="wrong"), "")
    assert not found.works
    assert "Api key is wrong" in found.text
