"""Google Play: what reviews turn into, keys, questions and answers on the wire with each fault."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, AttachmentGone, Failed, InboundKind, Reason, Retry, Sent, Unreadable, Unverified
from omni.channels.google_play.adapter import GooglePlayAdapter
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.google_play import PACKAGE, GooglePlayServer

ADAPTER = GooglePlayAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "reviews.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def frame():
    with Frame(GooglePlayServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    yield found
    assert [one["text"] for one in found.violations.after()] == []
    found.reset()


@pytest.fixture
def account(server, frame):
    return account_of(frame)


def account_of(frame, service_account=None, **changes) -> AccountConfig:
    (server,) = frame.providers
    secret = server.service_account() if service_account is None else service_account
    return p.config_of("google_play", {"api_base": frame.url, "read_timeout": 1, "package": PACKAGE} | changes, {"service_account": secret})


def parsed(sample, query=None):
    (item,) = ADAPTER.parse(p.event(sample, query), AccountConfig("a", "google_play"))
    return item


def test_reviews():
    first, second, third = map(parsed, SAMPLES)
    assert (first.kind, first.external_id, first.text) == (InboundKind.MESSAGE, "gp:1", "★★★☆☆ Неудобно\nНе могу найти карту лояльности.")
    assert (first.guest_name, first.conversation, first.sent_at) == ("Анна Демо", "gp:1", datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC))
    assert first.extra == {"rating": 3, "language": "ru", "device": "Demo Phone", "app_version": "7.7"}
    assert (second.text, second.sent_at) == ("★★★★★ Отлично!", datetime(2026, 3, 3, 8, 5, 6, tzinfo=UTC))
    assert (third.text, third.sent_at) == ("[отзыв без текста]", p.RECEIVED)


def test_an_edit_is_as_old_as_its_change():
    item = parsed(SAMPLES[0], {"changed": "1772529999"})
    assert (item.kind, item.edited_at) == (InboundKind.EDIT, datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC))


def test_keys():
    keys = [ADAPTER.event_key(p.event(sample)) for sample in SAMPLES]
    assert keys == ["review:gp:1:1772525105", "review:gp:2:1772525106", "review:gp:3:0"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"x", b"{}", b'{"reviewId": "1"}', b'{"reviewId": "1", "comments": [{"developerComment": {}}]}']
)
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parsed(body)


@given(p.spoiled(SAMPLES), st.sampled_from([None, {"changed": "1"}, {"changed": "x"}]))
def test_spoiled_samples(value, query):
    p.check_parse(ADAPTER, p.event(value, query))


@given(st.binary(max_size=100) | p.anything())
def test_anything(value):
    p.check_parse(ADAPTER, p.event(value))


def test_nobody_posts_here(account):
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(SAMPLES[0]), account)
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(None, account, limit=1)


def test_reviews_come_once_and_again_when_changed(server, account):
    for number in range(8):
        server.guest(f"Отзыв {number}", id=f"r{number}")
    server.guest("Старый", id="old", at=int(time.time()) - 8 * 86400)
    events, cursor = p.read_all(ADAPTER, account)
    assert sorted(item.text for item in p.items(ADAPTER, events)) == [f"★★★★★ Отзыв {number}" for number in range(8)]
    assert p.read_all(ADAPTER, account, cursor)[0] == []
    server.guest("Передумал", id="r3", stars=1)
    events, cursor = p.read_all(ADAPTER, account, cursor)
    (item,) = p.items(ADAPTER, events)
    assert (item.kind, item.external_id, item.text) == (InboundKind.EDIT, "r3", "★☆☆☆☆ Передумал")
    ADAPTER.send(p.outgoing("Спасибо", recipient="r3"), account)
    assert p.read_all(ADAPTER, account, cursor)[0] == [], "our own answer is no change of the review"


def test_one_key_serves_until_it_is_refused(server, account):
    server.guest("Отзыв")
    server.tokens.clear()
    p.read_all(ADAPTER, account)
    p.read_all(ADAPTER, account)
    assert len(server.tokens) == 1
    server.tokens.clear()
    p.read_all(ADAPTER, account)
    assert len(server.tokens) == 1


@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
@pytest.mark.parametrize("method", ["token", "reviews"])
def test_faults_of_a_question(server, account, fault, refused, after, method):
    server.guest("Отзыв")
    if method == "reviews" and fault.kind is FaultKind.TOKEN_REVOKED:
        p.read_all(ADAPTER, account)
        server.faults.add(Fault(fault.kind, method=method))  # the second refusal counts
    met = p.meets(ADAPTER, server, account, Fault(fault.kind, fault.seconds, fault.status, method))
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


BAD_ACCOUNTS = ["", "nonsense", "[]", "{}", json.dumps({"client_email": "a", "private_key": "b"}), "ключ"]


@pytest.mark.parametrize("service_account", BAD_ACCOUNTS)
def test_a_key_that_is_none(frame, server, service_account):
    account = account_of(frame, service_account)
    with pytest.raises(p.PollFault) as caught:
        p.read_all(ADAPTER, account)
    assert caught.value.refused
    result = ADAPTER.send(p.outgoing("Спасибо", recipient="r"), account)
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_a_key_google_does_not_know(frame, server):
    stranger = GooglePlayServer()
    account = account_of(frame, stranger.service_account(frame.url))
    (found,) = ADAPTER.check(account, "")
    assert not found.works
    assert "Invalid JWT" in found.text or "invalid_grant" in found.text


def send(account, text="Спасибо за отзыв", **changes):
    return ADAPTER.send(p.outgoing(text, **{"recipient": "r1", **changes}), account)


def test_an_answer_and_its_second_version(server, account):
    server.guest("Отзыв", id="r1")
    assert send(account, key="a") == Sent(("reply:r1:a",))
    assert send(account, "Иначе", key="b") == Sent(("reply:r1:b",))
    assert server.reviews["r1"]["comments"][1]["developerComment"]["text"] == "Иначе"


REFUSED = {
    "351 letters": ({"text": "я" * 351}, "text_too_long", Reason.TOO_LONG),
    "nothing": ({"text": " "}, "empty", Reason.REJECTED),
    "no such review": ({"recipient": "none"}, "review_gone", Reason.CONTACT_GONE),
    "a path": ({"recipient": "../../x"}, "review_gone", Reason.CONTACT_GONE),
}


@pytest.mark.parametrize(("changes", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_for_good(server, account, changes, code, reason):
    changes = dict(changes)
    result = send(account, changes.pop("text", "Ответ"), **changes)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == (code, reason)


SEND_FAULTS = {
    "throttled": (Fault(FaultKind.THROTTLED, seconds=9), Retry("throttled", "throttled on demand", after=9.0, whole_account=True)),
    "server error": (Fault(FaultKind.SERVER_ERROR), Retry("http_500", "server_error on demand")),
    "dropped after accepting": (Fault(FaultKind.DROPPED_AFTER_ACCEPTING), Retry("no_answer", "RemoteProtocolError")),
    "late": (Fault(FaultKind.TIMEOUT_AFTER_ACCEPTING, seconds=3), Retry("no_answer", "ReadTimeout")),
    "garbage after": (Fault(FaultKind.GARBAGE_AFTER_ACCEPTING), Retry("garbled_answer", "accepted, but the answer cannot be read")),
    "no right": (Fault(FaultKind.BLOCKED), Failed("key_has_no_right", "blocked on demand", Reason.ACCOUNT_REFUSED)),
}


@pytest.mark.parametrize(("fault", "result"), SEND_FAULTS.values(), ids=SEND_FAULTS)
def test_faults_of_a_send(server, account, fault, result):
    """A repeated answer overwrites the first, so no outcome is unknown."""
    server.guest("Отзыв", id="r1")
    server.faults.add(Fault(fault.kind, fault.seconds, fault.status, "reply"))
    assert send(account) == result
    if isinstance(result, Retry):
        assert isinstance(send(account), Sent)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    assert [one.works for one in ADAPTER.check(account_of(frame, package=""), "")] == [False]
