"""Marks of guests in the reports: counted with their tickets, by the event and by the sweep; parts add up."""

import pytest

from reports.models import CaseFact
from reports.selectors import Dimension, Scope, read
from reports.services import facts
from tests import builders as b
from tickets.models import Survey
from tickets.services import surveys
from tickets.tests.test_surveys import HOUR, LATER, NOON, a_rule, asked, closed_case, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def account():
    return b.an_account("webchat")


def test_a_mark_is_in_the_reports_the_next_moment(operator, account, django_capture_on_commit_callbacks):
    case = asked(operator, account)
    facts.count(case_ids=[case.pk], now=LATER)
    with django_capture_on_commit_callbacks(execute=True):
        said(account, "4")
    assert CaseFact.objects.get(case=case).mark == 4


def test_marks_are_counted_and_parts_add_up(operator, account):
    a_rule(rest_days=0)
    for number, mark in enumerate(["5", "4", "1", ""]):
        visitor = f"v{number}"
        closed_case(operator, account, visitor=visitor)
        surveys.ask_due(now=LATER)
        if mark:
            said(account, mark, visitor=visitor)
    facts.count(case_ids=Survey.objects.values_list("case_id", flat=True), now=LATER)
    found = read(Scope(since=NOON.date(), until=NOON.date(), zone="UTC"), Dimension.GROUP)
    sums = found.total
    assert (sums.asked, sums.marked, sums.marks, sums.good_marks) == (4, 3, 10, 2)


def test_a_mark_that_the_event_missed_is_found_by_the_sweep(operator, account):
    case = asked(operator, account)
    facts.count(case_ids=[case.pk], now=LATER)
    said(account, "3")
    assert facts.find_missing(closed_since=NOON - HOUR) == [case.pk]
    facts.count(case_ids=[case.pk], now=LATER)
    assert (CaseFact.objects.get().mark, facts.find_missing(closed_since=NOON - HOUR)) == (3, [])
