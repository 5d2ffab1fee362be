"""Compensations over HTTP, for a real ticket."""

import uuid

import pytest
from django.utils import timezone

from accounts.models import ApiToken, Role
from accounts.rights import Right
from accounts.tokens import new_token
from loyalty.models import Account, Compensation, Transfer
from loyalty.services import cards, proof
from loyalty.tests.builders import a_wallet
from omni.models import Session
from tests import builders as b
from tests import shipped
from tickets.services import opening

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Caller:
    def __init__(self, client, staff, scopes=()):
        token, digest = new_token()
        ApiToken.objects.create(name=staff.login, staff=staff, digest=digest, scopes=list(scopes))
        self.client, self.staff, self.headers = client, staff, {"Authorization": f"Bearer {token}"}

    def get(self, path, **params):
        return self.client.get(f"/api/v1/{path}", params, headers=self.headers)

    def post(self, path, body=None, key=None):
        headers = {**self.headers, "Idempotency-Key": str(key or uuid.uuid4())}
        return self.client.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)


@pytest.fixture
def world(client):
    shipped.load()
    group = b.a_group("quality", "Качество")

    class World:
        pass

    world = World()
    for login, role in (("operator", "operator"), ("lead", "supervisor"), ("lead2", "supervisor")):
        person = b.a_person(login, f"Человек {login}", groups=[group, b.a_group()], role=Role.objects.get(code=role))
        setattr(world, login, Caller(client, person))
    b.receive(b.an_account("webchat"), b.webchat_event(text="Кефир просрочен", name="Анна"), now=NOW)
    session = Session.objects.get()
    world.case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=world.operator.staff, now=NOW)
    world.path = f"cases/{world.case.pk}/compensations"
    return world


def test_points_of_a_tickets_guest(world):
    a_wallet(120, card="770012345678")
    cards.link(number="770012345678", guest=world.case.guest, now=NOW)
    body = world.operator.get(f"cases/{world.case.pk}/points").json()
    assert body["balance"]["available"] == 120
    assert body["cards"] == [{"number": "770012345678", "chain": "Лукошко", "state": "active"}]
    assert body["without_approval"] == 300
    assert "bad-goods" in {reason["code"] for reason in body["reasons"]}
    assert body["compensations"] == []


def test_given_once_for_each_key(world):
    key = uuid.uuid4()
    body = {"points": 200, "reason": "bad-goods", "comment": "Кефир"}
    answers = [world.operator.post(world.path, body, key=key) for _repeat in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3, answers[0].content
    assert {answer.json()["state"] for answer in answers} == {"granted"}
    assert Transfer.objects.get(pk=key).amount == 200
    assert Account.objects.get(wallet__guest=world.case.guest, kind="available").balance == 200
    other = world.operator.post(world.path, {**body, "points": 100}, key=key)
    assert (other.status_code, other.json()["code"]) == (409, "id_reused")
    assert world.operator.post(world.path, body).json()["code"] == "given_already"
    shown = world.operator.get(f"cases/{world.case.pk}/points").json()
    assert shown["compensations"][0]["points"] == 200
    assert shown["without_approval"] == 300  # of the guest's 500 there are 300 left


def test_above_a_limit_another_person_approves(world):
    asked = world.lead.post(world.path, {"points": 900, "reason": "bad-goods"}).json()
    assert (asked["state"], asked["signatures"][0]["by"]) == ("awaiting", None)
    assert asked["over"][0] == {"limit": "operation", "days": 0, "allowed": 500, "comes_to": 900}
    path = f"compensations/{asked['id']}"
    assert world.lead.post(f"{path}/approve").json()["code"] == "own"
    assert world.operator.post(f"{path}/approve").status_code == 403
    assert world.lead.get("compensations", to_sign=True).json()["items"] == []
    assert [one["id"] for one in world.lead2.get("compensations", to_sign=True).json()["items"]] == [asked["id"]]
    assert world.lead2.post(f"{path}/refuse", {"text": ""}).status_code == 400
    key = uuid.uuid4()
    for _repeat in range(2):
        done = world.lead2.post(f"{path}/approve", key=key)
        assert (done.status_code, done.json()["state"]) == (200, "granted"), done.content
    assert world.lead2.post(f"{path}/refuse", {"text": "нет"}).json()["code"] == "decided"
    assert proof.find_faults(now=NOW) == []


def test_refused_and_withdrawn(world):
    asked = world.operator.post(world.path, {"points": 900, "reason": "bad-goods"}).json()
    refused = world.lead.post(f"compensations/{asked['id']}/refuse", {"text": "Нет чека"}).json()
    assert (refused["state"], refused["decision_text"]) == ("refused", "Нет чека")
    again = world.operator.post(world.path, {"points": 800, "reason": "bad-goods"}).json()
    assert world.operator.post(f"compensations/{again['id']}/withdraw").json()["state"] == "withdrawn"
    listed = world.operator.get("compensations", limit=1).json()
    assert [one["state"] for one in listed["items"]] == ["withdrawn"]
    following = world.operator.get("compensations", limit=1, before=listed["next"]).json()
    assert [one["state"] for one in following["items"]] == ["refused"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"points": 0, "reason": "bad-goods"}, "invalid"),
        ({"points": 10**12, "reason": "bad-goods"}, "invalid"),
        ({"points": "много", "reason": "bad-goods"}, "invalid"),
        ({"points": 10, "reason": "no-such"}, "reason_unknown"),
        ({"points": 10, "reason": "bad-goods", "campaign": 987}, "campaign_unknown"),
        ({"points": 30000, "reason": "bad-goods"}, "too_much"),
    ],
)
def test_wrong_inputs(world, body, code):
    answer = world.operator.post(world.path, body)
    assert answer.json()["code"] == code
    assert answer.status_code in (400, 409)
    assert not Compensation.objects.exists()


def test_strangers_and_scopes(world, client):
    asked = world.operator.post(world.path, {"points": 900, "reason": "bad-goods"}).json()
    role = b.a_role("giver", [Right.CASES_READ, Right.COMPENSATE, Right.APPROVE_POINTS])
    stranger = Caller(client, b.a_person("stranger", "Посторонний", groups=[b.a_group("other", "Другая")], role=role))
    body = {"points": 10, "reason": "bad-goods"}
    assert stranger.post(world.path, body).status_code == 404
    assert stranger.get(f"cases/{world.case.pk}/points").status_code == 404
    assert stranger.get("compensations").json()["items"] == []
    for deed in ("approve", "refuse", "withdraw"):
        assert stranger.post(f"compensations/{asked['id']}/{deed}", {"text": "x"}).status_code == 404
    narrow = Caller(client, world.operator.staff, scopes=[Right.CASES_READ])
    assert narrow.post(world.path, body).status_code == 403
    assert narrow.get(f"cases/{world.case.pk}/points").status_code == 200
