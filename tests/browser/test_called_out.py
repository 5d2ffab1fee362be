"""In a browser: “I am on it” at a ticket that is called out, a compensation in its form, the preview of a changed policy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from accounts.rights import Right
from escalation.models import Run
from escalation.services import tick
from escalation.states import RunState
from escalation.tests import builders as e
from loyalty import selectors
from loyalty.services import defaults
from loyalty.tests import builders as points
from sla.models import Policy
from tests import builders as b
from tests.browser.desk import WATCH, go, picture, sign_in, world  # noqa: F401
from tickets.models import Topic
from tickets.services import cases, escalating, opening, topics

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case(world):  # noqa: F811
    """A ticket whose ladder calls somebody, of a guest with points in two chains; the operator may give points."""
    now = timezone.now()
    defaults.load(now=now)
    Role.objects.filter(code="operator").update(rights=[*b.OPERATOR_RIGHTS, Right.COMPENSATE, Right.ADMIN, Right.CONFIGURE])
    line, _people = e.a_ladder()
    session = world.give(text="Йогурт вздулся, а срок ещё не вышел")
    topic = b.a_topic("yoghurt", group=b.a_group(), line=line)
    Topic.objects.filter(pk=topic.pk).update(line=line)
    topics.forget()
    made = opening.open_ticket(session_id=session.pk, topic=topic, by=world.operator, now=now)
    wallet = points.a_wallet(120, card="7700001234", guest=made.guest)
    points.Card.objects.create(number="8800009876", chain=points.a_chain("second", "Корзинка"), wallet=wallet, created_at=now)
    escalating.CaseSubjects(take=cases.take).start_due(now=now + timedelta(minutes=1))
    tick.tick(now=now + timedelta(minutes=1))
    yield made
    topics.forget()


def test_i_am_on_it_and_a_compensation(live_product, page, case):
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"case/{case.pk}/")
    page.wait_for_selector(".escalation")
    assert "Pervyi" in page.inner_text(".escalation")
    picture(page, "called-out")
    page.click("[data-command='escalation/take'] button")
    page.wait_for_selector(".escalation.is-taken")
    assert Run.objects.get().state == RunState.TAKEN
    page.click(".points summary")
    page.select_option("#points-reason", "bad-goods")
    page.fill("#points-number", "200")
    picture(page, "compensation")
    page.click("[data-command='points/give'] button")
    page.wait_for_selector(".given")
    picture(page, "compensated")
    assert selectors.balance_of(case.guest_id).available == 320
    assert page.evaluate("window.violations") == []


def test_a_policy_is_previewed_before_it_is_saved(live_product, page, case):
    sign_in(page, live_product)
    page.goto(f"{live_product.url}/admin/sla/policy/{case.policy_id}/change/")
    page.fill("#id_resolution_minutes", "120")
    page.click("button[name=_save], input[name=_save]")
    page.wait_for_selector(".otk-table")
    picture(page, "policy-preview")
    assert Policy.objects.get(pk=case.policy_id).resolution_minutes == 480
    page.click("button[name=_terms][value=running]")
    page.wait_for_url("**/admin/sla/policy/")
    assert Policy.objects.get(pk=case.policy_id).resolution_minutes == 120
