"""Every place of the desk that waits for the server: empty, waiting, refused with a way to try again; a failed panel hinders nobody."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from omni.models import Message
from omni.services import answering
from omni.states import Direction
from tests import builders as b
from tests.browser.desk import go, picture, sign_in, world  # noqa: F401
from tickets.services import opening

pytestmark = pytest.mark.django_db(transaction=True)
PANELS = ("guest", "ticket", "knowledge", "history", "orders")
# When a place said that it waits, and for how long.
WATCH_BUSY = """(selector) => {
  const place = document.querySelector(selector);
  window.waits = [];
  new MutationObserver(() => {
    const busy = place.classList.contains("is-busy");
    const last = window.waits.at(-1);
    if (busy && !(last && !last.end)) window.waits.push({ start: performance.now(), told: place.ariaBusy });
    else if (!busy && last && !last.end) last.end = performance.now();
  }).observe(place, { attributes: true, attributeFilter: ["class", "aria-busy"] });
}"""
BROKEN = {"status": 500, "content_type": "application/json", "body": "{}"}


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    world.session = world.give(text="Первый", visitor="v1", name="Гость 1")
    world.other = world.give(text="Второй", visitor="v2", name="Гость 2")
    sign_in(page, live_product)
    with page.expect_response("**/header/**"):  # it is read, and the panel has been filled again because of that
        go(page, live_product, f"session/{world.session.pk}/")
    return page


PLACES = {
    "list": ("#rows", "**/desk/list/**", "[data-tab=group]"),
    "dialogue": ("#middle", "**/open/**", "text=Гость 2"),
    **{panel: ("#panel", f"**/header/?panel={panel}", f"[data-panel={panel}]") for panel in PANELS if panel != "guest"},
}


@pytest.mark.parametrize("place", PLACES)
def test_waiting_is_told_late_and_long_enough(desk, place):
    selector, address, click = PLACES[place]
    held = []
    desk.evaluate(WATCH_BUSY, selector)
    desk.route(address, lambda route: held.append(route))
    desk.click(click)
    expect(desk.locator(selector)).to_have_class(re.compile("is-busy"))
    if place == "list":
        picture(desk, "list-waits")
    held[0].continue_()
    expect(desk.locator(selector)).not_to_have_class(re.compile("is-busy"))
    (wait,) = desk.evaluate("window.waits")
    assert wait["end"] - wait["start"] >= 490
    assert desk.locator(selector).get_attribute("aria-busy") is None


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_is_told_in_its_place_and_tried_again(desk, place, world):  # noqa: F811
    selector, address, click = PLACES[place]
    where = "#list-error" if place == "list" else f"{selector} .pane-fault"
    desk.route(address, lambda route: route.fulfill(**BROKEN))
    desk.click(click)
    fault = desk.locator(where)
    expect(fault).to_contain_text("Что-то пошло не так")
    if place in {"dialogue", "history"}:
        picture(desk, f"fault-{place}")
    desk.unroute(address)
    fault.locator("button").click()
    expect(fault).to_be_hidden()
    if place == "dialogue":
        expect(desk.locator("#guest-name")).to_have_text("Гость 2")
    elif place == "list":
        expect(desk.locator("[data-tab=group]")).to_have_attribute("aria-current", "true")
    else:
        expect(desk.locator(f"[data-panel={place}]")).to_have_attribute("aria-selected", "true")


def test_a_failed_panel_does_not_hinder_an_answer(desk, world):  # noqa: F811
    desk.route("**/header/**", lambda route: route.fulfill(**BROKEN))
    desk.click("[data-panel=orders]")
    expect(desk.locator("#panel .pane-fault")).to_be_visible()
    desk.fill("#text", "Ответ уходит")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending) .text")).to_have_text("Ответ уходит")
    assert Message.objects.filter(direction=Direction.OUT, session=world.session).count() == 1


def test_older_messages_that_could_not_be_loaded_are_asked_for_again(live_product, page, world):  # noqa: F811
    session = world.give()
    for number in range(70):
        answering.answer(session_id=session.pk, text=f"ответ {number}", by=world.operator, now=timezone.now())
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator("#feed .entry")).to_have_count(50)
    page.wait_for_function("() => { const feed = document.querySelector('#feed'); return feed.scrollTop > 200; }")
    page.route("**/feed/**", lambda route: route.fulfill(**BROKEN))
    page.evaluate("document.querySelector('#feed').scrollTop = 0")
    older = page.locator(".older")
    expect(older).to_contain_text("не загрузились")
    page.unroute("**/feed/**")
    older.click()
    expect(page.locator("#feed .entry")).to_have_count(71)
    expect(older).to_be_hidden()


def test_an_unreachable_server_is_said_where_a_dialogue_was_opened(desk):
    desk.route("**/open/**", lambda route: route.abort())
    desk.click("text=Гость 2")
    expect(desk.locator("#open-fault")).to_contain_text("нет связи")
    expect(desk.locator("#guest-name")).to_have_text("Гость 1")  # what is open stays open
    desk.unroute("**/open/**")
    desk.click("#open-fault button")
    expect(desk.locator("#guest-name")).to_have_text("Гость 2")
    expect(desk.locator("#open-fault")).to_have_count(0)


EMPTY = {
    "guest": "Обращений нет",
    "knowledge": "Ничего не подошло",
    "history": "Более раннего",
    "orders": "не подтверждён",
}


@pytest.mark.parametrize("panel", EMPTY)
def test_an_empty_panel_says_so(desk, panel):
    if panel != "guest":
        desk.click(f"[data-panel={panel}]")
    expect(desk.locator("#panel-body")).to_contain_text(EMPTY[panel])


def test_an_empty_list_leads_to_the_queue_and_an_empty_filter_is_said(desk, live_product, world):  # noqa: F811
    desk.click("[data-tab=snoozed]")
    expect(desk.locator("#list-empty")).to_be_visible()
    desk.click("#list-empty a")
    expect(desk.locator("[data-tab=queue]")).to_have_attribute("aria-current", "true")
    case = opening.open_ticket(session_id=world.session.pk, topic=b.a_topic(group=b.a_group()), by=world.operator, now=timezone.now())
    second = b.an_account("webchat", queue=b.a_queue("second"))
    later = world.write("Из другого окна", visitor="v3", account=second)
    Message.objects.filter(session=later).update(guest=world.session.guest_id)
    go(desk, live_product, f"case/{case.pk}/")
    desk.select_option("#feed-filter", "telegram")
    expect(desk.locator("#feed-empty")).to_be_visible()
    desk.select_option("#feed-filter", "")
    expect(desk.locator("#feed-empty")).to_be_hidden()
