"""A compensation inside the ticket: balance, limit, at once or by signature, history; the guest hears of it by consent."""

import re
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from core.shipped import Shipment
from loyalty import selectors
from loyalty.models import Compensation
from loyalty.services import accounts, defaults, telling
from loyalty.states import CompensationState, NoticeState
from loyalty.tests import builders as points
from omni.models import Notice, Session
from omni.services import consents, conversations
from tests import builders as b
from tests.shipped import BEGUN, once
from tickets.models import CaseStep, GuestText
from tickets.services import default_asking, opening
from tickets.states import Step

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


def _load_settings():
    for code in ("operator", "supervisor"):
        b.a_role(code, ["desk", "answer", "cases.read", "cases.work"] + (["everything.read"] if code == "supervisor" else []))
    defaults.load(now=BEGUN)


@pytest.fixture
def world(now):
    once(_load_settings)
    roles = {role.code: role for role in Role.objects.all()}
    anna = b.a_person("anna", "Анна Оператор", groups=[b.a_group(), b.a_group("quality", "Качество")], role=roles["operator"])
    boss = b.a_person("boss", "Ольга Супервизор", role=roles["supervisor"])
    b.receive(b.an_account("webchat"), b.webchat_event(), now=now)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=anna, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=anna, now=now)
    wallet = points.a_wallet(100, card="7700001234", guest=case.guest)
    points.Card.objects.create(number="8800009876", chain=points.a_chain("second", "Вторая сеть"), wallet=wallet, created_at=now)
    return anna, boss, case


def browser(staff):
    client = Client()
    client.force_login(staff)
    return client


def panel(client, case):
    return client.get(f"/desk/case/{case.pk}/header/", {"panel": "ticket"}).json()["panel"]


def deed(client, case, name, key=None, **fields):
    return client.post(
        f"/desk/case/{case.pk}/points/{name}/", fields, headers={"Idempotency-Key": str(key or uuid.uuid4()), "Accept": "application/json"}
    )


def balance(case):
    return selectors.balance_of(case.guest_id).available


def steps(case):
    kinds = [Step.COMPENSATED, Step.APPROVAL_ASKED, Step.APPROVED, Step.DECLINED, Step.NOTIFIED]
    return list(CaseStep.objects.filter(case=case, step__in=kinds).order_by("pk").values_list("step", flat=True))


def test_the_form_shows_one_balance_over_both_chains_and_the_limit(world):
    anna, _boss, case = world
    text = panel(browser(anna), case)
    assert re.search(r"<dd>100", text)
    for shown in ("…1234", "…9876", "Вторая сеть", 'data-command="points/give"', "300"):
        assert shown in text


def test_within_the_limit_the_guest_has_the_points_once(world):
    anna, _boss, case = world
    client, key = browser(anna), uuid.uuid4()
    answers = [deed(client, case, "give", key, points="150", reason="wrong-price", comment="ценник") for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["granted", "granted"]
    assert (balance(case), steps(case)) == (250, [Step.COMPENSATED])
    assert CaseStep.objects.get(case=case, step=Step.COMPENSATED).details["points"] == 150
    assert deed(client, case, "give", points="1", reason="wrong-price").status_code == 409
    assert 'data-command="points/give"' not in panel(client, case)


@pytest.mark.parametrize(("wrong", "status"), [("", 400), ("-5", 400), ("1e3", 400), ("0", 400), ("9" * 30, 400), ("500000000", 409)])
def test_wrong_amounts_are_refused_in_words(world, wrong, status):
    anna, _boss, case = world
    answer = deed(browser(anna), case, "give", points=wrong, reason="wrong-price")
    assert (answer.status_code, balance(case)) == (status, 100)
    assert answer.json()["message"]


def test_above_the_limit_a_second_person_signs_at_the_ticket(world):
    anna, boss, case = world
    assert deed(browser(anna), case, "give", points="400", reason="wrong-price").json()["state"] == "awaiting"
    assert balance(case) == 100
    assert 'data-command="points/approve"' not in panel(browser(anna), case)
    assert deed(browser(anna), case, "approve").status_code == 403
    assert 'data-command="points/approve"' in panel(browser(boss), case)
    assert deed(browser(boss), case, "approve").json()["state"] == "granted"
    assert (balance(case), steps(case)) == (500, [Step.APPROVAL_ASKED, Step.APPROVED, Step.COMPENSATED])


def test_refused_and_taken_back(world):
    anna, boss, case = world
    deed(browser(anna), case, "give", points="400", reason="wrong-price")
    assert deed(browser(boss), case, "refuse", text="").status_code == 400
    assert deed(browser(boss), case, "refuse", text="не по правилам").json()["state"] == "refused"
    assert "не по правилам" in panel(browser(anna), case)
    deed(browser(anna), case, "give", points="400", reason="wrong-price")
    assert deed(browser(anna), case, "withdraw").json()["state"] == "withdrawn"
    assert (balance(case), Compensation.objects.exclude(state=CompensationState.AWAITING).count()) == (100, 2)


def test_whose_role_gives_no_points_sees_none(world):
    _anna, _boss, case = world
    plain = b.a_person("plain", groups=[case.group], role=b.a_role("plain", ["desk", "cases.read", "cases.work"]))
    assert "points/" not in panel(browser(plain), case)
    assert deed(browser(plain), case, "give", points="1", reason="wrong-price").status_code == 403


def told_of_points(world, now, captured):
    """Points are given to a guest who agreed to notices; what was written to them."""
    anna, _boss, case = world
    type(case.guest).objects.filter(pk=case.guest_id).update(phone="+79161234567")
    b.an_account("smsc")
    consents.give(phone="+79161234567", source="анкета", by=anna, now=now)
    with captured(execute=True):
        deed(browser(anna), case, "give", points="150", reason="wrong-price")
    telling.tell_due(now=now)
    return Compensation.objects.get().notice, list(Notice.objects.values_list("title", "text"))


def test_the_notice_is_the_text_that_is_set_up_for_the_topic(world, now, django_capture_on_commit_callbacks):
    _anna, _boss, case = world
    case.guest.name = "Мария Гостева"
    case.guest.save()
    GuestText.objects.create(status="points", title="Баллы", text="Баллов: {points}")
    GuestText.objects.create(status="points", topic=case.topic, title="{guest}, баллы", text="{number} ({topic}): {points}")
    told = told_of_points(world, now, django_capture_on_commit_callbacks)
    assert told == (NoticeState.GIVEN, [("Мария, баллы", f"{case.number} ({case.topic.name}): 150")])


def test_the_notice_is_in_the_guests_language(world, now, django_capture_on_commit_callbacks):
    _anna, _boss, case = world
    type(case.session).objects.update(language="en")
    GuestText.objects.create(status="points", title="Баллы", text="Баллов: {points}")
    GuestText.objects.create(status="points", title="Points", text="Points: {points}", language="en")
    assert told_of_points(world, now, django_capture_on_commit_callbacks) == (NoticeState.GIVEN, [("Points", "Points: 150")])


def test_without_a_text_in_use_nobody_is_told(world, now, django_capture_on_commit_callbacks):
    GuestText.objects.create(status="points", title="Баллы", text="Баллов: {points}", is_active=False)
    assert told_of_points(world, now, django_capture_on_commit_callbacks) == (NoticeState.NO_WAY, [])


def test_only_the_notice_of_points_names_them():
    GuestText(status="points", title="Баллы", text="{points}").clean()
    with pytest.raises(ValidationError):
        GuestText(status="solved", title="Баллы", text="{points}").clean()


@pytest.mark.parametrize("agreed", [True, False])
def test_the_guest_is_told_once_and_only_with_consent(world, now, agreed, django_capture_on_commit_callbacks):
    anna, _boss, case = world
    default_asking.load(Shipment(now=now, known=set()))
    type(case.guest).objects.filter(pk=case.guest_id).update(phone="+79161234567")
    b.an_account("smsc")
    if agreed:
        consents.give(phone="+79161234567", source="анкета", by=anna, now=now)
    with django_capture_on_commit_callbacks(execute=True):
        deed(browser(anna), case, "give", points="150", reason="wrong-price")
    telling.tell_due(now=now)
    made = Compensation.objects.get()
    assert made.notice == (NoticeState.GIVEN if agreed else NoticeState.NO_WAY)
    assert Notice.objects.count() == int(agreed)
    if agreed:
        assert case.number in Notice.objects.get().text
        assert "150" in Notice.objects.get().text
    assert steps(case).count(Step.NOTIFIED) == int(agreed)
    assert accounts.wallet_of(case.guest, now=now).guest_id == case.guest_id
