"""At the desk in a browser: a guest's segment is seen, marked by a supervisor with the reason, and given back to the rules."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.rights import Right
from core.models import AuditEntry
from core.shipped import load_all
from customers.models import Guest, SegmentMark
from tests.browser.desk import WATCH, go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import violations

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_a_supervisor_marks_the_segment_and_gives_it_back_to_the_rules(live_product, page, world):  # noqa: F811
    load_all(now=timezone.now())
    role = world.operator.roles.get()
    role.rights = [*role.rights, Right.SUPERVISE]
    role.save()
    session = world.write(text="Где мой заказ?", visitor="visitor-1")
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.click("[data-panel=guest]")
    page.click("summary:has-text('Отметить сегмент')")
    page.select_option("#segment", "care")
    page.click("form[data-command=segment] button")
    expect(page.locator("form[data-command=segment] .field-error")).to_be_visible()
    page.fill("#segment-reason", "Пишет третий раз за неделю")
    picture(page, "segment-form")
    page.click("form[data-command=segment] button")
    expect(page.locator("#contacts")).to_contain_text("Особое внимание")
    expect(page.locator("#contacts")).to_contain_text("Пишет третий раз за неделю")
    picture(page, "segment-marked")
    assert violations(page) == []
    assert Guest.objects.get(pk=session.guest_id).segment == "care"
    assert AuditEntry.objects.filter(action="guest.segment_marked", subject=f"guest:{session.guest_id}").count() == 1
    page.click("summary:has-text('Отметить сегмент')")
    page.select_option("#segment", ":rules")
    page.click("form[data-command=segment] button")
    expect(page.locator("#contacts")).not_to_contain_text("Особое внимание")
    assert not SegmentMark.objects.exists()
    assert page.evaluate("window.violations") == []
