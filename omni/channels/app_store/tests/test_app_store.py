"""The App Store: what reviews turn into, keys, questions and answers on the wire with each fault."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.app_store.adapter import AppStoreAdapter
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    DeliveryState,
    Failed,
    InboundKind,
    Reason,
    Retry,
    Sent,
    Unreadable,
    Unverified,
)
from tests import polled as p
from tests.providers.app_store import APP, ISSUER, KEY, AppStoreServer
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame

ADAPTER = AppStoreAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "reviews.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def frame():
    with Frame(AppStoreServer(page=3)) as running:
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


def account_of(frame, private_key=None, **changes) -> AccountConfig:
    (server,) = frame.providers
    settings = {"api_base": frame.url, "read_timeout": 1, "app_id": APP, "issuer_id": ISSUER, "key_id": KEY} | changes
    return p.config_of("app_store", settings, {"private_key": server.private_key if private_key is None else private_key})


def parse(sample, query=None):
    return list(ADAPTER.parse(p.event(sample, query), AccountConfig("a", "app_store")))


def test_reviews():
    (first, published), (second,), (third,) = map(parse, SAMPLES)
    assert (first.kind, first.external_id, first.text) == (InboundKind.MESSAGE, "rev-1", "★★☆☆☆ Карта не открывается.\nПомогите!")
    assert (first.guest_name, first.conversation, first.sent_at) == ("Анна Демо", "rev-1", datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC))
    assert (published.kind, published.external_id, published.state) == (InboundKind.STATUS, "response:resp-1", DeliveryState.DELIVERED)
    assert second.text == "★★★★★ Отлично, всё работает"
    assert third.text == "★☆☆☆☆ [отзыв без текста]"


def test_keys_tell_versions_apart():
    keys = {ADAPTER.event_key(p.event(sample)) for sample in SAMPLES}
    assert len(keys) == 3
    same = {**SAMPLES[1], "included": []}
    assert ADAPTER.event_key(p.event(same)) not in keys, "the state of our response is a part of it"
    assert ADAPTER.event_key(p.event(SAMPLES[1], {"changed": "5"})) not in keys, "back to an earlier version"


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"{}", b'{"data": {"id": "1"}}', b'{"data": []}'])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parse(body)


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


def fresh(account, cursor, **when):
    events, cursor = p.read_all(ADAPTER, account, cursor, **when)
    return p.items(ADAPTER, events), cursor


def test_reviews_come_once_and_again_when_changed(server, account):
    for number in range(9):
        server.guest(f"Отзыв {number}", id=f"r{number}", name=f"n{number}")
    found, cursor = fresh(account, {})
    assert sorted(item.text for item in found) == [f"★★★★★ Отзыв {number}" for number in range(9)]
    assert fresh(account, cursor)[0] == []
    server.guest("Передумал", id="r8", stars=1)
    (item,), cursor = fresh(account, cursor)
    assert (item.kind, item.external_id, item.text) == (InboundKind.EDIT, "r8", "★☆☆☆☆ Передумал")


def test_edits_of_old_reviews_are_found_once_a_day(server, account):
    for number in range(9):
        server.guest(f"Отзыв {number}", id=f"r{number}", name=f"n{number}")
    now = timezone.now()
    cursor = fresh(account, {}, now=now)[1]
    cursor = fresh(account, cursor, now=now)[1]
    server.guest("Исправлено", id="r0", name="n0")
    assert fresh(account, cursor, now=now + timedelta(hours=1))[0] == []
    (item,), _cursor = fresh(account, cursor, now=now + timedelta(hours=25))
    assert item.kind is InboundKind.EDIT


def test_the_same_words_under_another_number_are_the_same_review(server, account):
    review = server.guest("Отзыв", id="r1")
    cursor = fresh(account, {})[1]
    del server.reviews["r1"]
    server.reviews["r2"] = {**review, "id": "r2"}
    assert fresh(account, cursor)[0] == []


def test_a_new_account_brings_what_is_young(server, account):
    server.guest("Старый", id="old", at=time.time() - 30 * 86400)
    server.guest("Новый", id="new")
    found, cursor = fresh(account, {})
    assert [item.external_id for item in found] == ["new"]
    assert fresh(account, cursor)[0] == []


def test_only_the_country_wished_for(server, frame):
    server.guest("Отзыв", id="r1")
    server.guest("Review", id="r2", territory="KAZ")
    assert [item.external_id for item in fresh(account_of(frame, territory="RUS"), {})[0]] == ["r1"]


def test_the_next_page_never_leads_elsewhere(server, account, monkeypatch):
    server.guest("Отзыв", id="r1")
    cursor = fresh(account, {})[1]
    original = server.list_reviews
    links = {"links": {"next": "http://10.0.0.1/steal?cursor=5"}}
    monkeypatch.setattr(server, "list_reviews", lambda request, found: {**original(request, found), **links})
    fresh(account, cursor, now=timezone.now() + timedelta(hours=25))
    assert server.violations.after() == []


@pytest.mark.parametrize(("fault", "refused", "after"), p.POLL_FAULTS.values(), ids=p.POLL_FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after):
    server.guest("Отзыв")
    met = p.meets(ADAPTER, server, account, fault)
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


@pytest.mark.parametrize("private_key", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "ключ"])
def test_a_key_that_is_none(frame, server, private_key):
    account = account_of(frame, private_key)
    with pytest.raises(p.PollFault) as caught:
        p.read_all(ADAPTER, account)
    assert caught.value.refused
    result = ADAPTER.send(p.outgoing("Спасибо", recipient="r"), account)
    assert isinstance(result, Failed)
    assert result.reason is Reason.ACCOUNT_REFUSED


def test_a_key_pasted_into_one_line_still_serves(frame, server):
    server.guest("Отзыв")
    (found,) = frame.providers
    assert len(p.read_all(ADAPTER, account_of(frame, found.private_key.replace("\n", "")))[0]) == 1


@pytest.mark.parametrize("changes", [{"app_id": ""}, {"issuer_id": None}, {"key_id": "a/b"}, {"app_id": "../../x"}])
def test_settings_that_are_none(frame, server, changes):
    with pytest.raises(p.PollFault):
        p.read_all(ADAPTER, account_of(frame, **changes))
    assert isinstance(ADAPTER.send(p.outgoing("Спасибо"), account_of(frame, **changes)), Failed)


def send(account, text="Спасибо за отзыв", **changes):
    return ADAPTER.send(p.outgoing(text, **{"recipient": "r1", **changes}), account)


def test_an_answer_its_second_version_and_its_fate(server, account):
    server.guest("Отзыв", id="r1")
    cursor = fresh(account, {})[1]
    first, second = send(account, key="a"), send(account, "Иначе", key="b")
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert first.external_ids[0] != second.external_ids[0]
    assert first.external_ids[1] == second.external_ids[1]
    server.publish()
    found, _cursor = fresh(account, cursor)
    status = next(item for item in found if item.kind is InboundKind.STATUS)
    assert status.external_id == second.external_ids[1]


REFUSED = {
    "5971 letters": ({"text": "я" * 5971}, "text_too_long", Reason.TOO_LONG),
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
    "token revoked": (Fault(FaultKind.TOKEN_REVOKED), Failed("key_refused", "token_revoked on demand", Reason.ACCOUNT_REFUSED)),
    "not accepted": (Fault(FaultKind.SERVER_ERROR, status=409), Failed("not_accepted", "server_error on demand", Reason.REJECTED)),
}


@pytest.mark.parametrize(("fault", "result"), SEND_FAULTS.values(), ids=SEND_FAULTS)
def test_faults_of_a_send(server, account, fault, result):
    server.guest("Отзыв", id="r1")
    server.faults.add(fault)
    assert send(account) == result
    if isinstance(result, Retry):
        assert isinstance(send(account), Sent)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    assert [one.works for one in ADAPTER.check(account_of(frame, key_id="WRONG"), "")] == [False]
