"""Sends against the Bot API server, with each fault."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from omni.channels.contract import Failed, Reason, Retry, Sent
from omni.channels.telegram.adapter import TelegramAdapter
from omni.channels.telegram.client import Answer
from omni.channels.telegram.errors import verdict
from omni.channels.telegram.tests.conftest import CHAT, account_of, outgoing, pdf, photo
from tests.providers.faults import Fault, FaultKind
from tests.providers.telegram import TOKEN

send = TelegramAdapter().send


def texts(server) -> list[tuple[str, str, list[str]]]:
    return [(entry["method"], entry["text"], [file["name"] for file in entry["files"]]) for entry in server.accepted.after()]


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & *звёздочка* 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((f"{CHAT}:{entry['message_id']}",))
    assert entry["text"] == text
    assert server.violations.after() == []


SHAPES = {
    "photo with caption": (("Вот", photo()), [("sendPhoto", "Вот", ["полка.png"])]),
    "photo alone": (("", photo()), [("sendPhoto", "", ["полка.png"])]),
    "document with caption": (("Чек", pdf()), [("sendDocument", "Чек", ["чек «1».pdf"])]),
    "caption at the limit": (("я" * 1024, pdf()), [("sendDocument", "я" * 1024, ["чек «1».pdf"])]),
    "text too long for a caption": (("я" * 1025, pdf()), [("sendDocument", "", ["чек «1».pdf"]), ("sendMessage", "я" * 1025, [])]),
    "two photos and text": (
        ("Вот", photo("1.png"), photo("2.png")),
        [("sendMediaGroup", "", ["1.png"]), ("sendMediaGroup", "", ["2.png"]), ("sendMessage", "Вот", [])],
    ),
    "kinds are not mixed": (
        ("", photo("1.png"), pdf("a.pdf"), photo("2.png"), pdf("b.pdf")),
        [("sendMediaGroup", "", [name]) for name in ("1.png", "2.png", "a.pdf", "b.pdf")],
    ),
    "a photo over 10 MB goes as a document": (("", photo(size=10 * 1024**2 + 1)), [("sendDocument", "", ["полка.png"])]),
    "a photo of odd shape goes as a document": (("", photo(width=6000, height=4001)), [("sendDocument", "", ["полка.png"])]),
    "a picture that is none goes as a document": (("", photo(width=0)), [("sendDocument", "", ["полка.png"])]),
}


@pytest.mark.parametrize(("message", "calls"), SHAPES.values(), ids=SHAPES)
def test_files(server, account, message, calls):
    result = send(outgoing(*message), account)
    entries = server.accepted.after()
    assert texts(server) == calls
    assert result == Sent(tuple(f"{CHAT}:{entry['message_id']}" for entry in entries))
    assert [text["text"] for text in server.violations.after()] == []


def test_the_bytes_arrive_unchanged(server, account):
    data = bytes(range(256)) * 40 + b"\r\n--boundary\r\n\r\n"
    send(outgoing("", pdf(data=data)), account)
    (file,) = server.accepted.after()[0]["files"]
    assert (file["size"], file["mime"]) == (len(data), "application/pdf")
    assert next(stored for stored in server.state.files.values() if stored.name == "чек «1».pdf").data == data


def test_twelve_photos_are_two_groups(server, account):
    result = send(outgoing("", *(photo(f"{number}.png") for number in range(12))), account)
    albums = [entry["album"] for entry in server.accepted.after()]
    assert isinstance(result, Sent)
    assert len(result.external_ids) == 12
    assert sorted(albums.count(album) for album in set(albums)) == [2, 10]


def test_a_reply_points_at_its_message(server, account):
    guest_message = next(iter(server.state.chats[CHAT].messages))
    send(outgoing("Ответ", reply_to=f"{CHAT}:{guest_message}"), account)
    send(outgoing("Чек", photo(), photo(), reply_to=f"{CHAT}:{guest_message}"), account)
    assert [entry["reply_to"] for entry in server.accepted.after()] == [guest_message, guest_message, guest_message, None]
    assert server.violations.after() == []


@pytest.mark.parametrize("reply_to", [f"{CHAT}:999999", "callback:4382000001", "nonsense", ""])
def test_a_reply_to_what_is_gone_is_still_sent(server, account, reply_to):
    assert isinstance(send(outgoing("Ответ", reply_to=reply_to), account), Sent)
    assert server.accepted.after()[0]["reply_to"] is None


REFUSED = {
    "4097 letters": (outgoing("я" * 4097), "text_too_long", Reason.TOO_LONG),
    "4097 letters beside a file": (outgoing("я" * 4097, pdf()), "text_too_long", Reason.TOO_LONG),
    "nothing": (outgoing(" \n"), "empty", Reason.REJECTED),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file", Reason.REJECTED),
    "file over 50 MB": (outgoing("", pdf(data=bytes(50 * 1024**2 + 1))), "file_too_large", Reason.REJECTED),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text", Reason.REJECTED),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient", Reason.REJECTED),
}


@pytest.mark.parametrize(("message", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code, reason):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    result = send(message, account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)
    assert len(server.faults.waiting()) == 1


def test_the_limit_counts_characters(server, account):
    assert isinstance(send(outgoing("😀" * 4096), account), Sent)


# Fault -> result, and whether the guest got the message nevertheless.
FAULTS = {
    "throttled": (
        Fault(FaultKind.THROTTLED, seconds=17),
        Retry("throttled", "Too Many Requests: retry after 17", after=17.0, whole_account=True),
        0,
    ),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=502), Retry("http_502", "Internal Server Error"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "Internal Server Error", unknown=True), 0),
    "page of a gateway": (Fault(FaultKind.GARBAGE, status=502), Retry("http_502", "HTTP 502"), 0),
    "garbage": (Fault(FaultKind.GARBAGE), Retry("garbled_answer", "HTTP 200 without an answer of the Bot API", unknown=True), 0),
    "foreign 403": (Fault(FaultKind.GARBAGE, status=403), Retry("garbled_answer", "HTTP 403 without an answer of the Bot API"), 0),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "HTTP 200 without an answer of the Bot API", unknown=True),
        1,
    ),
    "blocked": (
        Fault(FaultKind.BLOCKED),
        Failed("blocked_by_guest", "Forbidden: bot was blocked by the user", Reason.CONTACT_BLOCKED),
        0,
    ),
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("token_refused", "Unauthorized", Reason.ACCOUNT_REFUSED), 0),
    "dropped after accepting": (
        Fault(FaultKind.DROPPED_AFTER_ACCEPTING),
        Retry("no_answer", "RemoteProtocolError", unknown=True),
        1,
    ),
    "time-out after accepting": (
        Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=20),
        Retry("no_answer", "ReadTimeout", unknown=True),
        1,
    ),
    "late": (Fault(FaultKind.LATE, seconds=0.1), None, 1),
}


@pytest.mark.parametrize(("fault", "expected", "arrived"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("message", [outgoing("Ответ"), outgoing("Чек", pdf())], ids=["text", "file"])
def test_fault(frame, server, fault, expected, arrived, message):
    account = account_of(frame, settings={"read_timeout": 0.5})
    server.faults.add(fault)
    result = send(message, account)
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived


def test_after_a_fault_the_next_send_works(server, account):
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=0.01))
        send(outgoing("сбой"), account)
        assert isinstance(send(outgoing("дальше"), account), Sent)


def test_connection_refused_is_known_not_to_have_arrived(frame, dead_address):
    account = account_of(frame, settings={"api_base": dead_address})
    assert send(outgoing("Ответ"), account) == Retry("no_connection", "ConnectError")


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "нет адреса", "http://[", "http://127.0.0.1:99999"])
def test_a_wrong_address_is_a_result_too(frame, base):
    result = send(outgoing("Ответ"), account_of(frame, settings={"api_base": base}))
    assert isinstance(result, Retry)
    assert not result.unknown


STATES = {
    "unknown chat": ({}, Failed("chat_not_found", "Bad Request: chat not found", Reason.CONTACT_GONE)),
    "blocked": ({"state": "blocked"}, Failed("blocked_by_guest", "Forbidden: bot was blocked by the user", Reason.CONTACT_BLOCKED)),
    "deactivated": ({"state": "deactivated"}, Failed("guest_deactivated", "Forbidden: user is deactivated", Reason.CONTACT_GONE)),
}


@pytest.mark.parametrize(("change", "expected"), STATES.values(), ids=STATES)
def test_state_of_the_chat(server, account, change, expected):
    if change:
        server.change_chat({"chat_id": 42, **change})
    assert send(outgoing("Ответ", recipient="42"), account) == expected


def test_an_upgraded_group_is_followed(server, account):
    server.change_chat({"chat_id": -42, "migrated_to": -10042})
    server.change_chat({"chat_id": -10042})
    result = send(outgoing("Ответ", recipient="-42"), account)
    assert result == Sent((f"-10042:{server.accepted.after()[0]['message_id']}",))


@pytest.mark.parametrize("token", ["", "nonsense", "700000001:другой", "700000001:revoked", "1/../../x", "a?b#c\r\n"])
def test_a_wrong_token_refuses_the_account(frame, server, token):
    result = send(outgoing("Ответ"), account_of(frame, secrets={"bot_token": token}))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_after_a_fault_in_the_middle_only_the_rest_is_sent_again(server, account):
    server.faults.add(Fault(FaultKind.THROTTLED, seconds=3, method="sendMessage"))
    message = outgoing("я" * 1025, pdf())
    result = send(message, account)
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.unknown, len(result.sent)) == ("partly_sent", 3.0, False, 1)
    assert "1 of 2 parts were sent" in result.text
    again = send(replace(message, already_sent=result.sent), account)
    assert isinstance(again, Sent)
    assert len(again.external_ids) == 2
    assert len(server.accepted.wait_for(2)) == 2


def test_a_permanent_fault_in_the_middle_stays_permanent(server, account):
    server.faults.add(Fault(FaultKind.BLOCKED, method="sendMessage"))
    result = send(outgoing("я" * 1025, pdf()), account)
    assert isinstance(result, Failed)
    assert result.reason is Reason.CONTACT_BLOCKED
    assert "1 of 2 parts were sent" in result.text


def test_the_token_stays_out_of_logs_and_results(frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ"), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=1))
        results.append(send(outgoing("Ответ"), account))
    assert TOKEN.split(":")[1] not in caplog.text + repr(results)
    assert "/sendMessage" in caplog.text


def test_fifty_in_parallel(server, account):
    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(lambda number: send(outgoing(f"Ответ {number}"), account), range(50)))
    assert all(isinstance(result, Sent) for result in results)
    assert sorted(entry["text"] for entry in server.accepted.after()) == sorted(f"Ответ {number}" for number in range(50))


def test_the_pace_limits_are_answered_with_a_pause(server, account):
    server.limits = True
    try:
        results = [send(outgoing("Ответ"), account) for _ in range(2)]
    finally:
        server.limits = False
    assert isinstance(results[0], Sent)
    assert results[1] == Retry("throttled", "Too Many Requests: retry after 1", after=1.0, whole_account=True)


def error(status: int, description: str, **parameters) -> Answer:
    return Answer(status, {"ok": False, "error_code": status, "description": description, "parameters": parameters})


VERDICTS = [
    (error(400, "Bad Request: message is too long"), "text_too_long", Reason.TOO_LONG),
    (error(400, "Bad Request: MESSAGE_TOO_LONG"), "text_too_long", Reason.TOO_LONG),
    (error(400, "Bad Request: message caption is too long"), "caption_too_long", Reason.TOO_LONG),
    (error(400, "Bad Request: can't parse entities"), "http_400", Reason.REJECTED),
    (error(400, "Bad Request: PEER_ID_INVALID"), "chat_not_found", Reason.CONTACT_GONE),
    (error(403, "Forbidden: bot was kicked from the group chat"), "kicked", Reason.CONTACT_BLOCKED),
    (error(403, "Forbidden: bot can't initiate conversation with a user"), "not_started_by_guest", Reason.CONTACT_BLOCKED),
    (error(403, "Forbidden: something new"), "http_403", Reason.REJECTED),
    (error(404, "Not Found"), "token_refused", Reason.ACCOUNT_REFUSED),
    (Answer(413, None), "file_too_large", Reason.REJECTED),
]


@pytest.mark.parametrize(("answer", "code", "reason"), VERDICTS, ids=lambda value: getattr(value, "description", None))
def test_permanent_verdicts(answer, code, reason):
    result = verdict(answer)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


PAUSES = [
    (error(429, "Too Many Requests: retry after 17", retry_after=17), 17.0),
    (error(429, "Too Many Requests: retry after 9"), 9.0),
    (Answer(429, None, "30"), 30.0),
    (Answer(429, None, "Wed, 21 Oct 2026 07:28:00 GMT"), None),
    (error(429, "Flood", retry_after=True), None),
    (error(429, "Flood", retry_after=-5), None),
]


@pytest.mark.parametrize(("answer", "after"), PAUSES)
def test_pause_asked_for(answer, after):
    result = verdict(answer)
    assert isinstance(result, Retry)
    assert (result.after, result.whole_account) == (after, True)
