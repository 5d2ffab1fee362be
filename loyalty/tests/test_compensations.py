"""Compensations: limits that cannot be passed by splitting or at the same time, signatures by others, notices."""

import threading
import uuid
from types import SimpleNamespace

import pytest
from django.db import close_old_connections, connection

from accounts.models import Role
from core.models import AuditEntry
from core.refusal import Refusal
from loyalty import grounds, notices
from loyalty.grounds import Ground
from loyalty.limits import Allowed, Given, Level, Over, Window, passed, signatures, weighed
from loyalty.models import Account, Campaign, Compensation, CompensationReason, Transfer
from loyalty.services import accounts, approvals, compensations, defaults, proof, telling
from loyalty.states import CompensationState, NoticeState
from loyalty.tests.builders import NOW, a_guest, later
from tests import builders as b
from tests.shipped import once


class Matters:
    """Every matter is visible; number N belongs to guest N % 100 of `guests`."""

    kind = "matter"

    def __init__(self):
        self.guests, self.history = {}, []

    def find(self, *, staff, subject_id):
        if subject_id >= 9000:
            raise Refusal("not_found", "no", status=404)
        return Ground(f"matter:{subject_id}", str(subject_id), self.guests[subject_id % 100].pk)

    def heard(self, subject_id, deed, *, points, by, now, text):
        self.history.append((subject_id, deed, points))


@pytest.fixture
def world(db, monkeypatch):
    return a_world(monkeypatch)


def _load_settings():
    for code, name in (("operator", "Оператор"), ("supervisor", "Супервизор")):
        Role.objects.create(code=code, name=name, rights=["admin"] if code == "supervisor" else [])
    defaults.load(now=NOW)


def a_world(monkeypatch):
    once(_load_settings)
    role = {role.code: role for role in Role.objects.all()}
    matters = Matters()
    monkeypatch.setattr(grounds, "_known", {"matter": matters})
    monkeypatch.setattr(notices, "_notifiers", [])
    matters.guests = {n: a_guest(f"Гость {n}") for n in range(3)}
    return SimpleNamespace(
        operator=b.a_person("operator", "Оператор", role=role["operator"]),
        second=b.a_person("second", "Второй", role=role["operator"]),
        lead=b.a_person("lead", "Супервизор", role=role["supervisor"]),
        other_lead=b.a_person("lead2", "Супервизор Два", role=role["supervisor"]),
        head=b.a_person("head", "Руководитель", role=role["support-head"]),
        owner=b.a_person("owner", "Бюджет", role=role["budget-owner"]),
        guests=matters.guests,
        reason=CompensationReason.objects.get(code="bad-goods"),
    )


def give(world, points, matter=0, by=None, **fields):
    given = {"id": uuid.uuid4(), "subject": f"matter:{matter}", "reason": world.reason, "by": by or world.operator, "now": NOW}
    return compensations.compensate(**{**given, "points": points, **fields})


def balance(guest):
    return Account.objects.get(wallet__guest=guest, kind="available").balance


def code_of(call, *args, **kwargs):
    with pytest.raises(Refusal) as refused:
        call(*args, **kwargs)
    return refused.value.code


pytestmark = pytest.mark.django_db


def test_within_the_limits_the_guest_has_it_at_once_and_once(world):
    id = uuid.uuid4()
    first, again = give(world, 200, id=id), give(world, 200, id=id)
    assert first == again
    assert first.state == CompensationState.GRANTED
    assert balance(world.guests[0]) == 200
    transfer = Transfer.objects.get(pk=id)
    assert (transfer.by_id, transfer.approved_by_id, transfer.subject) == (world.operator.pk, None, "matter:0")
    assert AuditEntry.objects.filter(action="compensation.given").count() == 1
    assert code_of(give, world, 201, id=id) == "id_reused"
    assert proof.find_faults(now=NOW) == []


def test_one_for_each_case(world):
    give(world, 100)
    assert code_of(give, world, 50) == "given_already"
    assert code_of(give, world, 50, by=world.second) == "given_already"


@pytest.mark.parametrize(("points", "state"), [(300, "granted"), (301, "awaiting"), (2000, "awaiting")])
def test_above_the_limit_at_once_it_waits(world, points, state):
    assert give(world, points).state == state


@pytest.mark.parametrize(("points", "code"), [(20001, "too_much"), (0, "wrong_points"), (-5, "wrong_points")])
def test_what_nobody_may_give(world, points, code):
    assert code_of(give, world, points) == code
    assert not Compensation.objects.exists()


def test_a_compensation_split_to_pass_a_limit_is_caught(world):
    """Pieces for one guest from several tickets and several operators are weighed together."""
    assert give(world, 300, 0).state == CompensationState.GRANTED
    assert give(world, 200, 100, by=world.second).state == CompensationState.GRANTED
    caught = give(world, 50, 200, by=world.second)
    assert caught.state == CompensationState.AWAITING
    assert caught.over == [{"limit": "guest", "days": 30, "allowed": 500, "comes_to": 550}]
    large = give(world, 1900, 300, by=world.lead)
    assert large.weighed_points == 2450  # the sum, not the piece, says who signs
    assert sorted(large.signatures.values_list("level_name", flat=True)) == ["Владелец бюджета компенсаций", "Руководитель поддержки"]
    assert give(world, 100, 1).state == CompensationState.GRANTED
    assert give(world, 300, 400, now=later(31)).state == CompensationState.GRANTED


def test_a_day_and_a_week_have_limits_of_their_own(world):
    for n in range(10):
        world.guests[n + 10] = a_guest()
        assert give(world, 300, n + 10).state == CompensationState.GRANTED
    assert give(world, 1, 1).over == [{"limit": "author", "days": 1, "allowed": 3000, "comes_to": 3001}]
    assert give(world, 1, 2, now=later(1)).state == CompensationState.GRANTED


def test_signed_by_others_never_by_its_author(world):
    asked = give(world, 1500, by=world.lead)
    assert code_of(approvals.approve, id=asked.pk, by=world.lead, now=NOW) == "own"
    assert code_of(approvals.approve, id=asked.pk, by=world.operator, now=NOW) == "not_allowed"
    account = Account.objects.get(budget__isnull=False)
    assert account.reserved == 1500
    approvals.approve(id=asked.pk, by=world.other_lead, now=NOW)
    asked.refresh_from_db()
    assert (asked.state, asked.notice) == (CompensationState.GRANTED, NoticeState.WAITING)
    assert balance(world.guests[0]) == 1500
    assert Transfer.objects.get(subject="matter:0").approved_by_id == world.other_lead.pk
    assert code_of(approvals.approve, id=asked.pk, by=world.other_lead, now=NOW) == "decided"
    assert proof.find_faults(now=NOW) == []


def test_a_large_one_needs_two_different_people(world):
    asked = give(world, 5000)
    assert code_of(approvals.approve, id=asked.pk, by=world.lead, now=NOW) == "not_allowed"
    approvals.approve(id=asked.pk, by=world.head, now=NOW)
    assert Compensation.objects.get(pk=asked.pk).state == CompensationState.AWAITING
    assert code_of(approvals.approve, id=asked.pk, by=world.head, now=NOW) == "not_allowed"
    approvals.approve(id=asked.pk, by=world.owner, now=NOW)
    assert balance(world.guests[0]) == 5000


def test_who_approved_a_guests_last_one_does_not_approve_the_next(world):
    approvals.approve(id=give(world, 400, 0).pk, by=world.lead, now=NOW)
    second = give(world, 400, 100)
    assert code_of(approvals.approve, id=second.pk, by=world.lead, now=NOW) == "same_approver"
    approvals.approve(id=second.pk, by=world.other_lead, now=later(1))
    approvals.approve(id=give(world, 400, 200, now=later(1)).pk, by=world.lead, now=later(2))


@pytest.mark.parametrize("end", ["refused", "withdrawn", "expired"])
def test_what_is_not_given_frees_budget_limits_and_case(world, end):
    asked = give(world, 1500)
    if end == "refused":
        assert code_of(approvals.refuse, id=asked.pk, text=" ", by=world.lead, now=NOW) == "no_reason"
        assert code_of(approvals.refuse, id=asked.pk, text="Нет чека", by=world.operator, now=NOW) == "own"
        approvals.refuse(id=asked.pk, text="Нет чека", by=world.lead, now=NOW)
    elif end == "withdrawn":
        assert code_of(approvals.withdraw, id=asked.pk, by=world.second, now=NOW) == "not_allowed"
        approvals.withdraw(id=asked.pk, by=world.operator, now=NOW)
    else:
        assert code_of(approvals.approve, id=asked.pk, by=world.lead, now=later(7)) == "too_late"
        assert approvals.expire_due(now=later(6)) == 0
        assert approvals.expire_due(now=later(7)) == 1
    assert Compensation.objects.get(pk=asked.pk).state == end
    assert Account.objects.get(budget__isnull=False).reserved == 0
    assert code_of(approvals.approve, id=asked.pk, by=world.lead, now=NOW) == "decided"
    assert give(world, 300).state == CompensationState.GRANTED


def test_an_empty_budget_gives_nothing(world):
    budget = Account.objects.get(budget__isnull=False)
    from loyalty.services import ledger
    from loyalty.tests.builders import an_order

    ledger.post_one(an_order(budget.pk, accounts.house("issue:compensations"), budget.balance - 250), now=NOW)
    assert code_of(give, world, 300) == "budget_empty"
    assert code_of(give, world, 301) == "budget_empty"
    assert give(world, 250).state == CompensationState.GRANTED


def test_a_campaign_has_its_own_limit_once_a_guest(world):
    campaign = Campaign.objects.create(name="Сбой приложения", points=1000, starts_at=NOW, ends_at=later(3))
    assert code_of(give, world, 1001, campaign=campaign) == "too_much"
    assert code_of(give, world, 100, campaign=campaign, now=later(3)) == "campaign_over"
    assert give(world, 1000, 0, campaign=campaign).state == CompensationState.GRANTED
    assert code_of(give, world, 1000, 100, campaign=campaign) == "given_already"
    assert give(world, 300, 200).state == CompensationState.GRANTED  # beside the common limits


def test_unknown_and_foreign_matters_are_refused(world):
    for subject in ("matter:9001", "case:1", "matter:x", "matter", "matter:-1"):
        assert code_of(give, world, 10, subject=subject) == "not_found"


def test_the_guest_is_told_once_and_a_fault_is_tried_again(world, monkeypatch):
    told, faults = [], [ValueError("away")]

    class Way:
        def tell(self, compensation, *, now):
            if faults:
                raise faults.pop()
            told.append(compensation.points)
            return True

    given = give(world, 100)
    monkeypatch.setattr(notices, "_notifiers", [Way()])
    assert telling.tell_due(now=NOW) == 0
    assert telling.tell_due(now=NOW) == 0
    assert telling.tell_due(now=later(1)) == 1
    assert telling.tell_due(now=later(2)) == 0
    assert told == [100]
    assert Compensation.objects.get(pk=given.pk).notice == NoticeState.GIVEN


def test_without_a_way_to_the_guest_it_says_so(world, monkeypatch):
    given = give(world, 100)
    assert not telling.tell(compensation_id=given.pk, now=NOW)
    assert Compensation.objects.get(pk=given.pk).notice == NoticeState.WAITING  # nobody has registered a way yet
    monkeypatch.setattr(notices, "_notifiers", [SimpleNamespace(tell=lambda compensation, now: False)])
    telling.tell(compensation_id=given.pk, now=NOW)
    assert Compensation.objects.get(pk=given.pk).notice == NoticeState.NO_WAY


@pytest.mark.django_db(transaction=True)
def test_pieces_at_the_same_time_do_not_pass_a_limit_together(monkeypatch):
    world = a_world(monkeypatch)
    found, start = [], threading.Barrier(8)

    def work(number):
        try:
            start.wait(20)
            found.append(give(world, 300, number * 100, by=(world.operator, world.second)[number % 2]).state)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    close_old_connections()
    assert sorted(found) == ["awaiting"] * 7 + ["granted"]
    assert balance(world.guests[0]) == 300
    assert proof.find_faults(now=NOW) == []


@pytest.mark.parametrize(
    ("points", "given", "got", "over"),
    [
        (300, Given(), 0, []),
        (301, Given(), 0, [Over("operation", 0, 300, 301)]),
        (100, Given(2901, 2901), 0, [Over("author", 1, 3000, 3001)]),
        (100, Given(0, 9901), 0, [Over("author", 7, 10000, 10001)]),
        (1, Given(), 500, [Over("guest", 30, 500, 501)]),
    ],
)
def test_each_limit(points, given, got, over):
    assert passed(points, allowed=Allowed(300, 3000, 10000), given=given, windows=[Window(30, 500, got)]) == over


def test_who_signs():
    levels = [Level(1, 0, 2000), Level(2, 2000, 20000), Level(3, 2000, 20000)]
    assert [[level.id for level in signatures(points, levels)] for points in (1, 2000, 2001, 20000, 20001)] == [
        [1],
        [1],
        [2, 3],
        [2, 3],
        [],
    ]
    assert weighed(10, [Over("author", 1, 1, 500), Over("guest", 30, 1, 70)]) == 70
