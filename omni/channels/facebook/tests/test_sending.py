"""Sends against the Graph API server, in Messenger and under comments, with each fault."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from omni.channels.contract import Failed, OutgoingFile, Reason, Retry, Sent, Template
from omni.channels.facebook.adapter import FacebookAdapter
from omni.channels.facebook.tests.conftest import GUEST, account_of, outgoing, pdf, photo
from tests.providers.facebook import ACCESS_TOKEN
from tests.providers.faults import Fault, FaultKind

send = FacebookAdapter().send


def clean(server):
    assert [entry["text"] for entry in server.violations.after()] == []


@pytest.fixture
def comment(server):
    """The id of a guest's comment."""
    (event,) = server.guest_says("Где кефир?", id=GUEST, comment=True)
    return json.loads(event.body)["entry"][0]["changes"][0]["value"]["comment_id"]


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & *звёздочка* 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((entry["id"],))
    assert (entry["text"], entry["to"], entry["key"]) == (text, GUEST, "k1")
    clean(server)


SHAPES = {
    "photo and text": (("Вот", photo()), [("image", "", "полка.png"), ("text", "Вот", "")]),
    "document": (("", pdf()), [("file", "", "чек «1».pdf")]),
    "sound": (("", OutgoingFile("a.mp3", "audio/mpeg", b"ID3x")), [("audio", "", "a.mp3")]),
    "film": (("", OutgoingFile("a.mp4", "video/mp4", b"x")), [("video", "", "a.mp4")]),
    "a picture of an odd type": (("", OutgoingFile("a.svg", "image/svg+xml", b"<svg/>")), [("file", "", "a.svg")]),
    "nameless": (("", OutgoingFile("", "", b"x")), [("file", "", "file")]),
}


@pytest.mark.parametrize(("message", "calls"), SHAPES.values(), ids=SHAPES)
def test_files(server, account, message, calls):
    result = send(outgoing(*message), account)
    entries = server.accepted.after()
    assert [(entry["type"], entry["text"], "".join(file["name"] for file in entry["files"])) for entry in entries] == calls
    assert result == Sent(tuple(entry["id"] for entry in entries))
    clean(server)


def test_a_comment_is_answered_by_a_comment(server, account, comment):
    result = send(outgoing("Уже везём", recipient=f"comment:{comment}"), account)
    (entry,) = server.accepted.after()
    assert (entry["comment"], entry["text"]) == (comment, "Уже везём")
    assert result == Sent((entry["id"],))
    clean(server)


def test_the_comment_answered_counts_before_the_address(server, account, comment):
    (event,) = server.guest_says("А хлеб?", id=GUEST, comment=True)
    second = json.loads(event.body)["entry"][0]["changes"][0]["value"]["comment_id"]
    send(outgoing("Есть", recipient=f"comment:{second}", reply_to=comment), account)
    send(outgoing("Есть", recipient=f"comment:{second}", reply_to="m_IN5"), account)
    assert [entry["comment"] for entry in server.accepted.after()] == [comment, second]


def test_a_comment_takes_a_picture_with_its_text(server, account, comment):
    result = send(outgoing("Вот", photo("1.png"), photo("2.png"), recipient=f"comment:{comment}"), account)
    entries = server.accepted.after()
    assert [(entry["text"], entry["files"][0]["name"]) for entry in entries] == [("Вот", "1.png"), ("", "2.png")]
    assert result == Sent(tuple(entry["id"] for entry in entries))
    clean(server)


def test_a_comment_that_is_gone(server, account):
    result = send(outgoing("Ответ", recipient="comment:5_5"), account)
    assert (result.code, result.reason) == ("comment_gone", Reason.CONTACT_GONE)


def test_after_24_hours_the_window_is_closed(server, account):
    server.age({"id": GUEST, "hours": 25})
    result = send(outgoing("Ответ"), account)
    assert (result.code, result.reason) == ("window_closed", Reason.WINDOW_CLOSED)
    clean(server)


def test_a_human_agent_has_7_days(facebook_frame, server):
    account = account_of(facebook_frame, settings={"human_agent": True})
    server.human_agent = True
    server.age({"id": GUEST, "hours": 25})
    assert isinstance(send(outgoing("Ответ", pdf()), account), Sent)
    assert [entry["tag"] for entry in server.accepted.after()] == ["HUMAN_AGENT"] * 2
    server.age({"id": GUEST, "hours": 8 * 24})
    assert send(outgoing("Ответ"), account).reason is Reason.WINDOW_CLOSED
    clean(server)


def test_a_page_that_may_not_be_a_human_agent(facebook_frame, server):
    server.age({"id": GUEST, "hours": 25})
    result = send(outgoing("Ответ"), account_of(facebook_frame, settings={"human_agent": True}))
    assert (result.code, result.reason) == ("permission_missing", Reason.ACCOUNT_REFUSED)


REFUSED = {
    "2001 letters": (outgoing("я" * 2001), "text_too_long"),
    "8001 letters of a comment": (outgoing("я" * 8001, recipient="comment:1_2"), "text_too_long"),
    "nothing": (outgoing(" \n"), "empty"),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file"),
    "file over 25 MB": (outgoing("", pdf(data=bytes(25 * 1024**2 + 1))), "file_too_large"),
    "a document as a comment": (outgoing("", pdf(), recipient="comment:1_2"), "file_type"),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text"),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient"),
    "a comment that climbs": (outgoing("x", recipient="comment:../me/messages"), "no_recipient"),
    "template": (outgoing("x", template=Template("a", "ru")), "no_templates"),
}


@pytest.mark.parametrize(("message", "code"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    assert send(message, account).code == code
    assert len(server.faults.waiting()) == 1


FAULTS = {
    "throttled": (
        Fault(FaultKind.THROTTLED, seconds=60),
        Retry(
            "throttled",
            "613: (#613) Rate limit hit: Message failed to send because of too many messages",
            after=60,
            whole_account=True,
        ),
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
        Failed("guest_unavailable", "551: (#551) This person isn't available right now.", Reason.CONTACT_BLOCKED),
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
@pytest.mark.parametrize("where", ["text", "file", "comment"])
def test_fault(facebook_frame, server, comment, fault, expected, arrived, where):
    account = account_of(facebook_frame, settings={"read_timeout": 0.5})
    server.faults.add(fault)
    messages = {"text": outgoing("Ответ"), "file": outgoing("", pdf()), "comment": outgoing("Ответ", recipient=f"comment:{comment}")}
    result = send(messages[where], account)
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived


@pytest.mark.parametrize(
    ("code", "subcode", "reason"),
    [
        (100, 2018001, Reason.CONTACT_GONE),
        (551, 1545041, Reason.CONTACT_BLOCKED),
        (10, 2018278, Reason.WINDOW_CLOSED),
        (200, 0, Reason.ACCOUNT_REFUSED),
        (100, 0, Reason.REJECTED),
    ],
)
def test_a_guests_own_refusals(server, account, code, subcode, reason):
    server.refuse({"id": GUEST, "code": code, "subcode": subcode})
    assert send(outgoing("Ответ"), account).reason is reason


def test_a_stranger_is_not_found(server, account):
    assert send(outgoing("Ответ", recipient="999"), account).reason is Reason.CONTACT_GONE


def test_connection_refused_is_known_not_to_have_arrived(facebook_frame, dead_address):
    account = account_of(facebook_frame, settings={"api_base": dead_address})
    assert send(outgoing("Ответ"), account) == Retry("no_connection", "ConnectError")


@pytest.mark.parametrize("token", ["", " ", "nonsense", "другой", "a\r\nX-Evil: 1"])
def test_a_wrong_token_refuses_the_account(facebook_frame, server, token):
    result = send(outgoing("Ответ"), account_of(facebook_frame, secrets={"access_token": token}))
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_after_a_fault_in_the_middle_only_the_rest_is_sent_again(server, account):
    message = outgoing("Вот", photo(), pdf())
    server.faults.add(Fault(FaultKind.LATE, seconds=0, method="messages"), times=2)
    server.faults.add(Fault(FaultKind.SERVER_ERROR, method="messages"))
    result = send(message, account)
    assert isinstance(result, Retry)
    assert (result.code, len(result.sent)) == ("partly_sent", 2)
    again = send(replace(message, already_sent=result.sent), account)
    assert again == Sent(tuple(entry["id"] for entry in server.accepted.after()))
    assert [entry["type"] for entry in server.accepted.after()] == ["image", "file", "text"]


def test_the_token_stays_out_of_logs_and_results(facebook_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(facebook_frame, settings={"read_timeout": 0.2})
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
