"""Tickets chosen in the desk's list, by mouse and by keyboard, and what is done to them all."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.rights import Right
from tests import builders as b
from tests.browser.desk import WATCH, focus_is_visible, go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import violations
from tickets.models import Case, MassJob
from tickets.services import mass, opening

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def made(world):  # noqa: F811
    """Four tickets in the list of a person who may work on many; a dialogue stands among them."""
    role = world.operator.roles.get()
    role.rights = [*role.rights, Right.MASS_WORK]
    role.save()
    topic = b.a_topic(group=b.a_group())
    found = []
    for number in range(4):
        session = world.write(text=f"Вопрос {number}", visitor=f"visitor-{number}", name=f"Гость {number}")
        found.append(opening.open_ticket(session_id=session.pk, topic=topic, by=world.operator, now=timezone.now()))
    return found


def row(page, case):
    return page.locator(f'[data-key="case:{case.pk}"]')


def chosen(page):
    return {
        int(key.split(":")[1])
        for key in page.evaluate("[...document.querySelectorAll('.row:has(:checked)')].map((row) => row.dataset.key)")
    }


def carried_out(page):
    """The job of the page that has come is gathered, started and done."""
    mass.carry_on(now=timezone.now())
    page.click("text=Запустить")
    while mass.carry_on(now=timezone.now()):
        pass
    page.wait_for_selector(".mass-state:has-text('выполнено')")
    return MassJob.objects.latest("pk")


def test_tickets_are_chosen_by_mouse_and_closed_together(live_product, page, made):
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, "?tab=all&kind=case")
    page.click("#choose")
    expect(page.locator(".row-pick")).to_have_count(4)
    row(page, made[0]).locator("input").click()
    row(page, made[1]).locator("input").click()
    row(page, made[1]).locator("input").click()
    expect(page.locator("#choice-count")).to_have_text("Выбрано 1 обращение")
    order = page.evaluate("[...document.querySelectorAll('.row')].map((row) => row.dataset.key)")
    place = order.index(f"case:{made[0].pk}")
    last = page.locator(f'[data-key="{order[3 if place < 3 else 0]}"] input')
    last.click(modifiers=["Shift"])
    assert len(chosen(page)) == abs((3 if place < 3 else 0) - place) + 1
    page.locator(f'[data-key="{order[place]}"] input').click()
    wanted = chosen(page)
    picture(page, "chosen")
    assert violations(page) == []
    page.click("text=Что сделать")
    page.wait_for_selector("#new-job")
    picture(page, "chosen-form")
    assert violations(page) == []
    expect(page.locator("#id_text")).to_be_visible()
    page.select_option("#id_kind", "close")
    for name in ("text", "topic", "reason", "numbers", "incident"):
        expect(page.locator(f"#id_{name}")).to_be_hidden()
    page.select_option("#id_cause", "solved")
    page.click("text=Собрать обращения")
    job = carried_out(page)
    assert set(job.items.values_list("case", flat=True)) == wanted
    assert set(Case.objects.filter(state="closed").values_list("pk", flat=True)) == wanted
    assert page.evaluate("window.violations") == []


def test_an_answer_is_read_as_its_guests_will_before_it_starts(live_product, page, world, made):  # noqa: F811
    hello = world.write(text="Hello! My order has not come", visitor="visitor-9", name="Anna Ivanova-Przhevalskaya")
    opening.open_ticket(session_id=hello.pk, topic=made[0].topic, by=world.operator, now=timezone.now())
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, "?tab=all")
    page.click("#choose")
    page.click("#choice-all")
    page.click("text=Что сделать")
    page.wait_for_selector("#new-job")
    page.fill("#id_text", "Здравствуйте, {guest}!\nПо обращению {number} уже чиним, напишем сегодня до вечера.")
    page.click("text=Собрать обращения")
    expect(page.locator(".mass-example")).to_have_count(0)
    mass.carry_on(now=timezone.now())
    expect(page.locator(".mass-example")).to_have_count(3)
    for case in Case.objects.order_by("-pk")[1:3]:
        shown = page.locator(".mass-example", has_text=case.number)
        expect(shown.locator(".mass-bubble")).to_contain_text(f"Здравствуйте, {case.guest_name}!")
        expect(shown.locator(".mass-hint")).to_contain_text("язык: русский")
    expect(page.locator(".mass-example", has_text="Anna Ivanova-Przhevalskaya").locator(".mass-hint")).to_contain_text("язык: английский")
    picture(page, "mass-examples")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    picture(page, "mass-examples-320")
    assert violations(page) == []
    assert page.evaluate("window.violations") == []
    page.click("text=Запустить")
    while mass.carry_on(now=timezone.now()):
        pass
    page.wait_for_selector(".mass-state:has-text('выполнено')")
    expect(page.locator(".mass-example")).to_have_count(0)


def test_tickets_are_chosen_by_keyboard(live_product, page, made):
    sign_in(page, live_product)
    go(page, live_product, "?tab=all&kind=case")
    page.keyboard.press("j")
    expect(page.locator(".row-link").first).to_be_focused()
    page.keyboard.press("KeyX")
    expect(page.locator(".row-pick input:checked")).to_have_count(1)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".row-pick input:checked")).to_have_count(3)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(page.locator("#choice-count")).to_have_text("Выбрано 2 обращения")
    expect(page.locator("#polite")).to_contain_text("Выбрано 2 обращения")
    assert focus_is_visible(page)
    page.keyboard.press("Escape")
    expect(page.locator("#choice")).to_be_hidden()
    expect(page.locator(".row-pick")).to_have_count(0)
    assert focus_is_visible(page)


def test_a_whole_list_is_chosen_and_what_comes_and_goes_is_right(live_product, page, world, made):  # noqa: F811
    sign_in(page, live_product)
    go(page, live_product, "?tab=all")
    page.click("#choose")
    page.click("#choice-all")
    expect(page.locator("#choice-count")).to_have_text("Выбраны все открытые обращения этого списка")
    expect(page.locator(".row-pick input:checked")).to_have_count(4)
    page.mouse.move(900, 500)
    fresh = opening.open_ticket(
        session_id=world.write(text="Вопрос 5", visitor="visitor-5").pk, topic=made[0].topic, by=world.operator, now=timezone.now()
    )
    expect(row(page, fresh).locator("input")).to_be_checked()
    picture(page, "whole-list")
    page.click("text=Что сделать")
    page.wait_for_selector("#new-job")
    assert page.is_checked("[name=which][value=list]")
    page.select_option("#id_kind", "owner")
    page.fill("#id_owner", world.operator.login)
    page.click("text=Собрать обращения")
    assert carried_out(page).done == 5
    go(page, live_product, "?tab=all")
    page.click("#choose")
    page.select_option("[name=kind]", "session")
    expect(page.locator("#choice-all")).to_be_disabled()
    page.select_option("[name=kind]", "")
    page.click("#choice-all")
    page.click("[data-tab=mine]")
    expect(page.locator("#choice-count")).to_have_text("Выбрано 0 обращений")
    expect(page.locator("#choice [type=submit]")).to_be_disabled()


def test_who_may_not_is_offered_nothing(live_product, page, world):  # noqa: F811
    sign_in(page, live_product)
    page.keyboard.press("x")
    expect(page.locator("#choose, #choice, .row-pick")).to_have_count(0)
