"""The live connection in a real browser: dropped, half-open, behind by hundreds of events; no gap, no double."""

import pytest
from playwright.sync_api import expect

from core.live import announce, staff_topic
from core.redis import client
from omni.services import files
from omni.states import Direction
from tests.browser.desk import connected, go, sign_in, texts, world  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_restart_of_the_server_loses_and_doubles_nothing(live_product, page, world):  # noqa: F811
    session = world.give(text="0")
    wires = []

    def through(wire):
        wire.connect_to_server()
        wires.append(wire)

    page.route_web_socket("**/desk/socket/", through)
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    world.write("1")
    expect(page.locator(".entry.in .text").last).to_have_text("1")
    wires[-1].close(code=1012)
    page.wait_for_selector("#connection[data-state=off]", state="attached")
    for number in (2, 3, 4):
        world.write(str(number))
    connected(page)
    expect(page.locator(".entry.in")).to_have_count(5)
    assert texts(page) == ["0", "1", "2", "3", "4"]
    world.write("5")
    expect(page.locator(".entry.in")).to_have_count(6)


def test_a_dead_network_is_said_and_what_was_written_goes_out_after(live_product, page, context, world):  # noqa: F811
    session = world.give(text="0")
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    world.write("1")
    for text in ("первый", "второй"):
        page.fill("#text", text)
        page.locator("#text").press("Control+Enter")
    expect(page.locator(".is-pending")).to_have_count(2)
    assert not session.messages.filter(direction=Direction.OUT).exists()
    context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator(".entry.in")).to_have_count(2)
    # The guest's message came meanwhile: the first send asks.
    expect(page.locator("#dialog")).to_be_visible()
    page.click("#dialog button[value=send]")
    expect(page.locator(".is-pending")).to_have_count(0)
    expect(page.locator("#dialog")).to_be_hidden()
    assert list(session.messages.filter(direction=Direction.OUT).values_list("text", flat=True)) == ["первый", "второй"]


def test_what_waits_survives_a_reload(live_product, page, world):  # noqa: F811
    session = world.give()
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.route("**/answer/", lambda route: route.abort())
    page.fill("#text", "Дойдёт")
    page.locator("#text").press("Control+Enter")
    expect(page.locator(".is-pending")).to_have_count(1)
    page.unroute("**/answer/")
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator(".entry.out:not(.is-pending) .text")).to_have_text("Дойдёт")
    assert session.messages.filter(direction=Direction.OUT).count() == 1
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('otklik')).length") == 0


CHECK = {"name": "чек.txt", "mimeType": "text/plain", "buffer": "сумма 100".encode()}


def held_with_a_file(page):
    page.route("**/answer/", lambda route: route.abort())
    page.fill("#text", "Чек во вложении")
    page.set_input_files("#files", CHECK)
    page.locator("#text").press("Control+Enter")
    expect(page.locator(".is-pending")).to_have_count(1)
    page.wait_for_function(f"async () => (await ({KEPT})()) === 1")


KEPT = """async () => {
  if (!(await indexedDB.databases()).some((one) => one.name === "otklik")) return 0;
  const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const database = await done(indexedDB.open("otklik"));
  const count = await done(database.transaction("files").objectStore("files").count());
  database.close();
  return count;
}"""


def test_files_that_wait_survive_a_reload(live_product, page, world):  # noqa: F811
    session = world.give()
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    held_with_a_file(page)
    page.unroute("**/answer/")
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator(".entry.out:not(.is-pending) a.file")).to_contain_text("чек.txt")
    message = session.messages.get(direction=Direction.OUT)
    assert files.open_stored(message.attachments.get()).read() == CHECK["buffer"]
    page.wait_for_function(f"async () => (await ({KEPT})()) === 0")


def test_a_letter_whose_files_are_gone_is_not_sent_without_them(live_product, page, world):  # noqa: F811
    session = world.give()
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    held_with_a_file(page)
    page.goto(f"{live_product.url}/healthz")  # the same browser, another page: what it kept is wiped
    page.evaluate("() => new Promise((done) => { indexedDB.deleteDatabase('otklik').onsuccess = done; })")
    page.unroute("**/answer/")
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator(".is-pending .send-word")).to_contain_text("Не отправлено")
    page.locator(".is-pending button").click()  # the only way is to edit
    expect(page.locator("#text")).to_have_value("Чек во вложении")
    assert not session.messages.filter(direction=Direction.OUT).exists()


def test_signing_out_leaves_nothing_here(live_product, page, world):  # noqa: F811
    session = world.give()
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    held_with_a_file(page)
    page.click("#user-menu > summary")
    page.click("#sign-out button")
    page.wait_for_url("**/sign-in/**")
    assert page.evaluate(KEPT) == 0
    assert page.evaluate("sessionStorage.length") == 0


def test_an_emptied_redis_reloads_the_truth(live_product, page, world):  # noqa: F811
    session = world.give(text="0")
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    client().delete(*client().keys("live:*"))
    world.write("1")  # nobody is told: the watchers are forgotten
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".entry.in")).to_have_count(2)
    assert texts(page) == ["0", "1"]


SLOWEST = """() => {
  window.slowest = 0;
  const note = (list) => list.getEntries().forEach((task) => { window.slowest = Math.max(window.slowest, task.duration); });
  new PerformanceObserver(note).observe({entryTypes: ["longtask"]});
}"""


def test_five_hundred_events_at_once_are_applied_quickly(live_product, page, world):  # noqa: F811
    for number in range(20):
        world.give(text=f"В {number}", visitor=f"v{number}", name=f"Гость {number}")
    sign_in(page, live_product)
    go(page, live_product)
    from worklist.models import Item
    from worklist.services.items import row

    rows = [row(item) for item in Item.objects.all()]
    page.evaluate(SLOWEST)
    for number in range(500):
        changed = {**rows[number % len(rows)], "version": 1000 + number, "preview": f"событие {number}", "unread": number % 7}
        announce(kind="item", payload=changed, topics=[staff_topic(world.operator.pk)])
    expect(page.locator(".row-preview").filter(has_text="событие 499")).to_have_count(1)
    assert page.evaluate("window.slowest") < 300


@pytest.mark.parametrize(("forward", "stage"), [("10:00", "warn"), ("13:00", "urgent"), ("18:00", "over")])
def test_a_clock_runs_and_changes_its_look(live_product, page, world, forward, stage):  # noqa: F811
    world.give()
    sign_in(page, live_product)
    page.clock.install()
    go(page, live_product)
    clock = page.locator(".row .clock")
    expect(clock).to_have_attribute("data-stage", "calm")
    # In one leap: after it the socket is taken for dead, and a new one brings the server's own time back.
    page.clock.fast_forward(forward)
    expect(clock).to_have_attribute("data-stage", stage)
    if stage != "over":
        return
    expect(clock.locator(".clock-digits")).to_contain_text("−0")
