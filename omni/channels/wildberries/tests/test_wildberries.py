"""Wildberries: what events turn into, questions and answers on the wire with each fault."""

import json
import time
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
from omni.channels.wildberries.adapter import WildberriesAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.wildberries import TOKEN, WildberriesServer

ADAPTER = WildberriesAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "events.json").read_text("utf-8"))
CHAT = "1:chat"
PNG = OutgoingFile("полка.png", "image/png", b"\x89PNG demo")


@pytest.fixture(scope="module")
def frame():
    with Frame(WildberriesServer()) as running:
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


def account_of(frame, token=TOKEN, **settings) -> AccountConfig:
    own = {"api_base": frame.url, "feedbacks_base": frame.url, "read_timeout": 1, "reviews": True}
    return p.config_of("wildberries", own | settings, {"token": token})


def parsed(sample, query=None):
    (item,) = ADAPTER.parse(p.event(sample, query), AccountConfig("a", "wildberries"))
    return item


TABLE = [
    (InboundKind.MESSAGE, "1:aaa:e1", "Сыр пришёл открытым\n[товар] артикул 77001234, 199 RUB, нужен возврат", []),
    (InboundKind.MESSAGE, "1:aaa:e2", "", [("image", "download:d-1", "photo.jpg"), ("document", "download:d-2", "чек.pdf")]),
    (InboundKind.IGNORED, "1:aaa:e3", "сообщение не покупателя: Здравствуйте!", []),
    (InboundKind.MESSAGE, "1:aaa:e4", "[событие вида «refund»]", []),
    (InboundKind.MESSAGE, "1:aaa:e5", "[пустое сообщение]", []),
    (
        InboundKind.MESSAGE,
        "feedback:rv1",
        "★★★★☆ Сыр полутвёрдый, 200 г\nВкусно\nДостоинства: Свежий",
        [("image", "https://photos.example/1.jpg", "photo.jpg")],
    ),
    (InboundKind.MESSAGE, "feedback:rv2", "★☆☆☆☆ [отзыв без текста]", []),
]


@pytest.mark.parametrize(("sample", "expected"), list(zip(SAMPLES, TABLE, strict=True)))
def test_samples(sample, expected):
    item = parsed(sample)
    assert (item.kind, item.external_id, item.text, [(a.kind.value, a.ref, a.name) for a in item.attachments]) == expected


def test_who_when_and_where():
    item = parsed(SAMPLES[0])
    assert (item.guest_external_id, item.conversation, item.guest_name) == ("1:aaa", "1:aaa", "Анна Демо")
    assert item.sent_at == datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC)
    review = parsed(SAMPLES[5])
    assert (review.conversation, review.guest_name, review.extra["rating"]) == ("feedback:rv1", "Борис", 4)


def test_another_version_of_a_review_is_an_edit():
    assert parsed(SAMPLES[5], {"changed": "1"}).kind is InboundKind.EDIT


def test_keys():
    keys = [ADAPTER.event_key(p.event(sample)) for sample in SAMPLES]
    assert keys[:5] == ["event:e1", "event:e2", "event:e3", "event:e4", "event:e5"]
    changed = {**SAMPLES[5], "text": "Уже не вкусно"}
    answered = {**SAMPLES[5], "answer": {"text": "Спасибо"}}
    assert keys[5].startswith("feedback:rv1:")
    assert ADAPTER.event_key(p.event(changed)) != keys[5] == ADAPTER.event_key(p.event(answered))


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"chatID": "1"}', b'{"eventID": 5}', b"{}"])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        ADAPTER.parse(p.event(body), AccountConfig("a", "wildberries"))


@given(p.spoiled(SAMPLES))
def test_spoiled_samples(value):
    p.check_parse(ADAPTER, p.event(value))


@given(st.binary(max_size=100) | p.anything())
def test_anything(value):
    p.check_parse(ADAPTER, p.event(value))


def test_nobody_posts_here(account):
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(SAMPLES[0]), account)


def test_all_that_was_said_comes_once_and_in_order(server, account):
    for number in range(12):
        server.guest(f"Сообщение {number}", id=f"1:{number % 3}")
    events, cursor = p.read_all(ADAPTER, account)
    assert [item.text for item in p.items(ADAPTER, events)] == [f"Сообщение {number}" for number in range(12)]
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Ещё", id="1:0")
    assert len(p.read_all(ADAPTER, account, cursor)[0]) == 1


def test_a_new_account_does_not_bring_last_years_chats(server, account):
    server.guest("Давно")["addTimestamp"] = int((time.time() - 3 * 86400) * 1000)
    server.guest("Сейчас")
    assert [item.text for item in p.items(ADAPTER, p.read_all(ADAPTER, account)[0])] == ["Сейчас"]


def test_reviews_come_once_and_again_when_changed(server, account):
    for number in range(3):
        server.guest(f"Отзыв {number}", id=f"r{number}", stars=5)
    events, cursor = p.read_all(ADAPTER, account)
    assert len(events) == 3
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Передумал", id="r1", stars=2)
    events, _cursor = p.read_all(ADAPTER, account, cursor)
    (item,) = p.items(ADAPTER, events)
    assert (item.kind, item.external_id) == (InboundKind.EDIT, "feedback:r1")
    assert item.text.endswith("Передумал")


def test_reviews_are_not_asked_for_unless_wished(frame, server):
    server.guest("Отзыв", stars=5)
    assert p.read_all(ADAPTER, account_of(frame, reviews=False))[0] == []


@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after):
    server.guest("Сообщение")
    met = p.meets(ADAPTER, server, account, fault)
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


@pytest.mark.parametrize("token", ["", "ключ", "a\nb"])
def test_a_key_that_is_none(frame, server, token):
    with pytest.raises(p.PollFault) as caught:
        p.read_all(ADAPTER, account_of(frame, token=token))
    assert caught.value.refused
    result = ADAPTER.send(p.outgoing("Ответ"), account_of(frame, token=token))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def send(account, text="Ответ", *files, **changes):
    return ADAPTER.send(p.outgoing(text, *files, **{"recipient": CHAT, **changes}), account)


def test_an_answer_arrives_as_it_is(server, account):
    server.guest("Вопрос", id=CHAT)
    text = "Добрый день! <b>Чек</b> & 😀\nвторая строка"
    result = send(account, text, PNG)
    assert isinstance(result, Sent)
    (entry,) = server.accepted.after()
    assert (entry["text"], entry["chat"]) == (text, CHAT)
    assert entry["files"] == [{"name": "полка.png", "size": len(PNG.data)}]
    assert result.external_ids[0].startswith(f"{CHAT}:sent:")


def test_the_answer_to_a_review(server, account):
    server.guest("Вкусно", id="r1", stars=5)
    result = send(account, "Спасибо", recipient="feedback:r1", key="k")
    assert result == Sent(("feedback:r1:k",))
    assert server.reviews[0]["answer"]["text"] == "Спасибо"


REFUSED = {
    "1001 letters": ({"text": "я" * 1001}, "text_too_long", Reason.TOO_LONG),
    "nothing": ({"text": " "}, "empty", Reason.REJECTED),
    "half an emoji": ({"text": "\ud83d"}, "unsendable_text", Reason.REJECTED),
    "no recipient": ({"recipient": ""}, "no_recipient", Reason.REJECTED),
    "unknown chat": ({"recipient": "1:nobody"}, "chat_not_found", Reason.CONTACT_GONE),
    "file of another type": ({"files": [OutgoingFile("a.exe", "application/x-dosexec", b"MZ")]}, "file_type", Reason.REJECTED),
    "file over 5 MB": ({"files": [OutgoingFile("a.png", "image/png", bytes(5 * 1024**2 + 1))]}, "file_too_large", Reason.REJECTED),
    "a review's answer of one letter": ({"recipient": "feedback:r1", "text": "я"}, "text_too_short", Reason.REJECTED),
    "no such review": ({"recipient": "feedback:none"}, "not_found", Reason.CONTACT_GONE),
}


@pytest.mark.parametrize(("changes", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_for_good(server, account, changes, code, reason):
    files = changes.pop("files", ())
    result = send(account, changes.pop("text", "Ответ"), *files, **changes)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


SEND_FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=9), Retry("throttled", "throttled on demand", after=9.0, whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry("http_500", "server_error on demand"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "server_error on demand", unknown=True), 0),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "late": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), Retry("no_answer", "ReadTimeout", unknown=True), 1),
    "no right": (Fault(FaultKind.BLOCKED), Failed("key_has_no_right", "blocked on demand", Reason.ACCOUNT_REFUSED), 0),
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("key_refused", "token_revoked on demand", Reason.ACCOUNT_REFUSED), 0),
}


@pytest.mark.parametrize(("fault", "result", "arrived"), SEND_FAULTS.values(), ids=SEND_FAULTS)
def test_faults_of_a_send(server, account, fault, result, arrived):
    server.guest("Вопрос", id=CHAT)
    server.faults.add(Fault(fault.kind, fault.seconds, fault.status, "message"))
    assert send(account) == result
    assert len(server.accepted.after()) == arrived


def test_garbage_after_a_send(server, account):
    server.guest("Вопрос", id=CHAT)
    server.faults.add(Fault(FaultKind.GARBAGE_AFTER_ACCEPTING, method="message"))
    result = send(account)
    assert isinstance(result, Retry)
    assert result.unknown


def test_nothing_was_sent_when_only_the_signature_could_not_be_asked(server, account):
    server.guest("Вопрос", id=CHAT)
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING, method="chats"))
    result = send(account)
    assert isinstance(result, Retry)
    assert not result.unknown


def test_a_signature_that_was_replaced_is_asked_for_anew(server, account):
    server.guest("Вопрос", id=CHAT)
    assert isinstance(send(account), Sent)
    server.signs[CHAT] = "another"
    assert isinstance(send(account), Sent)
    assert len(server.accepted.after()) == 2


def attachment(ref):
    return InboundAttachment(AttachmentKind.IMAGE, ref)


def test_files(server, account):
    server.guest("", id=CHAT, images=[b"\x89PNG data"])
    (item,) = p.items(ADAPTER, p.read_all(ADAPTER, account)[0])
    assert ADAPTER.fetch(item.attachments[0], account, limit=100) == b"\x89PNG data"
    with pytest.raises(AttachmentTooLarge):
        ADAPTER.fetch(item.attachments[0], account, limit=5)
    for ref in ("download:none", "", "nonsense", "http://10.0.0.1/a", "file:///etc/passwd", "http://[", "http://127.0.0.1:1/a"):
        with pytest.raises(AttachmentGone):
            ADAPTER.fetch(attachment(ref), account, limit=100)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    (found,) = ADAPTER.check(account_of(frame, token="wrong"), "")
    assert not found.works
    assert "unauthorized" in found.text
    (found,) = ADAPTER.check(account_of(frame, api_base="http://127.0.0.1:1"), "")
    assert not found.works
