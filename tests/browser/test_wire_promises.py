"""What the desk promises of messages and of its wire: at once on the screen, told once, noticed when dead, nothing typed is lost."""

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from core.embedded.waiting import wait_until
from customers.services import merging
from omni.channels.contract import Sent
from omni.models import Attempt, Message, Session
from omni.services import sending
from omni.states import Direction, SendState
from tests import builders as b
from tests.browser.desk import connected, go, sign_in, texts, world  # noqa: F401
from workstation.models import Draft

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    world.session = world.give(text="0")
    sign_in(page, live_product)
    go(page, live_product, f"session/{world.session.pk}/")
    return page


SAID = """() => {
  window.said = [];
  const place = document.querySelector("#polite");
  const all = { childList: true, characterData: true, subtree: true };
  new MutationObserver(() => place.textContent && window.said.push(place.textContent)).observe(place, all);
}"""


def test_a_word_in_another_channel_is_in_the_open_feed_and_told_once(desk, world):  # noqa: F811
    telegram = b.an_account("telegram")
    b.receive(telegram, b.telegram_update(1, text="Пишу и отсюда", name="Мария"), now=timezone.now())
    other = Session.objects.get(account=telegram)
    merging.merge(kept_id=world.session.guest_id, gone_id=other.guest_id, by=world.operator, now=timezone.now())
    expect(desk.locator(".entry.in")).to_have_count(2)
    desk.evaluate(SAID)
    at = timezone.now().timestamp()
    b.receive(telegram, b.telegram_update(2, text="Вы видите?", name="Мария", at=int(at)), now=timezone.now())
    last = desk.locator(".entry.in").last
    expect(last.locator(".text")).to_have_text("Вы видите?", timeout=2_000)
    expect(last.locator(".via")).to_have_text("Telegram")
    expect(last.locator("time")).to_have_text(timezone.localtime().strftime("%H:%M"))
    desk.wait_for_function("() => window.said.some((words) => words.includes('Вы видите?'))")
    world.write("И здесь")
    desk.wait_for_function("() => window.said.some((words) => words.includes('И здесь'))")
    assert sum("Вы видите?" in words for words in desk.evaluate("window.said")) == 1


def test_an_answer_is_on_the_screen_at_once_and_tells_how_far_it_is(desk, world):  # noqa: F811
    held = []
    desk.route("**/answer/", lambda route: held.append(route))
    desk.fill("#text", "Проверяем")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".is-pending .text")).to_have_text("Проверяем")
    assert not Message.objects.filter(direction=Direction.OUT).exists(), "before the server has it; how quick it is, the bench tells"
    assert wait_until(lambda: bool(desk.evaluate("1") and held), seconds=5)
    held[0].continue_()
    state = desk.locator(".entry.out:not(.is-pending) .send-state")
    expect(state).to_have_attribute("data-mark", "wait")
    attempt = Attempt.objects.get()
    Attempt.objects.update(state=SendState.SENDING)
    sending.finish(attempt_id=attempt.pk, result=Sent(["w-1"]), now=timezone.now())
    account = world.session.account
    expect(state).to_have_attribute("data-mark", "sent")
    for told, mark in (("delivered", "delivered"), ("read", "read")):
        with transaction.atomic():
            sending.apply_status(account=account, external_id="w-1", state=told, error="", now=timezone.now())
        expect(state).to_have_attribute("data-mark", mark)
        expect(state.locator(".send-word")).not_to_be_empty()


def test_a_half_open_wire_is_noticed_and_what_was_missed_comes(live_product, page, world):  # noqa: F811
    """The peer is gone without a word: the socket looks open for ever, only its silence tells (45 s)."""
    session = world.give(text="0")
    dead, wires = [], []

    def through(wire):
        server = wire.connect_to_server()
        wires.append(wire)
        mine = len(wires)
        server.on_message(lambda frame: None if mine in dead else wire.send(frame))
        wire.on_message(lambda frame: None if mine in dead else server.send(frame))

    page.route_web_socket("**/desk/socket/", through)
    sign_in(page, live_product)
    page.clock.install()
    go(page, live_product, f"session/{session.pk}/")
    dead.append(len(wires))
    world.write("1")
    page.clock.run_for(30_000)
    assert texts(page) == ["0"]
    page.fill("#text", "Пока нет связи")
    page.clock.run_for(17_000)
    expect(page.locator(".entry.in")).to_have_count(2)
    connected(page)
    assert len(wires) > 1
    assert texts(page) == ["0", "1"]
    expect(page.locator("#text")).to_have_value("Пока нет связи")


def test_a_tab_that_is_closed_in_the_middle_of_a_word_keeps_what_was_typed(desk, context, live_product, world):  # noqa: F811
    second = context.new_page()
    go(second, live_product, f"session/{world.session.pk}/")
    second.locator("#text").press_sequentially("Сейчас провер")
    second.close(run_before_unload=True)
    assert wait_until(lambda: desk.evaluate("1") and Draft.objects.filter(text="Сейчас провер").exists(), seconds=10)


def test_a_clock_in_a_hidden_tab_is_right_and_its_threshold_is_told_once(live_product, page, world):  # noqa: F811
    session = world.give()
    page.add_init_script(
        """let away = false; Object.defineProperty(document, "visibilityState", { get: () => (away ? "hidden" : "visible") });
        window.look = (here) => { away = !here; document.dispatchEvent(new Event("visibilitychange")); };
        window.alarms = []; addEventListener("DOMContentLoaded", () => { const place = document.querySelector("#assertive");
        if (place) new MutationObserver(() => window.alarms.push(place.textContent)).observe(place, { childList: true }); });"""
    )
    sign_in(page, live_product)
    page.clock.install()
    go(page, live_product, f"session/{session.pk}/")
    clock = page.locator("#dialogue-head .clock")
    shown = clock.locator(".clock-digits")
    # The page's clock runs on between two questions: what is shown, and when, is asked at once.
    look = """(here) => { window.look(here);
        const [minutes, seconds] = document.querySelector("#dialogue-head .clock-digits").textContent.split(":");
        return [Number(minutes) * 60 + Number(seconds), Date.now() / 1000]; }"""
    before, left_at = page.evaluate(look, False)
    page.clock.fast_forward(300_000)
    after, back_at = page.evaluate(look, True)
    assert abs((before - after) - (back_at - left_at)) <= 1.5
    expect(shown).to_have_text(page.evaluate("document.querySelector('#dialogue-head .clock-digits').textContent"))
    assert clock.get_attribute("aria-live") is None
    assert page.locator("#dialogue-head [aria-live], .row [aria-live]").count() == 0
    page.clock.fast_forward(460_000)
    expect(clock).to_have_attribute("data-stage", "urgent")
    expect(clock.locator(".clock-word")).to_be_visible()
    page.clock.run_for(5_000)
    alarms = [words for words in page.evaluate("window.alarms") if "мало времени" in words.lower()]
    assert len(alarms) == 1, page.evaluate("window.alarms")


def test_a_double_click_on_retry_is_one_message(desk, world):  # noqa: F811
    desk.route("**/answer/", lambda route: route.fulfill(status=400, content_type="application/json", body='{"message": "Нельзя"}'))
    desk.fill("#text", "Ещё раз")
    desk.locator("#text").press("Control+Enter")
    failed = desk.locator(".is-pending .send-state")
    expect(failed).to_have_attribute("data-mark", "failed")
    expect(failed).to_contain_text("Нельзя")
    desk.unroute("**/answer/")
    desk.locator(".is-pending button").first.dblclick()
    expect(desk.locator(".entry.out:not(.is-pending) .text")).to_have_text("Ещё раз")
    assert Message.objects.filter(direction=Direction.OUT).count() == 1
