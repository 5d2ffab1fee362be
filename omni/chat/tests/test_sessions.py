"""Beginning a chat: tokens, devices, signed identities, sign-out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Guest, Identity
from omni.chat import tokens
from omni.chat.tests import builders as c
from omni.chat.tests.builders import Visitor
from omni.models import ChatNonce, ChatToken, Message, Session
from omni.services import conversations
from tests import builders as b

pytestmark = pytest.mark.django_db


def test_a_visitor_begins_and_only_digests_are_kept(client, site):
    visitor = Visitor(client)
    begun = visitor.begin().json()
    assert begun["identified"] is False
    assert begun["messages"] == []
    assert begun["state"]["status"] == "none"
    assert begun["settings"]["greeting"] == "Hello!"
    row = ChatToken.objects.get()
    assert begun["session_token"] not in (row.digest, row.device, row.visitor)
    assert visitor.device not in (row.digest, row.device, row.visitor)
    assert not Guest.objects.exists(), "a visitor who has written nothing is nobody's guest yet"


def test_a_reload_goes_on_with_the_same_token_and_dialogue(client, visitor):
    visitor.write("Здравствуйте")
    token = visitor.token
    again = visitor.begin().json()
    assert again["session_token"] == token
    assert [message["text"] for message in again["messages"]] == ["Здравствуйте"]


def test_a_lost_token_is_replaced_by_the_devices_secret(client, visitor):
    visitor.write("Здравствуйте")
    visitor.token = ""
    assert [message["text"] for message in visitor.begin().json()["messages"]] == ["Здравствуйте"]


def test_a_strangers_device_sees_nothing(client, visitor):
    visitor.write("Секрет")
    stranger = Visitor(client)
    assert stranger.begin().json()["messages"] == []
    stranger.token = visitor.token
    assert stranger.begin().json()["messages"] == [], "a token goes with its device"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"site_key": "nobody"}, 404, "site_unknown"),
        ({"site_key": ""}, 404, "site_unknown"),
        ({"device_id": "short"}, 400, "device_id"),
        ({"device_id": None}, 400, "device_id"),
        ({"device_id": ["a" * 30]}, 400, "device_id"),
        ({"device_id": "х" * 30}, 400, "device_id"),
        ({"identity": {"external_id": "card:1", "hash": "00"}}, 403, "identity_wrong"),
        ({"identity": False}, 403, "identity_wrong"),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(client, site, body, status, code):
    answer = Visitor(client).post("sessions", {"site_key": "shop", "device_id": c.DEVICE, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"].endswith((".", "!"))


@pytest.mark.parametrize("raw", [b"not json", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(client, site, raw):
    answer = client.post("/chat/sessions", raw, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) in {(400, "not_json"), (413, "too_large")}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://testserver", 200),
        (c.ORIGIN, 200),
        ("https://evil.example", 403),
        ("https://shop.example.evil", 403),
        ("null", 403),
    ],
)
def test_only_registered_origins_may_talk(client, site, origin, status):
    visitor = Visitor(client, origin=origin)
    answer = visitor.begin()
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "origin_unknown"


def test_an_origin_is_asked_for_later_requests_too(client, visitor):
    visitor.origin = "https://evil.example"
    assert visitor.write("x").json()["code"] == "origin_unknown"
    assert visitor.read().status_code == 403


@pytest.mark.parametrize("identity", [c.a_hash, c.a_token])
def test_a_customer_in_two_browsers_is_one_guest(client, site, identity):
    first, second = Visitor(client), Visitor(client)
    assert first.begin(identity=identity()).json()["identified"] is True
    first.write("Из телефона")
    found = second.begin(identity=identity()).json()
    assert [message["text"] for message in found["messages"]] == ["Из телефона"]
    second.write("С компьютера")
    assert Guest.objects.count() == 1
    assert Identity.objects.get().external_id == "card:7700001"
    assert Session.objects.count() == 1


def test_a_signed_identity_is_taken_once(client, site):
    proof = c.a_token()
    assert Visitor(client).begin(identity=proof).status_code == 200
    replayed = Visitor(client).begin(identity=proof)
    assert (replayed.status_code, replayed.json()["code"]) == (403, "identity_used")


def test_a_name_and_telephone_that_the_site_vouches_for_reach_the_guest(client, site):
    visitor = Visitor(client)
    visitor.begin(identity=c.a_token(name="Анна", phone="+79001234567"))
    visitor.write("Здравствуйте")
    guest = Guest.objects.get()
    assert (guest.name, guest.phone) == ("Анна", "+79001234567")


def test_a_site_for_customers_only_refuses_strangers(client, db):
    c.a_site(only_identified=True)
    visitor = Visitor(client)
    refused = visitor.begin()
    assert (refused.status_code, refused.json()["code"]) == (403, "identity_required")
    assert visitor.begin(identity=c.a_hash()).status_code == 200
    assert visitor.begin().status_code == 200, "the token of before still says who it is"


def test_signing_in_takes_the_open_dialogue_along(client, visitor):
    visitor.write("Ещё не вошла")
    begun = visitor.begin(identity=c.a_hash()).json()
    assert [message["text"] for message in begun["messages"]] == ["Ещё не вошла"]
    visitor.write("Уже вошла")
    session = Session.objects.get()
    assert session.identity.external_id == "card:7700001"
    assert set(Message.objects.values_list("guest_id", flat=True)) == {session.guest_id}


def test_a_foreign_browser_cannot_take_a_dialogue_along(client, visitor):
    visitor.write("Моё")
    stranger = Visitor(client)
    assert stranger.begin(identity=c.a_hash()).json()["messages"] == []
    assert Session.objects.get().identity.external_id.startswith("visitor:")


def test_a_customer_with_an_open_dialogue_keeps_it_and_the_operator_is_told(client, visitor):
    elsewhere = Visitor(client)
    elsewhere.begin(identity=c.a_hash())
    elsewhere.write("С телефона")
    visitor.write("Ещё не вошла")
    begun = visitor.begin(identity=c.a_hash()).json()
    assert [message["text"] for message in begun["messages"]] == ["С телефона"]
    left = Session.objects.get(identity__external_id__startswith="visitor:")
    kept = Session.objects.get(identity__external_id="card:7700001")
    assert str(kept.pk) in left.messages.get(direction="system").text


def test_signing_in_leaves_closed_dialogues_where_they_are(client, visitor):
    visitor.write("Давно")
    conversations.close(session_id=Session.objects.get().pk, by=None, now=timezone.now())
    assert visitor.begin(identity=c.a_hash()).json()["messages"] == []


def test_signing_out_ends_every_token_of_the_device(client, visitor):
    visitor.write("До выхода")
    old = visitor.token
    visitor.begin(identity=c.a_hash())
    assert visitor.post("forget", {}).status_code == 200
    for token in (old, visitor.token):
        visitor.token = token
        assert (visitor.read().status_code, visitor.read().json()["code"]) == (401, "token")
    visitor.token = ""
    assert visitor.begin().json()["code"] == "device_forgotten"
    visitor.device = c.a_device()
    assert visitor.begin().json()["messages"] == []


def test_a_token_ends_after_thirty_days(client, visitor):
    ChatToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.write("x").status_code == 401
    assert visitor.begin().status_code == 200, "the device's secret begins anew"


@pytest.mark.parametrize("token", ["", "oc_wrong", "х", "a b", "x" * 5000])
def test_a_forged_token_opens_nothing(client, site, token):
    visitor = Visitor(client)
    visitor.token = token
    for answer in (
        visitor.read(),
        visitor.write("x"),
        visitor.post("seen", {"seq": 1}),
        visitor.post("typing", {}),
        visitor.post("forget", {}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "token")


def test_a_site_that_was_switched_off_answers_nobody(client, site, visitor):
    site.state = "disabled"
    site.save()
    assert visitor.read().status_code == 401
    assert visitor.begin().status_code == 404


def test_refusals_speak_the_visitors_language(client, site):
    codes = {language: Visitor(client, language=language).begin(site_key="none").json()["message"] for language in ("ru", "en")}
    assert codes["en"] == "There is no chat for this site."


def test_hours_of_the_queue_are_told(client, site):
    site.queue.policy.calendar.intervals.all().delete()
    b.clocks.forget_hours()
    try:
        assert Visitor(client).begin().json()["state"]["working"] is False
    finally:
        b.clocks.forget_hours()


def test_what_has_ended_long_ago_is_removed(client, site):
    Visitor(client).begin(identity=c.a_token())
    tokens.purge(now=timezone.now())
    assert (ChatToken.objects.count(), ChatNonce.objects.count()) == (1, 1)
    tokens.purge(now=timezone.now() + timedelta(minutes=11))
    assert (ChatToken.objects.count(), ChatNonce.objects.count()) == (1, 0)
    tokens.purge(now=timezone.now() + tokens.LIFETIME + tokens.DEVICE_LIFETIME + timedelta(days=1))
    assert not ChatToken.objects.exists()
