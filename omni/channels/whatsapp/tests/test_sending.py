"""Sends against the Cloud API server, with each fault."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from omni.channels.contract import Failed, OutgoingFile, Reason, Retry, Sent, Template
from omni.channels.whatsapp.adapter import WhatsAppAdapter
from omni.channels.whatsapp.tests.conftest import GUEST, account_of, outgoing, pdf, photo
from tests.providers.faults import Fault, FaultKind
from tests.providers.whatsapp import ACCESS_TOKEN

send = WhatsAppAdapter().send


def clean(server):
    assert [entry["text"] for entry in server.violations.after()] == []


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! *Чек* & _звёздочка_ 😀 https://example.org\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((entry["id"],))
    assert (entry["text"], entry["to"], entry["key"]) == (text, GUEST, "k1")
    clean(server)


SHAPES = {
    "photo with caption": (("Вот", photo()), [("image", "Вот", "полка.png")]),
    "document with caption": (("Чек", pdf()), [("document", "Чек", "чек «1».pdf")]),
    "text too long for a caption": (("я" * 1025, pdf()), [("document", "", "чек «1».pdf"), ("text", "я" * 1025, "")]),
    "two files and text": (("Вот", photo("1.png"), pdf("2.pdf")), [("image", "", "1.png"), ("document", "", "2.pdf"), ("text", "Вот", "")]),
    "sound bears no caption": (
        ("Слушайте", OutgoingFile("a.mp3", "audio/mpeg", b"ID3x")),
        [("audio", "", "a.mp3"), ("text", "Слушайте", "")],
    ),
    "a voice in Opus": (("", OutgoingFile("a.ogg", "audio/ogg", b"OggS" + bytes(24) + b"OpusHead")), [("audio", "", "a.ogg")]),
    "any text goes as plain text": (("", OutgoingFile("цены.csv", "text/csv", b"a;b")), [("document", "", "цены.csv")]),
}


@pytest.mark.parametrize(("message", "calls"), SHAPES.values(), ids=SHAPES)
def test_files(server, account, message, calls):
    result = send(outgoing(*message), account)
    entries = server.accepted.after()
    assert [(entry["type"], entry["text"], "".join(file["name"] for file in entry["files"])) for entry in entries] == calls
    assert result == Sent(tuple(entry["id"] for entry in entries))
    clean(server)


def test_the_bytes_arrive_unchanged(server, account):
    data = bytes(range(256)) * 40 + b"\r\n--boundary\r\n\r\n"
    send(outgoing("", pdf(data=data)), account)
    assert server.accepted.after()[0]["files"][0]["size"] == len(data)
    assert [file.data for file in server.media.values()] == [data]


def test_an_answer_quotes_what_it_answers(server, account):
    asked = next(iter(server.guests[GUEST].messages))
    send(outgoing("Ответ", photo(), pdf(), reply_to=asked), account)
    send(outgoing("Ответ", reply_to="reaction:1"), account)
    assert [entry["reply_to"] for entry in server.accepted.after()] == [asked, "", "", ""]
    clean(server)


def test_a_guest_without_a_number_is_written_to_by_his_id(server, account):
    server.guest_says("я без номера", id="x1", user_id="RU.7000", no_phone=True)
    assert isinstance(send(outgoing("Ответ", recipient="RU.7000"), account), Sent)
    assert server.accepted.after()[0]["to"] == "RU.7000"
    clean(server)


def test_after_24_hours_only_a_template_gets_through(server, account):
    server.age({"id": GUEST, "hours": 25})
    refused = send(outgoing("Ответ"), account)
    assert isinstance(refused, Failed)
    assert (refused.code, refused.reason) == ("window_closed", Reason.WINDOW_CLOSED)
    message = outgoing("Анна, ответ по обращению 12 готов.", template=Template("answer_ready", "ru", ("Анна", "12")))
    assert isinstance(send(message, account), Sent)
    (entry,) = server.accepted.after()
    assert entry["template"]["name"] == "answer_ready"
    assert [part["text"] for part in entry["template"]["components"][0]["parameters"]] == ["Анна", "12"]
    clean(server)


TEMPLATES = {
    "without places": (Template("hello_world", "en_US"), None),
    "unknown": (Template("nothing_like_it", "ru"), "template_refused"),
    "other language": (Template("answer_ready", "de", ("a", "b")), "template_refused"),
    "too few parameters": (Template("answer_ready", "ru", ("a",)), "template_refused"),
    "nameless": (Template("", "ru"), "template_unnamed"),
    "an empty place": (Template("order_ready", "ru", (" ",)), "template_parameter"),
}


@pytest.mark.parametrize(("template", "code"), TEMPLATES.values(), ids=TEMPLATES)
def test_templates(server, account, template, code):
    result = send(outgoing("", template=template), account)
    assert isinstance(result, Sent) if code is None else result.code == code


REFUSED = {
    "4097 letters": (outgoing("я" * 4097), "text_too_long", Reason.TOO_LONG),
    "nothing": (outgoing(" \n"), "empty", Reason.REJECTED),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file", Reason.REJECTED),
    "file over 100 MB": (outgoing("", pdf(data=bytes(100 * 1024**2 + 1))), "file_too_large", Reason.REJECTED),
    "a photo over 5 MB": (outgoing("", photo(size=5 * 1024**2)), "file_too_large", Reason.REJECTED),
    "a type that is not taken": (outgoing("", OutgoingFile("a.zip", "application/zip", b"PK")), "file_type", Reason.REJECTED),
    "a file without a type": (outgoing("", OutgoingFile("a", "", b"x")), "file_type", Reason.REJECTED),
    "Ogg without Opus": (outgoing("", OutgoingFile("a.ogg", "audio/ogg", b"OggS")), "file_type", Reason.REJECTED),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text", Reason.REJECTED),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient", Reason.REJECTED),
}


@pytest.mark.parametrize(("message", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code, reason):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    result = send(message, account)
    assert (result.code, result.reason) == (code, reason)
    assert len(server.faults.waiting()) == 1


def test_the_limit_counts_characters(server, account):
    assert isinstance(send(outgoing("😀" * 4096), account), Sent)


LATE = "Rate limit hit: Message failed to send because of too many messages"
# Fault -> result, and whether the guest got the message nevertheless.
FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED), Retry("throttled", f"130429: (#130429) {LATE}", whole_account=True), 0),
    "throttled for minutes": (
        Fault(FaultKind.THROTTLED, seconds=120),
        Retry("throttled", f"130429: (#130429) {LATE}", after=120, whole_account=True),
        0,
    ),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=502), Retry("http_502", "HTTP 502"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "HTTP 504", unknown=True), 0),
    "garbage": (Fault(FaultKind.GARBAGE), Retry("garbled_answer", "HTTP 200 without an answer of the Graph API", unknown=True), 0),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "HTTP 200 without an answer of the Graph API", unknown=True),
        1,
    ),
    "blocked": (
        Fault(FaultKind.BLOCKED),
        Failed("undeliverable", "131026: (#131026) Message undeliverable: The recipient cannot receive this message"),
        0,
    ),
    "token revoked": (
        Fault(FaultKind.TOKEN_REVOKED),
        Failed("token_refused", "190: (#190) Error validating access token: the session was invalidated", Reason.ACCOUNT_REFUSED),
        0,
    ),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "time-out after accepting": (
        Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=20),
        Retry("no_answer", "ReadTimeout", unknown=True),
        1,
    ),
    "late": (Fault(FaultKind.LATE, seconds=0.1), None, 1),
}


@pytest.mark.parametrize(("fault", "expected", "arrived"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("edge", ["messages", "media"])
def test_fault(whatsapp_frame, server, fault, expected, arrived, edge):
    """A file that did not get up is no message: whatever became of it, the next try doubles nothing."""
    account = account_of(whatsapp_frame, settings={"read_timeout": 0.5})
    server.faults.add(replace(fault, method=edge))
    result = send(outgoing("Чек", pdf()), account)
    if expected is None:
        assert isinstance(result, Sent)
    elif edge == "media" and isinstance(expected, Retry):
        assert result == replace(expected, unknown=False)
    else:
        assert result == expected
    assert len(server.accepted.after()) == (arrived if edge == "messages" or expected is None else 0)


def test_connection_refused_is_known_not_to_have_arrived(whatsapp_frame, dead_address):
    account = account_of(whatsapp_frame, settings={"api_base": dead_address})
    assert send(outgoing("Ответ"), account) == Retry("no_connection", "ConnectError")
    assert send(outgoing("", pdf()), account) == Retry("no_connection", "ConnectError")


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "нет адреса", "http://[", "http://127.0.0.1:99999"])
def test_a_wrong_address_is_a_result_too(whatsapp_frame, base):
    result = send(outgoing("Ответ"), account_of(whatsapp_frame, settings={"api_base": base}))
    assert isinstance(result, Retry)
    assert not result.unknown


@pytest.mark.parametrize("code", [131026, 131047, 131049, 131031, 131042, 190, 100, 132001])
def test_a_guests_own_refusals(server, account, code):
    server.refuse({"id": GUEST, "code": code})
    assert isinstance(send(outgoing("Ответ"), account), Failed)


@pytest.mark.parametrize("token", ["", " ", "nonsense", "другой", "a\r\nX-Evil: 1"])
def test_a_wrong_token_refuses_the_account(whatsapp_frame, server, token):
    result = send(outgoing("Ответ"), account_of(whatsapp_frame, secrets={"access_token": token}))
    assert isinstance(result, Failed | Retry)
    assert result.reason is Reason.ACCOUNT_REFUSED


@pytest.mark.parametrize("number", ["", "../100", "12 3", "٣"])
def test_a_wrong_number_refuses_the_account(whatsapp_frame, server, number):
    result = send(outgoing("Ответ"), account_of(whatsapp_frame, settings={"phone_number_id": number}))
    assert (result.code, result.reason) == ("number_missing", Reason.ACCOUNT_REFUSED)


def test_after_a_fault_in_the_middle_only_the_rest_is_sent_again(server, account):
    message = outgoing("я" * 1025, pdf(), photo())
    server.faults.add(Fault(FaultKind.LATE, seconds=0, method="messages"))
    server.faults.add(Fault(FaultKind.THROTTLED, seconds=120, method="messages"))
    result = send(message, account)
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.unknown, len(result.sent)) == ("partly_sent", 120, False, 1)
    again = send(replace(message, already_sent=result.sent), account)
    assert isinstance(again, Sent)
    assert again.external_ids == tuple(entry["id"] for entry in server.accepted.after())
    assert [entry["type"] for entry in server.accepted.after()] == ["document", "image", "text"]


def test_the_token_stays_out_of_logs_and_results(whatsapp_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(whatsapp_frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ"), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=1))
        results.append(send(outgoing("Ответ"), account))
    assert ACCESS_TOKEN not in caplog.text + repr(results)
    assert "/messages" in caplog.text


def test_fifty_in_parallel(server, account):
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda number: send(outgoing(f"Ответ {number}"), account), range(50)))
    assert all(isinstance(result, Sent) for result in results)
    assert sorted(entry["text"] for entry in server.accepted.after()) == sorted(f"Ответ {number}" for number in range(50))
