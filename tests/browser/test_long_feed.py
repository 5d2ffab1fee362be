"""A guest of years: two thousand messages in six channels, to the first one and back, and the page stays light. Time is for the bench."""

import pytest
from playwright.sync_api import expect

from bench.tasks.guest_of_years import CHANNELS, write_years
from omni.models import Message
from omni.states import Direction
from tests.browser.desk import go, sign_in, world  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES = 2000
MOST = 600
RIGHT = "(place) => document.querySelector(place).getBoundingClientRect().right"
AT_END = "() => { const feed = document.querySelector('#feed'); return feed.scrollTop + feed.clientHeight >= feed.scrollHeight - 60; }"


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    session = world.give(text="Самое новое")
    write_years(session=session, by=world.operator, messages=MESSAGES)
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    return page


def ids(page):
    return [int(number) for number in page.locator("#feed .entry").evaluate_all("(all) => all.map((one) => one.dataset.id)")]


def in_order():
    return list(Message.objects.order_by("sent_at", "sequence", "pk").values_list("pk", flat=True))


def test_six_channels_stand_in_the_order_of_time(desk):
    assert len(set(Message.objects.values_list("account__kind", flat=True))) == len(CHANNELS) >= 6
    assert ids(desk) == in_order()[-50:]
    expect(desk.locator("#feed-tools")).to_be_visible()
    names = set(desk.locator("#feed .entry .via").all_inner_texts())
    assert len(names) >= len(CHANNELS)
    desk.select_option("#feed-filter", "telegram")
    shown = desk.locator("#feed .entry:visible").evaluate_all("(all) => all.map((one) => one.dataset.channel)")
    assert set(shown) == {"telegram"}
    desk.select_option("#feed-filter", "session")
    expect(desk.locator("#feed .entry:visible")).to_have_count(1)


@pytest.mark.parametrize("way", ["keys", "buttons"])
def test_to_the_first_message_and_back(desk, way, world):  # noqa: F811
    whole = in_order()
    desk.focus("#feed")
    desk.keyboard.press("Home") if way == "keys" else desk.click("[data-do=beginning]")
    expect(desk.locator("#feed .entry .text").first).to_contain_text("(1)")
    assert ids(desk) == whole[:50]
    expect(desk.locator(".older")).to_be_hidden()
    expect(desk.locator("#to-newest")).to_be_visible()
    assert desk.evaluate(RIGHT, "#feed") == desk.evaluate(RIGHT, "#middle"), "the button lies on the feed, not beside it"
    world.write("Пришло, пока читали старое")
    expect(desk.locator("#to-newest")).to_contain_text("1")
    assert len(ids(desk)) == 50
    desk.keyboard.press("End") if way == "keys" else desk.click("#to-newest")
    expect(desk.locator("#feed .entry .text").last).to_have_text("Пришло, пока читали старое")
    assert ids(desk) == in_order()[-50:]
    desk.wait_for_function(AT_END)
    expect(desk.locator("#to-newest")).to_be_hidden()


DOWN = """async () => {
  const feed = document.querySelector("#feed");
  const entries = () => [...feed.querySelectorAll(".entry")];
  let most = 0;
  for (;;) {
    feed.scrollTop = feed.scrollHeight;
    if (document.querySelector("#to-newest").hidden) return { most };
    const changed = new Promise((done) => {
      const seen = new MutationObserver(() => { seen.disconnect(); done(); });
      seen.observe(feed, {childList: true});
    });
    feed.dispatchEvent(new Event("scroll"));
    await changed;
    await new Promise(requestAnimationFrame);
    most = Math.max(most, entries().length);
  }
}"""


TELL = """() => new MutationObserver((all) => {
  const added = all.flatMap((one) => [...one.addedNodes]).filter((one) => one.classList?.contains("entry"));
  window.tell(added.map((one) => Number(one.dataset.id)));
}).observe(document.querySelector("#feed"), {childList: true})"""


def test_down_from_the_first_to_the_newest_nothing_is_missing(desk, world):  # noqa: F811
    desk.focus("#feed")
    desk.keyboard.press("Home")
    expect(desk.locator("#feed .entry .text").first).to_contain_text("(1)")
    seen = []
    desk.expose_function("tell", lambda numbers: seen.extend(numbers))
    desk.evaluate(TELL)
    first = ids(desk)
    walked = desk.evaluate(DOWN)
    assert walked["most"] <= MOST
    whole = in_order()
    assert [*first, *seen] == whole
    assert ids(desk) == whole[-MOST:]
    world.write("Живое снова")
    expect(desk.locator("#feed .entry .text").last).to_have_text("Живое снова")


UP = """async () => {
  const feed = document.querySelector("#feed");
  let [most, pages] = [0, 0];
  while (feed.dataset.before) {
    const before = feed.dataset.before;
    feed.scrollTop = 0;
    feed.dispatchEvent(new Event("scroll"));
    while (feed.dataset.before === before) await new Promise(requestAnimationFrame);
    most = Math.max(most, feed.querySelectorAll(".entry").length);
    pages += 1;
  }
  return { most, pages };
}"""


@pytest.mark.parametrize("jumped", [False, True])
def test_up_to_the_first_page_by_page(desk, jumped):
    whole, seen = in_order(), []
    if jumped:
        desk.focus("#feed")
        desk.keyboard.press("Home")
        expect(desk.locator("#feed .entry .text").first).to_contain_text("(1)")
        desk.keyboard.press("End")
        expect(desk.locator("#feed .entry .text").last).to_have_text("Самое новое")
        desk.wait_for_function(AT_END)
    desk.expose_function("tell", lambda numbers: seen.extend(numbers))
    desk.evaluate(TELL)
    walked = desk.evaluate(UP)
    assert walked == {"most": MOST, "pages": -(-(len(whole) - 50) // 50)}
    assert ids(desk) == whole[:MOST]
    assert sorted(seen, key=whole.index) == whole[:-50], "each message came once"


def test_what_is_written_at_the_beginning_stands_below_the_newest(desk):
    desk.focus("#feed")
    desk.keyboard.press("Home")
    expect(desk.locator("#feed .entry .text").first).to_contain_text("(1)")
    desk.fill("#text", "Ответ издалека")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".is-pending")).to_have_count(0)
    expect(desk.locator("#to-newest")).to_be_hidden()
    expect(desk.locator("#feed .entry .text").last).to_have_text("Ответ издалека")
    assert ids(desk)[-50:] == in_order()[-50:]
    assert Message.objects.filter(direction=Direction.OUT, text="Ответ издалека").count() == 1
