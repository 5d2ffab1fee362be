"""AppGallery: what reviews turn into under whatever names, keys, questions and answers on the wire with each fault."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.appgallery.adapter import AppGalleryAdapter
from omni.channels.contract import AccountConfig, AttachmentGone, Failed, InboundKind, Reason, Retry, Sent, Unreadable, Unverified
from tests import polled as p
from tests.providers.appgallery import APP, CLIENT_ID, CLIENT_SECRET, AppGalleryServer
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame

ADAPTER = AppGalleryAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "reviews.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def frame():
    with Frame(AppGalleryServer()) as running:
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


def account_of(frame, secrets=None, **changes) -> AccountConfig:
    settings = {"api_base": frame.url, "read_timeout": 1, "app_id": APP} | changes
    return p.config_of("appgallery", settings, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | (secrets or {}))


def parsed(sample, query=None, **settings):
    (item,) = ADAPTER.parse(p.event(sample, query), AccountConfig("a", "appgallery", settings))
    return item


def test_reviews_under_whatever_names():
    found = [parsed(sample) for sample in SAMPLES]
    assert [(item.external_id, item.text) for item in found] == [
        ("ag1", "★★☆☆☆ Не грузится каталог"),
        ("77", "★★★★☆ Хорошо"),
        ("ag3", "[отзыв без текста]"),
        ("ag4", "★★★☆☆ Карта\nНе открывается"),
    ]
    times = [datetime(2026, 3, 3, 8, 5, second, tzinfo=UTC) for second in (5, 6, 0, 7)]
    assert [item.sent_at for item in found] == times
    assert (found[0].guest_name, found[0].conversation) == ("Анна Демо", "ag1")


def test_names_of_the_accounts_own():
    item = parsed({"nr": "5", "words": "Хорошо"}, fields={"id": "nr", "text": "words", "rating": 5})
    assert (item.external_id, item.text) == ("5", "Хорошо")


def test_keys_tell_versions_apart():
    assert len({ADAPTER.event_key(p.event(sample)) for sample in [*SAMPLES, {**SAMPLES[0], "comment": "x"}]}) == 5


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"{}", b'{"reviewId": []}'])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parsed(body)


@given(p.spoiled(SAMPLES), st.sampled_from([None, {"changed": "1"}]))
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


def fresh(account, cursor=None, **when):
    events, cursor = p.read_all(ADAPTER, account, cursor, **when)
    return p.items(ADAPTER, events), cursor


def test_reviews_come_once_and_again_when_changed(server, account, monkeypatch):
    monkeypatch.setattr("omni.channels.appgallery.reading.AT_ONCE", 3)
    for number in range(8):
        server.guest(f"Отзыв {number}", id=f"r{number}")
    server.guest("Старый", id="old", at=time.time() - 30 * 86400)
    found, cursor = fresh(account)
    assert sorted(item.text for item in found) == [f"★★★★★ Отзыв {number}" for number in range(8)]
    assert fresh(account, cursor)[0] == []
    server.guest("Передумал", id="r3", stars=1)
    (item,), cursor = fresh(account, cursor, now=timezone.now() + timedelta(hours=1))
    assert (item.kind, item.external_id, item.text) == (InboundKind.EDIT, "r3", "★☆☆☆☆ Передумал")
    ADAPTER.send(p.outgoing("Спасибо", recipient="r3"), account)
    assert fresh(account, cursor)[0] == []


def test_apps_of_harmony(server):
    path = "/api/marketing-api/v2/reviews/manage/dev/reviews"
    with Frame(AppGalleryServer(reviews_path=path)) as other:
        (found,) = other.providers
        found.guest("Отзыв", id="r1")
        account = account_of(other, reviews_path=path)
        assert len(fresh(account)[0]) == 1
        assert isinstance(ADAPTER.send(p.outgoing("Спасибо", recipient="r1"), account), Sent)


def test_one_key_serves_until_it_is_refused(server, account):
    server.guest("Отзыв")
    server.tokens.clear()
    fresh(account)
    fresh(account)
    assert len(server.tokens) == 1
    server.tokens.clear()
    fresh(account)
    assert len(server.tokens) == 1


@pytest.mark.parametrize("method", ["token", "reviews"])
@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after, method):
    server.guest("Отзыв")
    met = p.meets(ADAPTER, server, account, Fault(fault.kind, fault.seconds, fault.status, method))
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


WRONG = [({"client_secret": "wrong"}, {}), ({"client_secret": ""}, {}), ({"client_id": "ключ"}, {}), ({}, {"app_id": ""})]


@pytest.mark.parametrize(("secrets", "settings"), WRONG)
def test_accounts_that_are_none(frame, server, secrets, settings):
    account = account_of(frame, secrets, **settings)
    with pytest.raises(p.PollFault) as caught:
        p.read_all(ADAPTER, account)
    assert caught.value.refused
    result = ADAPTER.send(p.outgoing("Спасибо", recipient="r"), account)
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED
    assert [one.works for one in ADAPTER.check(account, "")] == [False]


def send(account, text="Спасибо за отзыв", **changes):
    return ADAPTER.send(p.outgoing(text, **{"recipient": "r1", **changes}), account)


def test_an_answer_and_its_second_version(server, account):
    server.guest("Отзыв", id="r1")
    assert send(account, key="a") == Sent(("reply:r1:a",))
    assert send(account, "Иначе", key="b") == Sent(("reply:r1:b",))
    assert server.reviews["r1"]["reply"] == "Иначе"


REFUSED = {
    "351 letters": ({"text": "я" * 351}, "text_too_long", Reason.TOO_LONG),
    "nothing": ({"text": " "}, "empty", Reason.REJECTED),
    "no such review": ({"recipient": "none"}, "review_gone", Reason.CONTACT_GONE),
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
    server.guest("Отзыв", id="r1")
    server.faults.add(Fault(fault.kind, fault.seconds, fault.status, "reply"))
    assert send(account) == result
    if isinstance(result, Retry):
        assert isinstance(send(account), Sent)


def test_the_check_of_the_connection(server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
