"""Sends against the Odnoklassniki server, with each fault and each error of the table."""

import logging
from dataclasses import replace

import pytest

from omni.channels.contract import Failed, Reason, Retry, Sent
from omni.channels.ok.adapter import OkAdapter
from omni.channels.ok.client import Answer
from omni.channels.ok.errors import PERMANENT, TEMPORARY, verdict
from omni.channels.ok.tests.conftest import CHAT, GUEST, account_of, outgoing, pdf, photo
from tests.providers.faults import Fault, FaultKind
from tests.providers.ok import TOKEN

send = OkAdapter().send


def broken(server) -> list[str]:
    return [entry["text"] for entry in server.violations.after()]


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & *звёздочка* 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((entry["mid"],))
    assert (entry["text"], broken(server)) == (text, [])


def test_text_and_files_are_one_message(server, account):
    assert isinstance(send(outgoing("Вот", photo(), pdf()), account), Sent)
    (entry,) = server.accepted.after()
    assert [(file["name"], file["size"]) for file in entry["files"]] == [("полка.png", 108), ("чек «1».pdf", 18)]
    assert broken(server) == []


def test_a_reply_points_at_its_message(server, account):
    mid = next(iter(server.messages))
    send(outgoing("Ответ", reply_to=mid), account)
    send(outgoing("Ответ", reply_to="MESSAGE_CALLBACK:cb1"), account)
    assert [entry["reply_to"] for entry in server.accepted.after()] == [mid, None]


def test_the_pause_after_an_upload(ok_frame, server, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("omni.channels.ok.sending.time.sleep", slept.append)
    for pause, files in ((None, (photo(),)), ("0.5", (photo(),)), (99, (photo(),)), (None, ())):
        send(outgoing("Вот", *files), account_of(ok_frame, settings={"upload_pause": pause}))
    assert slept == [2.0, 0.5, 30.0]


REFUSED = {
    "4001 letters": (outgoing("я" * 4001), "text_too_long", Reason.TOO_LONG),
    "nothing": (outgoing(" \n"), "empty", Reason.REJECTED),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file", Reason.REJECTED),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text", Reason.REJECTED),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient", Reason.REJECTED),
    "a path": (outgoing("x", recipient="chat:../../me"), "no_recipient", Reason.REJECTED),
}


@pytest.mark.parametrize(("message", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code, reason):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    result = send(message, account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)
    assert len(server.faults.waiting()) == 1


GARBLED = "HTTP 200 without an answer of the Odnoklassniki API"
# Fault -> result, and whether the guest got the message nevertheless.
FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED), Retry("throttled", "11: LIMIT_REACHED : Limit reached", 60.0, whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=503), Retry("http_503", "HTTP 503"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "HTTP 504", unknown=True), 0),
    "garbage": (Fault(FaultKind.GARBAGE), Retry("garbled_answer", GARBLED, unknown=True), 0),
    "foreign 403": (Fault(FaultKind.GARBAGE, status=403), Retry("garbled_answer", GARBLED.replace("200", "403")), 0),
    "garbage after accepting": (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING), Retry("garbled_answer", GARBLED, unknown=True), 1),
    "blocked": (
        Fault(FaultKind.BLOCKED),
        Failed("not_allowed_by_guest", "455: ACTION_BLOCKED : User does not allow messages", Reason.CONTACT_BLOCKED),
        0,
    ),
    "token revoked": (
        Fault(FaultKind.TOKEN_REVOKED),
        Failed("token_refused", "102: PARAM_SESSION_EXPIRED : Session expired", Reason.ACCOUNT_REFUSED),
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
def test_fault(ok_frame, server, fault, expected, arrived, message):
    server.faults.add(replace(fault, method="messages"))
    result = send(message, account_of(ok_frame, settings={"read_timeout": 0.4}))
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived


@pytest.mark.parametrize("method", ["fileUploadUrl", "upload"])
@pytest.mark.parametrize("kind", [FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.SERVER_ERROR])
def test_a_fault_before_the_message_leaves_no_doubt(server, account, method, kind):
    server.faults.add(Fault(kind, method=method))
    result = send(outgoing("Вот", photo()), account)
    assert isinstance(result, Retry)
    assert not result.unknown
    assert isinstance(send(outgoing("Вот", photo()), account), Sent)
    assert len(server.accepted.after()) == 1


def test_states_of_the_chat(server, account):
    gone = send(outgoing("x", recipient="chat:Cfff"), account)
    server.blocked.add(GUEST)
    closed = send(outgoing("x", recipient=CHAT), account)
    assert isinstance(gone, Failed)
    assert isinstance(closed, Failed)
    assert (gone.reason, closed.reason) == (Reason.CONTACT_GONE, Reason.CONTACT_BLOCKED)


@pytest.mark.parametrize("code", TEMPORARY)
def test_temporary_errors(code):
    result = verdict(Answer(200, {}, code, "x"))
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.whole_account) == TEMPORARY[code]


@pytest.mark.parametrize("code", [*PERMANENT, 3, 100, 511, 12345])
def test_permanent_errors(code):
    result = verdict(Answer(200, {}, code, "x"))
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == PERMANENT.get(code, (f"ok_{code}", Reason.REJECTED))


@pytest.mark.parametrize(("status", "code"), [(401, "token_refused"), (413, "file_too_large"), (400, "http_400")])
def test_statuses(status, code):
    assert verdict(Answer(status, {})).code == code


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "нет адреса", "http://[", "http://127.0.0.1:1"])
def test_a_wrong_address_is_a_result_too(ok_frame, base):
    result = send(outgoing("Ответ"), account_of(ok_frame, settings={"api_base": base}))
    assert isinstance(result, Retry)
    assert not result.unknown


@pytest.mark.parametrize("token", ["", "revoked"])
def test_a_wrong_token_refuses_the_account(ok_frame, server, token):
    result = send(outgoing("Ответ"), account_of(ok_frame, secrets={"access_token": token}))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_the_token_stays_out_of_logs_and_results(ok_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(ok_frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ", photo()), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=0.5))
        results.append(send(outgoing("Ответ"), account))
    assert TOKEN.split(":")[1] not in caplog.text + repr(results)
    assert "/graph/me/messages/" in caplog.text
