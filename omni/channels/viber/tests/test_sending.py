"""Sends, files and set-up against the Viber server, with each fault."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from omni.channels.contract import (
    AttachmentGone,
    AttachmentKind,
    AttachmentTooLarge,
    ConnectFault,
    Failed,
    InboundAttachment,
    OutgoingFile,
    RawEvent,
    Reason,
    Retry,
    Sent,
    Template,
)
from omni.channels.viber.adapter import ViberAdapter
from omni.channels.viber.client import Answer
from omni.channels.viber.errors import PERMANENT, verdict
from omni.channels.viber.sending import file_name
from omni.channels.viber.tests.conftest import GUEST, account_of, outgoing, pdf, photo
from tests.channel_checks import RECEIVED
from tests.providers.faults import Fault, FaultKind
from tests.providers.viber import AUTH_TOKEN

ADAPTER = ViberAdapter()
send, fetch = ADAPTER.send, ADAPTER.fetch


def clean(server):
    assert [entry["text"] for entry in server.violations.after()] == []


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & *звёздочка* 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((entry["id"],))
    assert int(entry["id"]) > 2**53
    assert (entry["text"], entry["to"], entry["sender"], entry["key"]) == (text, GUEST, "Лукошко", "k1")
    clean(server)


BIG = b"x" * (1024**2 + 1)
SHAPES = {
    "photo with text": (("Вот", photo()), [("picture", "Вот", "", None)]),
    "photo alone": (("", photo()), [("picture", "", "", None)]),
    "text too long for a photo": (("я" * 769, photo()), [("picture", "", "", None), ("text", "я" * 769, "", None)]),
    "document and text": (("Чек", pdf(data=b"1234")), [("file", "", "чек «1».pdf", 4), ("text", "Чек", "", None)]),
    "a photo over 1 MB goes as a file": (("", OutgoingFile("p.png", "image/png", BIG)), [("file", "", "p.png", len(BIG))]),
    "film": (("", OutgoingFile("a.mp4", "video/mp4", b"123")), [("video", "", "", 3)]),
    "nameless": (("", OutgoingFile("", "", b"x")), [("file", "", "file.bin", 1)]),
}


@pytest.mark.parametrize(("message", "calls"), SHAPES.values(), ids=SHAPES)
def test_files(server, account, message, calls):
    result = send(outgoing(*message), account)
    entries = server.accepted.after()
    assert [(entry["type"], entry["text"], entry["file_name"], entry["size"]) for entry in entries] == calls
    assert result == Sent(tuple(entry["id"] for entry in entries))
    clean(server)


@pytest.mark.parametrize(
    ("name", "sent"),
    [("a" * 300 + ".pdf", "a" * 252 + ".pdf"), (".htaccess", ".htaccess.bin"), ("x." + "y" * 300, 256), ("чек", "чек.bin")],
)
def test_file_names(name, sent):
    found = file_name(OutgoingFile(name, "", b"x"))
    assert len(found) <= 256
    assert found == sent if isinstance(sent, str) else len(found) == sent


REFUSED = {
    "7001 letters": (outgoing("я" * 7001), "text_too_long"),
    "28 KB of emoji are within the limits": (outgoing("😀" * 7000), None),
    "nothing": (outgoing(" \n"), "empty"),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file"),
    "file over 50 MB": (outgoing("", pdf(data=bytes(50 * 1024**2 + 1))), "file_too_large"),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text"),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient"),
    "template": (outgoing("x", template=Template("a", "ru")), "no_templates"),
}


@pytest.mark.parametrize(("message", "code"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code):
    result = send(message, account)
    if code is None:
        assert isinstance(result, Sent)
    else:
        assert result.code == code
        assert server.accepted.after() == []
    clean(server)


FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED), Retry("throttled", "tooManyRequests", whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=502), Retry("http_502", "HTTP 502"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "HTTP 504", unknown=True), 0),
    "garbage": (Fault(FaultKind.GARBAGE), Retry("garbled_answer", "HTTP 200 without an answer of Viber", unknown=True), 0),
    "foreign 403": (Fault(FaultKind.GARBAGE, status=403), Retry("garbled_answer", "HTTP 403 without an answer of Viber"), 0),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "HTTP 200 without an answer of Viber", unknown=True),
        1,
    ),
    "blocked": (Fault(FaultKind.BLOCKED), Failed("not_subscribed", "6: receiverNotSubscribed", Reason.CONTACT_BLOCKED), 0),
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("token_refused", "2: invalidAuthToken", Reason.ACCOUNT_REFUSED), 0),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "time-out after accepting": (
        Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=20),
        Retry("no_answer", "ReadTimeout", unknown=True),
        1,
    ),
    "late": (Fault(FaultKind.LATE, seconds=0.1), None, 1),
}


@pytest.mark.parametrize(("fault", "expected", "arrived"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("message", [outgoing("Ответ"), outgoing("Чек", photo())], ids=["text", "picture"])
def test_fault(viber_frame, server, fault, expected, arrived, message):
    account = account_of(viber_frame, settings={"read_timeout": 0.5})
    server.faults.add(fault)
    result = send(message, account)
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived


CODES = {
    **dict.fromkeys((1, 3, 4, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22), Reason.REJECTED),
    **dict.fromkeys((2, 7, 8, 9, 10, 15, 23, 24), Reason.ACCOUNT_REFUSED),
    5: Reason.CONTACT_GONE,
    6: Reason.CONTACT_BLOCKED,
}


@pytest.mark.parametrize(("status", "reason"), CODES.items())
def test_every_code_for_good(status, reason):
    result = verdict(Answer(200, {"status": status, "status_message": "words"}))
    assert isinstance(result, Failed)
    assert (result.reason, result.text) == (reason, f"{status}: words")


def test_no_code_is_left_out():
    assert set(PERMANENT) == set(CODES)


@pytest.mark.parametrize("status", [25, 999, -1])
def test_a_general_error_is_tried_again(status):
    assert verdict(Answer(200, {"status": status, "status_message": "general"})) == Retry(f"viber_{status}", f"{status}: general")


def test_an_accepted_message_without_a_number(server, account, monkeypatch):
    monkeypatch.setattr(server, "accept", lambda body: {})
    assert send(outgoing("Ответ"), account) == Retry("garbled_answer", "accepted, but the answer names no message", unknown=True)


@pytest.mark.parametrize(("change", "reason"), [({"id": "none"}, Reason.CONTACT_GONE), ({"subscribe": False}, Reason.CONTACT_BLOCKED)])
def test_state_of_the_guest(server, account, change, reason):
    if "subscribe" in change:
        server.guest_says(subscribe=False, id=GUEST)
    assert send(outgoing("Ответ", recipient=change.get("id", GUEST)), account).reason is reason


@pytest.mark.parametrize("token", ["", " ", "nonsense", "другой", "a\r\nX-Evil: 1"])
def test_a_wrong_token_refuses_the_account(viber_frame, server, token):
    assert send(outgoing("Ответ"), account_of(viber_frame, secrets={"auth_token": token})).reason is Reason.ACCOUNT_REFUSED


def test_connection_refused_is_known_not_to_have_arrived(viber_frame, dead_address):
    assert send(outgoing("Ответ"), account_of(viber_frame, settings={"api_base": dead_address})) == Retry("no_connection", "ConnectError")


def test_after_a_fault_in_the_middle_only_the_rest_is_sent_again(server, account):
    message = outgoing("Вот", photo(), pdf())
    server.faults.add(Fault(FaultKind.LATE, seconds=0))
    server.faults.add(Fault(FaultKind.THROTTLED))
    result = send(message, account)
    assert (result.code, result.whole_account, len(result.sent)) == ("partly_sent", True, 1)
    again = send(replace(message, already_sent=result.sent), account)
    assert again == Sent(tuple(entry["id"] for entry in server.accepted.after()))
    assert [entry["type"] for entry in server.accepted.after()] == ["picture", "file", "text"]


def test_the_token_stays_out_of_logs_and_results(viber_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(viber_frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ"), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=1))
        results.append(send(outgoing("Ответ"), account))
    assert AUTH_TOKEN not in caplog.text + repr(results)
    assert "/send_message" in caplog.text


def test_fifty_in_parallel(server, account):
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda number: send(outgoing(f"Ответ {number}"), account), range(50)))
    assert all(isinstance(result, Sent) for result in results)
    assert len({result.external_ids for result in results}) == 50


def test_the_guests_photo_is_fetched_whole(server, account):
    data = b"\xff\xd8\xff" + bytes(300_000)
    (event,) = server.guest_says("чек", photo=data)
    (item,) = ADAPTER.parse(RawEvent(event.body, {}, RECEIVED), account)
    assert fetch(item.attachments[0], account, limit=len(data)) == data
    with pytest.raises(AttachmentTooLarge):
        fetch(item.attachments[0], account, limit=len(data) - 1)
    with pytest.raises(AttachmentTooLarge):
        fetch(replace(item.attachments[0], size=None), account, limit=len(data) - 1)


@pytest.mark.parametrize(
    "ref", ["", "tel:+7", "http://10.0.0.1/f", "http://127.0.0.1:1/f", "http://169.254.169.254/", "http://[", "https://"]
)
def test_what_is_no_file_of_theirs_is_not_fetched(account, ref):
    with pytest.raises(AttachmentGone):
        fetch(InboundAttachment(AttachmentKind.DOCUMENT, ref), account, limit=100)


def test_an_expired_link_and_a_passing_fault(server, account):
    with pytest.raises(AttachmentGone):
        fetch(InboundAttachment(AttachmentKind.IMAGE, f"{server.base_url}/viber/files/none"), account, limit=100)
    url = server.store(b"data", "a", "image/jpeg")
    server.faults.add(Fault(FaultKind.SERVER_ERROR, method="download"))
    with pytest.raises(httpx.TransportError):
        fetch(InboundAttachment(AttachmentKind.IMAGE, url), account, limit=100)


def test_connecting_and_the_check(server, account):
    assert [finding.works for finding in ADAPTER.check(account, "https://otklik.example/in/")] == [True, False]
    ADAPTER.connect(account, "https://otklik.example/in/")
    assert [finding.works for finding in ADAPTER.check(account, "https://otklik.example/in/")] == [True, True]
    assert "conversation_started" in server.event_types
    assert not ADAPTER.check(account, "https://other.example/")[1].works
    clean(server)


@pytest.mark.parametrize("url", ["http://otklik.example/", "ftp://otklik.example/", ""])
def test_an_address_viber_refuses(account, url):
    with pytest.raises(ConnectFault, match="invalidUrl"):
        ADAPTER.connect(account, url)


def test_an_address_that_does_not_answer_is_refused(server, account, dead_address):
    with pytest.raises(ConnectFault, match="invalidUrl"):
        ADAPTER.connect(account, dead_address)
    assert server.callback == ""


def test_the_check_names_the_fault_but_not_the_token(viber_frame, server, dead_address):
    for changes in ({"secrets": {"auth_token": "wrong"}}, {"secrets": {"auth_token": ""}}, {"settings": {"api_base": dead_address}}):
        (finding,) = ADAPTER.check(account_of(viber_frame, **changes), "https://otklik.example/")
        assert not finding.works
        assert AUTH_TOKEN not in finding.text
