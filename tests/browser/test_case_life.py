"""A ticket's life at the desk in a browser: another topic with its details, a call that is due."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests import builders as b
from tests.browser.desk import WATCH, go, picture, sign_in, world  # noqa: F401
from tickets.models import CallBack, Case, Detail
from tickets.services import call_backs, cases, opening, topics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def case(world):  # noqa: F811
    session = world.write("На ценнике 89, на кассе 109")
    made = opening.open_ticket(session_id=session.pk, topic=b.a_topic(group=b.a_group()), by=world.operator, now=timezone.now())
    yield cases.take(case_id=made.pk, by=world.operator, now=timezone.now())
    topics.forget()


def test_another_topic_asks_for_its_details(live_product, page, case):
    prices = b.a_topic("prices", group=b.a_group(), name="Цена на кассе")
    for place, (code, name) in enumerate([("product", "Товар"), ("tag", "Цена на ценнике")]):
        prices.details.create(detail=Detail.objects.create(code=code, name=name, position=place), need="required")
    topics.forget()
    Case.objects.filter(pk=case.pk).update(details={"product": "Кефир 1%"})
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"case/{case.pk}/")
    note, whole = page.locator(".note-of-closing").bounding_box(), page.locator("form[data-command=close]").bounding_box()
    assert note["width"] == pytest.approx(whole["width"], abs=1), "what it asks for is not cut"
    page.click("summary:has-text('Другая тема')")
    form = page.locator("form[data-command=reroute]")
    form.locator("#new-topic").fill("Цена на кассе")
    form.locator("[role=option]").first.click()
    expect(form.locator("[name='detail.product']")).to_have_value("Кефир 1%")
    form.locator("[name=reason]").fill("Гость пишет о цене")
    form.locator("button[type=submit]").click()
    assert form.locator("[name='detail.tag']").evaluate("(field) => field.validity.valueMissing")
    form.locator("[name='detail.tag']").fill("много")
    form.locator("[name='detail.tag']").fill("89,90")
    picture(page, "another-topic")
    form.locator("button[type=submit]").click()
    expect(page.locator(".topic-path")).to_contain_text("Цена на кассе")
    found = Case.objects.get(pk=case.pk)
    assert (found.topic, found.details) == (prices, {"product": "Кефир 1%", "tag": "89,90"})
    assert page.evaluate("window.violations") == []


def test_a_call_that_is_due_is_told_on_the_screen_and_opens_its_ticket(live_product, page, case, world):  # noqa: F811
    now = timezone.now()
    call = call_backs.plan(case_id=case.pk, at=now, phone="+7 916 123-45-67", note="Сказать о возврате", by=world.operator, now=now)
    sign_in(page, live_product)
    assert call_backs.ring(now=timezone.now()) == 1
    toast = page.locator(".toast")
    expect(toast).to_contain_text(f"№ {case.number}")
    expect(toast).to_contain_text("Сказать о возврате")
    picture(page, "call-toast")
    toast.locator("button").click()
    article = page.locator(".call.is-due")
    expect(article).to_contain_text("+7 916 123-45-67")
    article.locator("[name=outcome]").fill("Договорились")
    article.locator("button.primary").click()
    expect(page.locator(".call")).to_have_count(0)
    assert CallBack.objects.get(pk=call.pk).state == CallBack.State.DONE
