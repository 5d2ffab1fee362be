"""What Graph API answers mean, for both channels' tables."""

import httpx
import pytest

from omni.channels.contract import Failed, Reason, Retry
from omni.channels.facebook.errors import CODES as FACEBOOK
from omni.channels.meta.errors import verdict
from omni.channels.meta.graph import Answer, answer_of, usage_pause
from omni.channels.whatsapp.errors import CODES as WHATSAPP


def error(code, subcode=None, status=400, message="words", details="", **more):
    body = {"message": message, "code": code, **({"error_subcode": subcode} if subcode else {}), **more}
    return Answer(status, {"error": body | ({"error_data": {"details": details}} if details else {})})


PERMANENT = [
    (WHATSAPP, 0, None, Reason.ACCOUNT_REFUSED),
    (WHATSAPP, 3, None, Reason.ACCOUNT_REFUSED),
    (WHATSAPP, 10, None, Reason.ACCOUNT_REFUSED),
    (WHATSAPP, 190, 460, Reason.ACCOUNT_REFUSED),
    *((WHATSAPP, code, None, Reason.ACCOUNT_REFUSED) for code in (200, 230, 299, 368, 131005, 131031, 131037, 131042, 131045, 133010)),
    *((WHATSAPP, code, None, Reason.WINDOW_CLOSED) for code in (470, 131047)),
    *((WHATSAPP, code, None, Reason.REJECTED) for code in (33, 100, 131008, 131009, 131021, 131026, 131030, 131049, 131050)),
    *((WHATSAPP, code, None, Reason.REJECTED) for code in (131051, 131052, 130472, 130497, 132000, 132001, 132015, 132069, 135000, 300)),
    (FACEBOOK, 10, 2018278, Reason.WINDOW_CLOSED),
    (FACEBOOK, 10, 2018065, Reason.WINDOW_CLOSED),
    (FACEBOOK, 10, None, Reason.ACCOUNT_REFUSED),
    (FACEBOOK, 551, 1545041, Reason.CONTACT_BLOCKED),
    (FACEBOOK, 200, 1545041, Reason.CONTACT_BLOCKED),
    (FACEBOOK, 200, 2018028, Reason.ACCOUNT_REFUSED),
    (FACEBOOK, 100, 2018001, Reason.CONTACT_GONE),
    (FACEBOOK, 100, 33, Reason.CONTACT_GONE),
    (FACEBOOK, 100, 2018109, Reason.REJECTED),
    (FACEBOOK, 100, None, Reason.REJECTED),
    (FACEBOOK, 190, None, Reason.ACCOUNT_REFUSED),
    (FACEBOOK, 230, None, Reason.ACCOUNT_REFUSED),
    (FACEBOOK, 368, None, Reason.ACCOUNT_REFUSED),
    (FACEBOOK, 102, None, Reason.ACCOUNT_REFUSED),
]


@pytest.mark.parametrize(("table", "code", "subcode", "reason"), PERMANENT)
def test_for_good(table, code, subcode, reason):
    result = verdict(error(code, subcode), table)
    assert isinstance(result, Failed)
    assert result.reason is reason
    assert result.text == f"{code}: words"


THROTTLING = [
    *((WHATSAPP, code) for code in (4, 17, 32, 613, 80007, 130429, 131048, 131064, 133016)),
    *((FACEBOOK, code) for code in (4, 17, 32, 613, 80001, 80006)),
]


@pytest.mark.parametrize(("table", "code"), THROTTLING)
def test_a_throttled_account_rests_as_a_whole(table, code):
    result = verdict(error(code), table)
    assert isinstance(result, Retry)
    assert (result.code, result.whole_account, result.after) == ("throttled", True, None)


PASSING = [(WHATSAPP, code) for code in (1, 2, 131000, 131016, 131053, 131057)] + [(FACEBOOK, code) for code in (1, 2, 1200)]


@pytest.mark.parametrize(("table", "code"), PASSING)
def test_a_passing_fault_is_tried_again(table, code):
    result = verdict(error(code, status=500), table)
    assert isinstance(result, Retry)
    assert (result.whole_account, result.unknown) == (False, False)


def test_the_pace_towards_one_guest_pauses_him_alone():
    result = verdict(error(131056), WHATSAPP)
    assert (result.after, result.whole_account) == (6.0, False)


def test_a_code_nobody_knows():
    assert isinstance(verdict(error(999999), WHATSAPP), Failed)
    assert isinstance(verdict(error(999999, is_transient=True), WHATSAPP), Retry)
    assert isinstance(verdict(error(999999, status=503), WHATSAPP), Retry)


def test_details_are_told():
    assert verdict(error(131047, message="Re-engagement", details="24 hours"), WHATSAPP).text == "131047: Re-engagement: 24 hours"


FOREIGN = [
    (Answer(502, None), Retry("http_502", "HTTP 502")),
    (Answer(504, None), Retry("http_504", "HTTP 504", unknown=True)),
    (Answer(429, None, 30.0), Retry("throttled", "HTTP 429", after=30.0, whole_account=True)),
    (Answer(200, None), Retry("garbled_answer", "HTTP 200 without an answer of the Graph API", unknown=True)),
    (Answer(403, None), Retry("garbled_answer", "HTTP 403 without an answer of the Graph API")),
    (Answer(413, None), Failed("file_too_large", "HTTP 413")),
    (Answer(400, {"error": {"code": "131047"}}), Retry("garbled_answer", "HTTP 400 without an answer of the Graph API")),
]


@pytest.mark.parametrize(("answer", "expected"), FOREIGN, ids=range(len(FOREIGN)))
def test_what_is_no_answer_of_the_graph_api(answer, expected):
    assert verdict(answer, WHATSAPP) == expected


USAGE = [
    ('{"1": [{"type": "messages", "estimated_time_to_regain_access": 19}]}', 1140),
    ('{"1": [{"estimated_time_to_regain_access": 1}, {"estimated_time_to_regain_access": 2}], "2": []}', 120),
    ('{"1": [{"estimated_time_to_regain_access": 0}]}', None),
    ("[]", None),
    ("x", None),
    ("[" * 100_000, None),
]


@pytest.mark.parametrize(("header", "seconds"), USAGE, ids=range(len(USAGE)))
def test_the_pause_meta_estimates(header, seconds):
    assert usage_pause(httpx.Response(400, headers={"X-Business-Use-Case-Usage": header})) == seconds


def test_retry_after_counts_first():
    headers = {"Retry-After": "7", "X-Business-Use-Case-Usage": USAGE[0][0]}
    assert answer_of(httpx.Response(429, headers=headers, json={"error": {"code": 4}})).pause == 7.0
