"""Sends against the MAX server, with each fault and each error of the table."""

import logging
from dataclasses import replace

import pytest

from omni.channels.contract import Failed, Reason, Retry, Sent
from omni.channels.max.adapter import MaxAdapter
from omni.channels.max.client import Answer
from omni.channels.max.errors import verdict
from omni.channels.max.tests.conftest import CHAT, GUEST, account_of, outgoing, pdf, photo
from tests.providers.faults import Fault, FaultKind
from tests.providers.max import TOKEN

send = MaxAdapter().send


def said(server) -> list[tuple[str, list[str]]]:
    return [(entry["text"], [file["name"] for file in entry["files"]]) for entry in server.accepted.after()]


def broken(server) -> list[str]:
    return [entry["text"] for entry in server.violations.after()]


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & *звёздочка* 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((entry["mid"],))
    assert (entry["text"], broken(server)) == (text, [])


SHAPES = {
    "a picture with its text": (("Вот", photo()), [("Вот", ["полка.png"])]),
    "a file with its text": (("Чек", pdf()), [("Чек", ["чек «1».pdf"])]),
    "pictures go together": (("Вот", photo("1.png"), photo("2.png")), [("Вот", ["1.png", "2.png"])]),
    "a file goes alone": (("Вот", photo("1.png"), pdf()), [("", ["1.png"]), ("", ["чек «1».pdf"]), ("Вот", [])]),
    "two files": (("", pdf("a.pdf"), pdf("b.pdf")), [("", ["a.pdf"]), ("", ["b.pdf"])]),
}


@pytest.mark.parametrize(("message", "calls"), SHAPES.values(), ids=SHAPES)
def test_files(server, account, message, calls):
    result = send(outgoing(*message), account)
    assert said(server) == calls
    assert result == Sent(tuple(entry["mid"] for entry in server.accepted.after()))
    assert broken(server) == []


def test_a_fresh_upload_is_waited_for(server, account):
    server.unready = 3
    assert isinstance(send(outgoing("Вот", photo()), account), Sent)
    server.unready = 4
    assert send(outgoing("Вот", photo()), account) == Retry(
        "attachment_not_ready", "attachment.not.ready: Key: errors.process.attachment.file.not.processed", after=5.0
    )
    assert len(server.accepted.after()) == 1


def test_a_reply_points_at_its_message(server, account):
    mid = next(iter(server.messages))
    send(outgoing("Ответ", photo(), pdf(), reply_to=mid), account)
    send(outgoing("Ответ", reply_to="message_callback:kb1:5"), account)
    assert [entry["reply_to"] for entry in server.accepted.after()] == [mid, None, None, None]


REFUSED = {
    "4001 letters": (outgoing("я" * 4001), "text_too_long", Reason.TOO_LONG),
    "nothing": (outgoing(" \n"), "empty", Reason.REJECTED),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file", Reason.REJECTED),
    "a file over 50 MB": (outgoing("", pdf(data=bytes(50 * 1024**2 + 1))), "file_too_large", Reason.REJECTED),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text", Reason.REJECTED),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient", Reason.REJECTED),
    "a recipient of another make": (outgoing("x", recipient="anna"), "no_recipient", Reason.REJECTED),
}


@pytest.mark.parametrize(("message", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code, reason):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    result = send(message, account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)
    assert len(server.faults.waiting()) == 1


# Fault -> result, and whether the guest got the message nevertheless.
FAULTS = {
    "throttled": (
        Fault(FaultKind.THROTTLED, seconds=17),
        Retry("throttled", "too.many.requests: Too many requests", after=17.0, whole_account=True),
        0,
    ),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=503), Retry("http_503", "HTTP 503"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "HTTP 504", unknown=True), 0),
    "garbage": (Fault(FaultKind.GARBAGE), Retry("garbled_answer", "HTTP 200 without an answer of the MAX API", unknown=True), 0),
    "foreign 403": (Fault(FaultKind.GARBAGE, status=403), Retry("garbled_answer", "HTTP 403 without an answer of the MAX API"), 0),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "HTTP 200 without an answer of the MAX API", unknown=True),
        1,
    ),
    "blocked": (
        Fault(FaultKind.BLOCKED),
        Failed("stopped_by_guest", "chat.denied: error.dialog.suspended", Reason.CONTACT_BLOCKED),
        0,
    ),
    "token revoked": (
        Fault(FaultKind.TOKEN_REVOKED),
        Failed("token_refused", "verify.token: Invalid access_token", Reason.ACCOUNT_REFUSED),
        0,
    ),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError", unknown=True), 1),
    "time-out after accepting": (
        Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=20),
        Retry("no_answer", "ReadTimeout", unknown=True),
        1,
    ),
    "late": (Fault(FaultKind.LATE, seconds=0.05), None, 1),
}


@pytest.mark.parametrize(("fault", "expected", "arrived"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("message", [outgoing("Ответ"), outgoing("Чек", pdf())], ids=["text", "file"])
def test_fault(max_frame, server, fault, expected, arrived, message):
    server.faults.add(replace(fault, method="messages"))
    result = send(message, account_of(max_frame, settings={"read_timeout": 0.4}))
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived


@pytest.mark.parametrize("method", ["uploads", "upload"])
@pytest.mark.parametrize("kind", [FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.SERVER_ERROR, FaultKind.THROTTLED])
def test_a_fault_before_the_message_leaves_no_doubt(server, account, method, kind):
    server.faults.add(Fault(kind, method=method))
    result = send(outgoing("Вот", photo()), account)
    assert isinstance(result, Retry)
    assert not result.unknown
    assert isinstance(send(outgoing("Вот", photo()), account), Sent)
    assert len(server.accepted.after()) == 1


def test_after_a_fault_in_the_middle_only_the_rest_is_sent_again(server, account):
    message = outgoing("Вот", photo("1.png"), pdf("a.pdf"))
    server.faults.add(Fault(FaultKind.LATE, seconds=0.0, method="messages"))
    server.faults.add(Fault(FaultKind.THROTTLED, seconds=3, method="messages"))
    result = send(message, account)
    assert isinstance(result, Retry)
    assert (result.code, result.after, len(result.sent)) == ("partly_sent", 3.0, 1)
    again = send(replace(message, already_sent=result.sent), account)
    assert isinstance(again, Sent)
    assert said(server) == [("", ["1.png"]), ("", ["a.pdf"]), ("Вот", [])]


def test_a_permanent_fault_in_the_middle_stays_permanent(server, account):
    server.faults.add(Fault(FaultKind.LATE, seconds=0.0, method="messages"))
    server.faults.add(Fault(FaultKind.BLOCKED, method="messages"))
    result = send(outgoing("", pdf("a.pdf"), pdf("b.pdf")), account)
    assert isinstance(result, Failed)
    assert (result.reason, len(result.sent)) == (Reason.CONTACT_BLOCKED, 1)


def test_states_of_the_chat(server, account):
    gone = send(outgoing("x", recipient="900000999"), account)
    server.blocked.add(GUEST)
    stopped = send(outgoing("x", recipient=CHAT), account)
    assert isinstance(gone, Failed)
    assert isinstance(stopped, Failed)
    assert (gone.reason, stopped.reason) == (Reason.CONTACT_GONE, Reason.CONTACT_BLOCKED)


VERDICTS = [
    (Answer(403, {}, "verify.token", "Invalid access_token"), "token_refused", Reason.ACCOUNT_REFUSED),
    (Answer(401, None), "token_refused", Reason.ACCOUNT_REFUSED),
    (Answer(403, {}, "chat.denied"), "stopped_by_guest", Reason.CONTACT_BLOCKED),
    (Answer(404, {}, "chat.not.found"), "chat_not_found", Reason.CONTACT_GONE),
    (Answer(400, {}, "dialog.not.found"), "chat_not_found", Reason.CONTACT_GONE),
    (Answer(400, {}, "proto.payload", "text: size must be between 0 and 4000"), "proto_payload", Reason.REJECTED),
    (Answer(405, {}), "http_405", Reason.REJECTED),
    (Answer(413, None), "file_too_large", Reason.REJECTED),
    (Answer(200, {"success": False}, "", "no"), "http_200", Reason.REJECTED),
]


@pytest.mark.parametrize(("answer", "code", "reason"), VERDICTS)
def test_permanent_verdicts(answer, code, reason):
    result = verdict(answer)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "нет адреса", "http://[", "http://127.0.0.1:1"])
def test_a_wrong_address_is_a_result_too(max_frame, base):
    result = send(outgoing("Ответ"), account_of(max_frame, settings={"api_base": base}))
    assert isinstance(result, Retry)
    assert not result.unknown


@pytest.mark.parametrize("token", ["", "revoked"])
def test_a_wrong_token_refuses_the_account(max_frame, server, token):
    result = send(outgoing("Ответ"), account_of(max_frame, secrets={"bot_token": token}))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_the_token_stays_out_of_logs_and_results(max_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(max_frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ", photo()), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=0.5))
        results.append(send(outgoing("Ответ"), account))
    assert TOKEN not in caplog.text + repr(results)
    assert "/messages" in caplog.text
