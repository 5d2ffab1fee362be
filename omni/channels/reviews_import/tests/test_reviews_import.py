"""The import of reviews: signatures, JSON and CSV, what records turn into, the way through the database."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from omni.channels.contract import AccountConfig, AttachmentGone, Failed, InboundKind, Reason, Unreadable, Unverified
from omni.channels.reviews_import.adapter import ReviewsImportAdapter
from omni.models import InboundEvent, Message, Session
from omni.services import journal
from tests import builders as b
from tests import polled as p
from tests.providers.reviews_import import SECRET, ReviewsVendor

ADAPTER = ReviewsImportAdapter()
SAMPLES = json.loads((Path(__file__).parent / "samples" / "import.json").read_text("utf-8"))
ACCOUNT = AccountConfig("a", "reviews_import", {"source": "vendor"}, {"secret": SECRET})


def parse(value, **headers):
    return list(ADAPTER.parse(p.event(value, **headers), ACCOUNT))


def test_records():
    found = parse(SAMPLES)
    assert [item.kind for item in found] == [InboundKind.MESSAGE, InboundKind.EDIT] * 4
    review, comment, bare, titled = found[::2]
    assert (review.external_id, review.guest_external_id, review.guest_name) == ("maps:1", "maps:1", "Анна Демо")
    assert review.text == "★★☆☆☆ Грязно в торговом зале\nhttps://maps.example/1"
    assert review.sent_at == datetime(2026, 3, 3, 8, 5, 5, tzinfo=UTC)
    assert (comment.external_id, comment.guest_external_id, comment.reply_to) == ("maps:2", "maps:1", "maps:1")
    assert (comment.guest_name, comment.text) == ("", "Борис: Подтверждаю\nhttps://maps.example/1#2")
    assert (bare.external_id, bare.text) == ("vendor:https://blog.example/7", "★★★★☆ [отзыв без текста]\nhttps://blog.example/7")
    assert titled.text == "О сыре\nВкусный"
    assert titled.external_id.startswith("blog:sha256:")


@pytest.mark.parametrize("wrapped", [{"items": SAMPLES}, {"reviews": SAMPLES}, SAMPLES])
def test_shapes_of_json(wrapped):
    assert len(parse(wrapped)) == 8
    assert len(parse(SAMPLES[0])) == 2


CSVS = {
    "semicolons": 'external_id;Text;rating\n1;Грязно;2\n2;"Чисто; уютно";5\n',
    "commas": 'text,external_id,rating\nГрязно,1,2\n"Чисто; уютно",2,5\n',
    "tabs and CRLF": "rating\texternal_id\ttext\r\n2\t1\tГрязно\r\n5\t2\tЧисто; уютно\r\n",
}


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("text", CSVS.values(), ids=CSVS)
def test_spreadsheets(text, charset):
    found = parse(text.encode(charset), **{"content-type": "text/csv"})[::2]
    assert [(item.external_id, item.text) for item in found] == [("vendor:1", "★★☆☆☆ Грязно"), ("vendor:2", "★★★★★ Чисто; уютно")]


UNREADABLE = [b"", b"[]", b"{}", b"hello", b"[1]", b"[[]]", b'"x"', b"[" * 100_000, b'[{"source": "a"}]', b"a;b\n1;2\n"]
UNREADABLE.append(b'text\n"' + b"x" * 200_000)


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_unreadable(body):
    with pytest.raises(Unreadable):
        parse(body)


def test_too_many_records():
    with pytest.raises(Unreadable, match="5001"):
        parse([{"text": "x", "external_id": number} for number in range(5001)])


@given(p.spoiled([SAMPLES, {"items": SAMPLES}]))
def test_spoiled_samples(value):
    p.check_parse(ADAPTER, p.event(value))


@given(st.binary(max_size=200) | p.anything(), st.sampled_from(["", "text/csv", "application/json"]))
def test_anything(value, kind):
    p.check_parse(ADAPTER, p.event(value, **{"content-type": kind}))


@given(st.text(max_size=200).map(lambda rest: f"text;external_id;published_at;rating\n{rest}".encode("utf-8", "replace")))
def test_any_spreadsheet(body):
    p.check_parse(ADAPTER, p.event(body, **{"content-type": "text/csv"}))


def test_signatures():
    vendor = ReviewsVendor()
    body, headers = vendor.signed(SAMPLES[0])
    signature = {"x-signature": headers["X-Signature"]}
    ADAPTER.verify(p.event(body, **signature), ACCOUNT)
    wrong = [
        (body, {}, SECRET),
        (body, {"x-signature": "sha256=0"}, SECRET),
        (body, {"x-signature": "прав\udcff"}, SECRET),
        (body + b" ", signature, SECRET),
        (body, signature, "other"),
        (body, {"x-signature": headers["X-Signature"].removeprefix("sha256=")}, SECRET),
    ]
    unconfigured = ReviewsVendor("").signed(SAMPLES[0])
    wrong.append((unconfigured[0], {"x-signature": unconfigured[1]["X-Signature"]}, ""))
    for data, given_headers, secret in wrong:
        with pytest.raises(Unverified):
            ADAPTER.verify(p.event(data, **given_headers), AccountConfig("a", "reviews_import", {}, {"secret": secret}))


def test_a_known_signature():
    """Computed apart with openssl: HMAC-SHA256 of `[]` under `demo-import-secret`."""
    signature = "sha256=0b574f37ecd81827a4a2a8201cfa2c0ae0863ddb33fd57517714fa5763dd8e64"
    ADAPTER.verify(p.event(b"[]", **{"x-signature": signature}), ACCOUNT)


def test_it_cannot_be_answered():
    result = ADAPTER.send(p.outgoing("Спасибо"), ACCOUNT)
    assert isinstance(result, Failed)
    assert (result.code, result.reason) == ("cannot_be_answered", Reason.REJECTED)
    assert ADAPTER.capabilities.text_limit == 0
    with pytest.raises(AttachmentGone):
        ADAPTER.fetch(None, ACCOUNT, limit=1)


@pytest.fixture
def account(db):
    return p.an_account("reviews_import", {"source": "vendor"}, secret=SECRET)


def post(account, signed):
    body, headers = signed
    given_headers = {"HTTP_X_SIGNATURE": headers["X-Signature"]}
    return Client().post(f"/hooks/reviews_import/{account.public_id}/", body, content_type=headers["Content-Type"], **given_headers)


@pytest.mark.parametrize("as_csv", [False, True])
def test_the_journey_of_a_review(account, as_csv):
    vendor = ReviewsVendor(as_csv=as_csv, charset="cp1251" if as_csv else "utf-8")
    first = vendor.record("Грязно", id="1", stars=2)
    assert post(account, vendor.signed(first)).status_code == 200
    p.process()
    message = Message.objects.get()
    assert (message.edited_at, message.versions.count()) == (None, 0), "a new review is not shown as changed"
    post(account, vendor.signed({**first, "text": "Убрали, спасибо"}, vendor.record("Тоже видел", "Борис", "2", parent="1")))
    p.process()
    message.refresh_from_db()
    assert message.text.startswith("★★☆☆☆ Убрали, спасибо")
    assert message.versions.get().text.startswith("★★☆☆☆ Грязно")
    assert Session.objects.get().message_count == 2
    assert Session.objects.get().guest.name == "Анна"
    with pytest.raises(Refusal, match="текстом"):
        p.answer(Session.objects.get(), "Спасибо", b.a_person())


def test_a_forged_import_is_refused(account):
    assert post(account, ReviewsVendor("other").signed(SAMPLES[0])).status_code == 403
    assert InboundEvent.objects.count() == 0


def test_doubled_and_reordered_imports_lose_and_double_nothing(account):
    vendor = ReviewsVendor()
    records = [vendor.record(f"Отзыв {number}", f"Гость {number}", f"r{number}", stars=1 + number % 5) for number in range(30)]
    posts = [vendor.signed(*records[start : start + 3]) for start in range(0, 30, 2)] * 2
    random.Random(7).shuffle(posts)
    for signed in posts:
        assert post(account, signed).status_code == 200
    p.process()
    assert InboundEvent.objects.count() == 15
    before = sorted(Message.objects.values_list("external_id", "text"))
    assert [external_id for external_id, _text in before] == sorted(f"maps:r{number}" for number in range(30))
    ids = list(InboundEvent.objects.values_list("pk", flat=True))
    journal.replay(event_ids=ids, by=b.a_person(), now=p.timezone.now())
    assert sorted(Message.objects.values_list("external_id", "text")) == before
