"""RSS: what feeds and entries turn into, questions on the wire with each fault, hostile feeds."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, AttachmentGone, Failed, InboundKind, PollFault, Reason, Unreadable, Unverified
from omni.channels.rss.adapter import RssAdapter
from omni.channels.rss.fetching import LIMIT, Fetched
from omni.channels.rss.reading import entries_of
from tests import polled as p
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame
from tests.providers.rss import RssServer

ADAPTER = RssAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "entries.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def frame():
    with Frame(RssServer()) as running:
        yield running


@pytest.fixture
def server(frame):
    (found,) = frame.providers
    yield found
    found.reset()


@pytest.fixture
def account(server, frame):
    return account_of(frame)


def account_of(frame, page="reviews", **changes) -> AccountConfig:
    settings = {"feed": f"{frame.url}/feeds/{page}.xml", "inner_host": frame.url, "read_timeout": 1} | changes
    return p.config_of("rss", settings, {})


def parsed(sample, query=None):
    (item,) = ADAPTER.parse(p.event(sample, query), AccountConfig("a", "rss"))
    return item


def test_entries():
    first, second, third = map(parsed, SAMPLES)
    assert first.text == "★★☆☆☆ Долгая очередь\nСтояли двадцать минут\nhttps://reviews.example/e1"
    assert (first.kind, first.external_id, first.guest_name) == (InboundKind.MESSAGE, "e1", "Анна Демо")
    assert (first.sent_at, first.extra["source"]) == (datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC), "Отзывы")
    assert second.text == "[отзыв без текста]"
    assert third.text == "★★★★☆ Хорошо, но дорого\nhttps://reviews.example/e3"


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"{}", b'{"id": 5}'])
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parsed(body)


@given(p.spoiled(SAMPLES), st.sampled_from([None, {"changed": "1"}]))
def test_spoiled_samples(value, query):
    p.check_parse(ADAPTER, p.event(value, query))


@given(st.binary(max_size=100) | p.anything())
def test_anything(value):
    p.check_parse(ADAPTER, p.event(value))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<rss><channel><item>{text}</item></channel></rss>".encode()))
def test_any_bytes_are_entries_or_a_fault(data):
    try:
        found = entries_of(Fetched(data, "text/xml"), "")
    except PollFault:
        return
    for entry in found:
        p.check_parse(ADAPTER, p.event(entry))


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:im="http://itunes.apple.com/rss"><title>App</title>
<entry><id>77</id><title>Карта</title><author><name>Анна</name></author><updated>2026-03-03T01:05:05-07:00</updated>
<content type="html">&lt;p&gt;Не &lt;b&gt;открывается&lt;/b&gt;&lt;/p&gt;</content><summary>Не</summary>
<im:rating>3</im:rating></entry></feed>"""


def test_an_atom_feed_with_html_and_a_rating():
    (entry,) = entries_of(Fetched(ATOM.encode(), "application/atom+xml"), "")
    assert (entry["id"], entry["author"], entry["text"], entry["rating"]) == ("77", "Анна", "Не открывается", "3")
    assert (entry["published_at"], entry["source"]) == ("2026-03-03T08:05:05+00:00", "App")


def test_an_entry_without_a_name_is_known_by_its_words():
    feed = "<rss><channel><item><title>Раз</title></item><item><title>Два</title></item></channel></rss>"
    one, other = entries_of(Fetched(feed.encode(), ""), "")
    assert one["id"] != other["id"]
    assert one["id"].startswith("sha256:")


def texts(account, cursor=None, **when):
    events, cursor = p.read_all(ADAPTER, account, cursor, **when)
    return [item.text.partition("\n")[0] for item in p.items(ADAPTER, events)], cursor


def test_reviews_come_once_and_again_when_changed(server, account):
    for number in range(5):
        server.guest(f"Отзыв {number}", id=f"e{number}")
    server.guest("Старый", id="old", at=time.time() - 30 * 86400)
    found, cursor = texts(account)
    assert found == [f"★★★★★ Отзыв {number}" for number in range(5)]
    assert texts(account, cursor)[0] == []
    assert server.conditional == 1
    server.guest("Передумал", id="e3", stars=1)
    events, _cursor = p.read_all(ADAPTER, account, cursor)
    (item,) = p.items(ADAPTER, events)
    assert (item.kind, item.external_id) == (InboundKind.EDIT, "e3")


@pytest.mark.parametrize("header", ["windows-1251", "utf-8", "iso-8859-1"])
def test_a_russian_site_whose_header_is_wrong(server, account, header):
    server.charset, server.header_charset = "windows-1251", header
    server.guest("Просрочен кефир «Утро»")
    expected = "★★★★★ Просрочен кефир «Утро»"
    assert texts(account)[0] == [expected]


def test_redirects_are_followed_within_reason(server, frame):
    server.guest("Отзыв")
    assert texts(account_of(frame, "moved"))[0] == ["★★★★★ Отзыв"]
    for page in ("inside", "loop"):
        with pytest.raises(PollFault, match=r"leads|ведёт"):
            p.read_all(ADAPTER, account_of(frame, page))


@pytest.mark.parametrize(
    "feed", ["http://127.0.0.1:1/x", "http://[::1]/x", "file:///etc/passwd", "", "nonsense", "http://[", "http://169.254.169.254/"]
)
def test_addresses_we_do_not_go_to(server, frame, feed):
    with pytest.raises(PollFault):
        p.read_all(ADAPTER, account_of(frame, feed=feed))


def test_our_own_network_stays_closed(server, frame):
    with pytest.raises(PollFault):
        p.read_all(ADAPTER, account_of(frame, inner_host=""))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">"""
BOMB += b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9))
BOMB += b"]><rss><channel><item><title>&j;</title></item></channel></rss>"
FILE = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss version="2.0"><channel><item><guid>1</guid><title>&x;</title></item></channel></rss>"""
HOSTILE = {
    "a bomb of entities": BOMB,
    "a file of ours": FILE,
    "deep": b"<rss>" + b"<a>" * 20_000,
    "no feed": b"<html><body>404</body></html>",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_feeds(server, account, raw):
    server.raw = raw
    try:
        events, _cursor = p.read_all(ADAPTER, account)
    except PollFault:
        return
    for event in events:
        assert b"root:" not in event.body
        assert len(event.body) < 100_000


def test_a_feed_without_an_end(server, account):
    server.raw = b"<rss>" + b" " * (LIMIT + 1)
    with pytest.raises(PollFault):
        p.read_all(ADAPTER, account)


def test_scripts_do_not_come_through(server, account):
    server.guest("<script>alert(1)</script>Добрый <b>день</b><img src=x onerror=alert(1)>")
    assert texts(account)[0] == ["★★★★★ Добрый день"]


FAULTS = {name: fault for name, fault in p.POLL_FAULTS.items() if name != "garbage"}


@pytest.mark.parametrize(("fault", "refused", "after"), FAULTS.values(), ids=FAULTS)
def test_faults_of_a_question(server, account, fault, refused, after):
    server.guest("Отзыв")
    met = p.meets(ADAPTER, server, account, fault)
    assert (met.refused, met.after) == (refused, after)
    assert len(p.read_all(ADAPTER, account)[0]) == 1


def test_garbage_is_a_fault_and_no_new_version(server, account):
    server.guest("Отзыв")
    _found, cursor = texts(account)
    server.faults.add(Fault(FaultKind.GARBAGE))
    server.guest("Другой")
    with pytest.raises(PollFault):
        p.read_all(ADAPTER, account, cursor)
    assert texts(account, cursor)[0] == ["★★★★★ Другой"]


def test_a_feed_cannot_be_answered(account):
    result = ADAPTER.send(p.outgoing("Спасибо"), account)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("cannot_be_answered", Reason.REJECTED)
    assert ADAPTER.capabilities.text_limit == 0


def test_nobody_posts_here(account):
    with pytest.raises(Unverified):
        ADAPTER.verify(p.event(SAMPLES[0]), account)
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(None, account, limit=1)


def test_the_check_of_the_connection(frame, server, account):
    assert [one.works for one in ADAPTER.check(account, "")] == [True]
    assert [one.works for one in ADAPTER.check(account_of(frame, "none"), "")] == [False]
