"""Sends against the VK server, with each fault and each error of the table."""

import logging

import pytest

from omni.channels.contract import Failed, OutgoingFile, Reason, Retry, Sent
from omni.channels.vk.adapter import VkAdapter
from omni.channels.vk.client import Answer
from omni.channels.vk.errors import PERMANENT, TEMPORARY, verdict
from omni.channels.vk.sending import random_id
from omni.channels.vk.tests.conftest import GUEST, account_of, outgoing, pdf, photo
from tests.providers.faults import Fault, FaultKind
from tests.providers.vk import TOKEN

send = VkAdapter().send


def broken(server) -> list[str]:
    return [entry["text"] for entry in server.violations.after()]


def test_a_text_arrives_as_it_is(server, account):
    text = "Добрый день! <b>Чек</b> & [звёздочка] 😀\nвторая строка"
    result = send(outgoing(text), account)
    (entry,) = server.accepted.after()
    assert result == Sent((f"{GUEST}:{entry['number']}",))
    assert (entry["text"], broken(server)) == (text, [])


def test_text_and_files_are_one_message(server, account):
    result = send(outgoing("Вот", photo(), pdf()), account)
    (entry,) = server.accepted.after()
    assert isinstance(result, Sent)
    assert [(file["name"], file["size"]) for file in entry["files"]] == [("полка.png", 108), ("чек «1».pdf", 18)]
    assert broken(server) == []


def test_a_picture_that_vk_cannot_show_goes_as_a_document(server, account):
    assert isinstance(send(outgoing("", OutgoingFile("a.png", "image/png", b"not a picture")), account), Sent)
    assert server.accepted.after()[0]["files"][0]["name"] == "a.png"


def test_a_reply_points_at_its_message(server, account):
    number = server.conversations[GUEST][0]["conversation_message_id"]
    send(outgoing("Ответ", reply_to=f"{GUEST}:{number}"), account)
    send(outgoing("Ответ", key="k2", reply_to="button:5f2c"), account)
    send(outgoing("Ответ", key="k3", reply_to="1:42"), account)
    assert [entry["reply_to"] for entry in server.accepted.after()] == [number, None, None]


def test_the_same_key_is_sent_once_and_named_alike(server, account):
    first, second = send(outgoing("Ответ"), account), send(outgoing("Ответ"), account)
    assert first == second
    assert len(server.accepted.after()) == 1


def test_keys_make_numbers_that_vk_takes():
    numbers = [random_id(f"key-{number}") for number in range(1000)]
    assert all(0 < number < 2**31 for number in numbers)
    assert len(set(numbers)) == 1000
    assert random_id("k1") == random_id("k1")


REFUSED = {
    "4097 letters": (outgoing("я" * 4097), "text_too_long", Reason.TOO_LONG),
    "nothing": (outgoing(" \n"), "empty", Reason.REJECTED),
    "empty file": (outgoing("", pdf(data=b"")), "empty_file", Reason.REJECTED),
    "half an emoji": (outgoing("\ud83d"), "unsendable_text", Reason.REJECTED),
    "no recipient": (outgoing("x", recipient=" "), "no_recipient", Reason.REJECTED),
    "a recipient of another make": (outgoing("x", recipient="anna"), "no_recipient", Reason.REJECTED),
    "a file in public": (outgoing("x", pdf(), recipient="wall:-200300_55:77"), "no_files_in_public", Reason.REJECTED),
}


@pytest.mark.parametrize(("message", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_before_the_call(server, account, message, code, reason):
    server.faults.add(Fault(FaultKind.SERVER_ERROR))
    result = send(message, account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)
    assert len(server.faults.waiting()) == 1


UNANSWERED = "no_answer"
# Fault -> result, and whether the guest got the message nevertheless.
FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED), Retry("throttled", "6: Too many requests per second", 1.0, whole_account=True), 0),
    "server error": (Fault(FaultKind.SERVER_ERROR, status=502), Retry("http_502", "HTTP 502"), 0),
    "gateway time-out": (Fault(FaultKind.SERVER_ERROR, status=504), Retry("http_504", "HTTP 504", unknown=True), 0),
    "429": (Fault(FaultKind.SERVER_ERROR, status=429), Retry("throttled", "HTTP 429", whole_account=True), 0),
    "garbage": (
        Fault(FaultKind.GARBAGE),
        Retry("garbled_answer", "HTTP 200 without an answer of the VK API", unknown=True),
        0,
    ),
    "foreign 403": (Fault(FaultKind.GARBAGE, status=403), Retry("garbled_answer", "HTTP 403 without an answer of the VK API"), 0),
    "garbage after accepting": (
        Fault(FaultKind.GARBAGE_AFTER_ACCEPTING),
        Retry("garbled_answer", "HTTP 200 without an answer of the VK API", unknown=True),
        1,
    ),
    "blocked": (
        Fault(FaultKind.BLOCKED),
        Failed("not_allowed_by_guest", "901: Can't send messages for users without permission", Reason.CONTACT_BLOCKED),
        0,
    ),
    "token revoked": (
        Fault(FaultKind.TOKEN_REVOKED),
        Failed("token_refused", "5: User authorization failed: access_token was given to another ip address.", Reason.ACCOUNT_REFUSED),
        0,
    ),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry(UNANSWERED, "RemoteProtocolError", unknown=True), 1),
    "time-out after accepting": (
        Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=20),
        Retry(UNANSWERED, "ReadTimeout", unknown=True),
        1,
    ),
    "late": (Fault(FaultKind.LATE, seconds=0.05), None, 1),
}


@pytest.mark.parametrize(("fault", "expected", "arrived"), FAULTS.values(), ids=FAULTS)
def test_fault(vk_frame, server, fault, expected, arrived):
    account = account_of(vk_frame, settings={"read_timeout": 0.4})
    server.faults.add(fault)
    result = send(outgoing("Ответ"), account)
    assert result == expected or (expected is None and isinstance(result, Sent))
    assert len(server.accepted.after()) == arrived
    if not isinstance(result, Failed):  # the next try gets it through, once
        assert isinstance(send(outgoing("Ответ"), account), Sent)
        assert len(server.accepted.after()) == 1


@pytest.mark.parametrize("method", ["photos.getMessagesUploadServer", "upload/photo", "photos.saveMessagesPhoto"])
@pytest.mark.parametrize("kind", [FaultKind.DROPPED_AFTER_ACCEPTING, FaultKind.GARBAGE, FaultKind.SERVER_ERROR])
def test_a_fault_before_the_message_leaves_no_doubt(server, account, method, kind):
    server.faults.add(Fault(kind, method=method))
    result = send(outgoing("Вот", photo()), account)
    if isinstance(result, Retry):
        assert not result.unknown
        result = send(outgoing("Вот", photo()), account)
    assert isinstance(result, Sent)
    assert len(server.accepted.after()) == 1


def test_a_guest_who_never_wrote(server, account):
    result = send(outgoing("Ответ", recipient="999"), account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("not_allowed_by_guest", Reason.CONTACT_BLOCKED)


def test_an_answer_in_public_stands_under_its_comment(server, account):
    result = send(outgoing("Привезём завтра", recipient="wall:-200300_55:77", reply_to="wall:-200300_55:78"), account)
    (entry,) = server.accepted.after()
    assert result == Sent((f"wall:-200300_55:{entry['number']}",))
    assert (entry["method"], entry["post_id"], entry["reply_to_comment"]) == ("wall.createComment", "55", "78")
    assert send(outgoing("Привезём завтра", recipient="wall:-200300_55:77"), account) == result
    assert broken(server) == []


@pytest.mark.parametrize(
    ("recipient", "method"),
    [
        ("photo:-200300_457:12", "photo.createComment"),
        ("topic:-200300_3:15", "topic.createComment"),
        ("wall:-200300_60:0", "wall.createComment"),
    ],
)
def test_every_area_has_its_method(server, account, recipient, method):
    assert isinstance(send(outgoing("Ответ", recipient=recipient), account), Sent)
    assert server.accepted.after()[0]["method"] == method
    assert broken(server) == []


def test_a_private_answer_never_lands_in_public(server, account):
    send(outgoing("Ваш баланс 100", reply_to="wall:-200300_55:77"), account)
    assert server.accepted.after()[0]["method"] == "messages.send"


@pytest.mark.parametrize("code", TEMPORARY)
def test_temporary_errors(code):
    result = verdict(Answer(200, code=code, said="x"))
    assert isinstance(result, Retry)
    assert (result.code, result.after, result.whole_account) == TEMPORARY[code]


@pytest.mark.parametrize("code", [*PERMANENT, 7, 100, 945, 946, 12345])
def test_permanent_errors(code):
    result = verdict(Answer(200, code=code, said="x"))
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == PERMANENT.get(code, (f"vk_{code}", Reason.REJECTED))


def test_closed_comments_do_not_condemn_the_account():
    for code in (15, 27, 28):
        result = verdict(Answer(200, code=code, said="Access denied"), public=True)
        assert isinstance(result, Failed)
        assert result.reason is Reason.REJECTED


@pytest.mark.parametrize("token", ["", "revoked"])
def test_a_wrong_token_refuses_the_account(vk_frame, server, token):
    result = send(outgoing("Ответ"), account_of(vk_frame, secrets={"access_token": token}))
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "нет адреса", "http://[", "http://127.0.0.1:1"])
def test_a_wrong_address_is_a_result_too(vk_frame, base):
    result = send(outgoing("Ответ"), account_of(vk_frame, settings={"api_base": base}))
    assert isinstance(result, Retry)
    assert not result.unknown


def test_the_token_stays_out_of_logs_and_results(vk_frame, server, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    account = account_of(vk_frame, settings={"read_timeout": 0.2})
    results = [send(outgoing("Ответ", photo()), account)]
    for kind in FaultKind:
        server.faults.add(Fault(kind, seconds=0.5))
        results.append(send(outgoing("Ответ", key=kind.value), account))
    assert TOKEN not in caplog.text + repr(results) + repr(account)
    assert "/method/messages.send" in caplog.text


@pytest.mark.parametrize("code", [911, 912])
def test_a_refused_keyboard_leaves_the_words(server, account, code):
    server.switch_keyboards({"refused": code})
    result = send(outgoing("Что случилось?", choices=["Баллы", "Оператор"]), account)
    (entry,) = server.accepted.after()
    assert result == Sent((f"{GUEST}:{entry['number']}",))
    assert (entry["text"], "choices" in entry) == ("Что случилось?\n\n• Баллы\n• Оператор", False)
    assert broken(server) == []


def test_taking_a_keyboard_away_where_none_may_be_shown_loses_nothing(server, account):
    server.switch_keyboards({"refused": 912})
    assert isinstance(send(outgoing("Готово", choices=[]), account), Sent)
    assert [entry["text"] for entry in server.accepted.after()] == ["Готово"]


def test_answers_that_do_not_fit_below_the_text_are_left_out(server, account):
    server.switch_keyboards({"refused": 911})
    assert isinstance(send(outgoing("я" * 4090, choices=["Баллы", "Оператор"]), account), Sent)
    assert [len(entry["text"]) for entry in server.accepted.after()] == [4090]


def test_a_refused_keyboard_and_a_fault_after_it(vk_frame, server):
    """The second call is the doubtful one: its number protects the guest from a repeat."""
    account = account_of(vk_frame, settings={"read_timeout": 0.4})
    server.switch_keyboards({"refused": 912})
    server.faults.add(Fault(FaultKind.LATE, seconds=0.0))
    server.faults.add(Fault(FaultKind.DROPPED_AFTER_ACCEPTING))
    message = outgoing("Что?", choices=["Да"])
    first = send(message, account)
    assert isinstance(first, Retry)
    assert first.unknown
    assert isinstance(send(message, account), Sent)
    assert len(server.accepted.after()) == 1
