"""Approvals and links to stores over the API: asked, decided, withdrawn, once for each key, by those who may."""

import uuid

import pytest
from django.utils import timezone

from accounts.models import ApiToken
from accounts.rights import Right
from accounts.tokens import new_token
from tests import builders as b
from tickets.models import Approval, ApprovalRule, CaseLetter, StoreLink
from tickets.services import opening, topics
from tickets.tests.asking_builders import a_session, a_store_case
from tickets.tests.test_api import Program

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _fresh_tree():
    topics.forget()
    yield
    topics.forget()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


def a_program(client, staff):
    token, digest = new_token()
    ApiToken.objects.create(name=staff.login, staff=staff, digest=digest)
    program = Program.__new__(Program)
    program.client, program.headers = client, {"Authorization": f"Bearer {token}"}
    return program


@pytest.fixture
def case(operator):
    session = a_session(operator, now=NOW)
    return opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=NOW)


@pytest.fixture
def boss():
    return b.a_person("orlova", "Орлова", role=b.a_role("boss", [Right.CASES_READ]))


@pytest.fixture
def rule(boss):
    return ApprovalRule.objects.create(code="refund", name="Крупный возврат", deed="close", role=b.a_role("boss"), topic=b.a_topic())


def test_an_approval_is_asked_for_seen_and_decided(client, operator, case, boss, rule):
    asks, decides = a_program(client, operator), a_program(client, boss)
    body, key = {"rule": "refund", "question": "Вернуть 12 000 ₽"}, uuid.uuid4()
    made = asks.post(f"cases/{case.pk}/approvals", body, key=key)
    assert made.status_code == 201
    assert asks.post(f"cases/{case.pk}/approvals", body, key=key).json() == made.json()
    assert asks.post(f"cases/{case.pk}/approvals", body).json()["code"] == "asked_already"
    pk = made.json()["id"]
    assert [(one["id"], one["may_decide"]) for one in asks.get(f"cases/{case.pk}/approvals").json()] == [(pk, False)]
    (mine,) = decides.get("approvals").json()
    assert (mine["id"], mine["number"], mine["may_decide"]) == (pk, case.number, True)
    assert decides.post(f"approvals/{pk}/decision", {"decision": "maybe", "reason": "x"}).status_code == 400
    assert asks.post(f"approvals/{pk}/decision", {"decision": "yes", "reason": "сам себе"}).json()["code"] == "own"
    key = uuid.uuid4()
    for _twice in range(2):
        done = decides.post(f"approvals/{pk}/decision", {"decision": "yes", "reason": "Чек приложен"}, key=key)
        assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert [(seat["person"], seat["by"], seat["decision"]) for seat in done.json()["seats"]] == [("Орлова", "Орлова", "yes")]
    assert decides.get("approvals").json() == []
    assert asks.get(f"approvals/{pk}").json()["decided_at"]


def test_an_approval_is_withdrawn_by_who_asked_only(client, operator, case, boss, rule):
    asks, decides = a_program(client, operator), a_program(client, boss)
    pk = asks.post(f"cases/{case.pk}/approvals", {"rule": "refund", "question": "Вернуть"}).json()["id"]
    assert decides.post(f"approvals/{pk}/withdraw", {}).status_code == 403
    assert asks.post(f"approvals/{pk}/withdraw", {}).json()["state"] == "withdrawn"
    assert Approval.objects.get().state == "withdrawn"
    assert asks.post(f"cases/{case.pk}/approvals", {"rule": "no-such", "question": "x"}).json()["code"] == "rule_unknown"
    assert asks.post(f"cases/{case.pk}/approvals", {"rule": "refund", "question": " "}).status_code == 400


def test_strangers_learn_nothing(client, operator, case, boss, rule):
    pk = a_program(client, operator).post(f"cases/{case.pk}/approvals", {"rule": "refund", "question": "Вернуть"}).json()["id"]
    stranger = a_program(client, b.a_person("stranger", "Чужой", groups=[b.a_group("other", "Другая")]))
    for path in (f"approvals/{pk}", f"cases/{case.pk}/approvals", f"cases/{case.pk}/store-links"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"approvals/{pk}/decision", {"decision": "yes", "reason": "x"}).status_code == 404
    assert stranger.post(f"approvals/{pk}/withdraw", {}).status_code == 404
    assert stranger.get("approvals").json() == []


def test_a_store_is_asked_by_a_link_that_nobody_else_gets(client, operator):
    case = a_store_case(operator, now=NOW)
    program = a_program(client, operator)
    key = uuid.uuid4()
    for _twice in range(2):
        made = program.post(f"cases/{case.pk}/store-links", {"question": "Есть ли ещё такая партия?"}, key=key)
        assert made.status_code == 201
    link = StoreLink.objects.get()
    assert (made.json()["store"], made.json()["letter"], made.json()["answered_at"]) == ("4217", "queued", None)
    assert not {str(link.public_id), link.digest} & set(map(str, made.json().values()))
    second = program.post(f"cases/{case.pk}/store-links", {}).json()
    shown = program.get(f"cases/{case.pk}/store-links").json()
    assert [(one["id"], one["revoked_because"]) for one in shown] == [(second["id"], ""), (link.pk, "replaced")]
    assert CaseLetter.objects.filter(link=link).count() == 1


def test_a_ticket_that_waits_for_no_store_asks_none(client, operator, case):
    refused = a_program(client, operator).post(f"cases/{case.pk}/store-links", {"question": "?"})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
