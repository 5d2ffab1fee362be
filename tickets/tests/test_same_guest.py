"""Who may be the same guest: candidates, joining by a verified key, the API. In tickets, for the store of a ticket is a reason."""

import json
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.rights import Right
from accounts.tokens import new_token
from customers.models import Guest, GuestMerge, Identity, MatchRule
from customers.selectors import list_candidates
from customers.services import linking, merging
from omni.models import Message
from omni.services import distribution, presence  # noqa: F401  the product's own wiring
from tests import builders as b
from tickets.services import defaults, opening

pytestmark = pytest.mark.django_db
NOW = timezone.now()
PHONE = "+79161234567"


@pytest.fixture(autouse=True)
def rules(db):
    for facts in defaults._read("matching"):
        MatchRule.objects.create(**facts)


def contact_shared(account, chat, phone=PHONE, own=True, name="Анна"):
    """A guest presses "share my contact" in Telegram (or shares somebody else's)."""
    person = {"id": chat, "is_bot": False, "first_name": name}
    contact = {"phone_number": phone.lstrip("+"), "first_name": name, **({"user_id": chat} if own else {})}
    message = {"message_id": 77, "date": 1763762400, "from": person, "chat": {"id": chat, "type": "private"}, "contact": contact}
    b.receive(account, json.dumps({"update_id": 9000 + chat, "message": message}).encode(), now=NOW)
    return Identity.objects.get(channel="telegram", external_id=str(chat))


def signed_in(account, customer="customer-7", phone="", name=""):
    """A visitor whom the site's server has signed."""
    body = {"client_id": str(uuid.uuid4()), "visitor": customer, "text": "Здравствуйте", "name": name, "phone": phone}
    b.receive(account, json.dumps(body).encode(), now=NOW)
    return Identity.objects.get(channel="webchat", scope=str(account.public_id), external_id=customer)


def follow_up():
    """The worker's part."""
    return [linking.link(identity_id, now=NOW) for identity_id in linking.find_due()]


def test_a_shared_contact_and_a_signed_customer_are_one_guest():
    chat, telegram = signed_in(b.an_account("webchat"), phone=PHONE), contact_shared(b.an_account(), 1)
    assert chat.is_verified
    assert telegram.is_verified
    assert chat.guest_id != telegram.guest_id
    assert [merge for merge in follow_up() if merge]
    assert Identity.objects.values("guest").distinct().count() == 1
    made = GuestMerge.objects.get()
    assert (made.by, made.kept_id, made.reasons) == (None, chat.guest_id, ["verified_phone"])  # who was known first goes on
    assert follow_up() == []


def test_the_rule_can_be_switched_off():
    MatchRule.objects.update(links_by_itself=False)
    signed_in(b.an_account("webchat"), phone=PHONE)
    contact_shared(b.an_account(), 1)
    follow_up()
    assert not GuestMerge.objects.exists()


def test_several_matches_are_left_to_a_person():
    signed_in(b.an_account("webchat"), phone=PHONE)
    signed_in(b.an_account("webchat"), customer="customer-8", phone=PHONE)
    shared = contact_shared(b.an_account(), 1)
    assert linking.link(shared.pk, now=NOW) is None
    assert len(list_candidates(shared.guest)) == 2


def test_two_accounts_of_one_channel_are_never_joined_by_themselves():
    telegram = b.an_account()
    one, other = contact_shared(telegram, 1), contact_shared(telegram, 2)
    follow_up()
    assert not GuestMerge.objects.exists()
    (offered,) = list_candidates(one.guest)
    assert (offered.guest, list(offered.match.doubts)) == (other.guest, ["other_id"])


def test_somebody_elses_contact_verifies_nobody():
    shared = contact_shared(b.an_account(), 1, own=False)
    assert (shared.is_verified, shared.phone, shared.link_due) == (False, "", False)


def test_a_senders_address_verifies_nobody(db):
    from customers.services import identities

    made = identities.recognise(channel="email", scope="box", external_id="a@example.com", name="", email="A@example.com", now=NOW)
    assert (made.is_verified, made.guest.email) == (False, "a@example.com")


def test_the_same_signed_customer_on_two_sites_is_one_guest():
    signed_in(b.an_account("webchat"))
    signed_in(b.an_account("webchat"))
    follow_up()
    assert GuestMerge.objects.get().reasons == ["verified_id"]


def test_parted_guests_are_not_joined_again_by_themselves():
    chat = signed_in(b.an_account("webchat"), phone=PHONE)
    contact_shared(b.an_account(), 1)
    (made,) = [merge for merge in follow_up() if merge]
    merging.undo(merge_id=made.pk, by=b.a_person(), now=NOW)
    Identity.objects.update(link_due=True)
    follow_up()
    assert GuestMerge.objects.filter(undone_at=None).count() == 0
    assert list_candidates(Guest.objects.get(pk=chat.guest_id)) == []


def test_a_verified_phone_that_comes_later_is_looked_at():
    account = b.an_account()
    b.receive(account, b.telegram_update(5, chat_id=1), now=NOW)
    assert not Identity.objects.get().is_verified
    identity = contact_shared(account, 1)
    assert (identity.is_verified, identity.phone, identity.link_due) == (True, PHONE, True)
    assert "79161234567" in Guest.objects.get().search_text


def a_named_guest(account, visitor, name, store, operator):
    event = b.receive(account, b.webchat_event(visitor, "Кефир просрочен", name=name), now=NOW)
    message = Message.objects.get(pk=event.message_ids[0])
    return opening.open_ticket(session_id=message.session_id, topic=b.a_topic(), store=store, by=operator, now=NOW).guest


def test_the_same_name_and_store_is_a_weak_reason():
    operator, account, store = b.a_person(groups=[b.a_group()]), b.an_account("webchat"), b.a_store()
    one = a_named_guest(account, "visitor:1", "Пётр Смирнов", store, operator)
    other = a_named_guest(b.an_account("webchat"), "visitor:2", "Петр  Смирнов".replace("  ", " "), store, operator)
    a_named_guest(b.an_account("webchat"), "visitor:3", "Пётр Смирнов", b.a_store("9999"), operator)
    a_named_guest(b.an_account("webchat"), "visitor:4", "Пётр", store, operator)
    Guest.objects.filter(pk=other.pk).update(name="ПЁТР Смирнов")
    MatchRule.objects.filter(code="other_id").update(weight=100)
    (found,) = list_candidates(one)
    assert (found.guest, list(found.match.reasons), found.match.score) == (other, ["name_and_store"], 35)
    assert "4217" in found.match.shared["name_and_store"]


# The API


def api(staff, **scopes):
    token, digest = new_token()
    ApiToken.objects.create(staff=staff, name="test", digest=digest, **scopes)
    client = Client()

    def call(method, path, key=None, **fields):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(key or uuid.uuid4())}
        if method == "get":
            return client.get(path, fields, headers=headers)
        return client.post(path, fields, content_type="application/json", headers=headers)

    return call


@pytest.fixture
def joining():
    role = b.a_role("joining", rights=[Right.DESK, Right.ANSWER, Right.CASES_READ, Right.CASES_WORK, Right.JOIN_GUESTS])
    return b.a_person(groups=[b.a_group()], role=role)


def test_the_api_joins_once_and_parts(joining):
    MatchRule.objects.update(links_by_itself=False)
    chat, telegram = signed_in(b.an_account("webchat"), phone=PHONE), contact_shared(b.an_account(), 1)
    call, base = api(joining), f"/api/v1/guests/{chat.guest_id}"
    (candidate,) = call("get", f"{base}/candidates").json()
    assert (candidate["guest"]["id"], candidate["score"], candidate["reasons"]) == (telegram.guest_id, 95, ["verified_phone"])
    assert PHONE not in json.dumps(candidate)
    told = call("get", f"{base}/merge-preview", guest=telegram.guest_id).json()
    assert told["moves"] == {"identities": 1, "sessions": 1, "messages": 1, "rows": 1, "cases": 0, "case_rows": 0}
    assert told["fills"] == ["name"]
    key = uuid.uuid4()
    first, again = (call("post", f"{base}/merges", key=key, guest=telegram.guest_id) for _ in range(2))
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    assert GuestMerge.objects.count() == 1
    assert [one["id"] for one in call("get", f"{base}/merges").json()] == [first.json()["id"]]
    assert call("post", f"/api/v1/merges/{first.json()['id']}/undo").json()["undone_at"]
    refused = call("post", f"/api/v1/merges/{first.json()['id']}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "undone")


def test_who_may_not_join_is_refused():
    identity = signed_in(b.an_account("webchat"))
    plain = b.a_person(groups=[b.a_group()])
    assert api(plain)("post", f"/api/v1/guests/{identity.guest_id}/merges", guest=1).status_code == 403


def test_a_guest_of_other_groups_can_only_be_joined_as_a_candidate(joining):
    mine = signed_in(b.an_account("webchat"), phone=PHONE)
    elsewhere = b.a_queue("mail", group=b.a_group("mail", "Почта"))
    stranger = contact_shared(b.an_account(queue=elsewhere), 2, phone="+79030000000")
    call = api(joining)
    assert call("get", f"/api/v1/guests/{stranger.guest_id}/candidates").status_code == 404
    assert call("post", f"/api/v1/guests/{mine.guest_id}/merges", guest=stranger.guest_id).status_code == 404
    Identity.objects.filter(pk=stranger.pk).update(phone=PHONE)
    assert call("post", f"/api/v1/guests/{mine.guest_id}/merges", guest=stranger.guest_id).status_code == 201
