"""Signals: one tab rings for all, only after going on line, as the person has chosen; the title tells what is new."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from omni.models import Presence
from omni.services import conversations, distribution
from tests import builders as b
from tests.browser.desk import go, sign_in, world  # noqa: F401
from worklist.models import Item
from workstation.services import handing

pytestmark = pytest.mark.django_db(transaction=True)

# What a browser is asked for is written down and carried out; `look` takes the tab out of sight, which no automation can.
SIGNALS = """
window.tones = [];
window.notices = [];
window.asked = 0;
let isAway = false;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const tone = make.call(this);
  const start = tone.start.bind(tone);
  tone.start = () => { window.tones.push({ at: Date.now(), pitch: tone.frequency.value }); start(); };
  return tone;
};
window.Notification = class extends Notification {
  constructor(text, options) { super(text, options); window.notices.push([text, options?.body || ""]); }
  static get permission() { return window.mayNotice || "default"; }
  static async requestPermission() { window.asked += 1; window.mayNotice = "granted"; return "granted"; }
};
Object.defineProperty(document, "visibilityState", { get: () => (isAway ? "hidden" : "visible") });
window.look = (here) => { isAway = !here; document.dispatchEvent(new Event("visibilitychange")); };
"""
LEADS = "async (name) => { const { held } = await navigator.locks.query(); return held.some((lock) => lock.name.startsWith(name)); }"
SEEN = "otklik-seen-"
QUIET = "() => !window.tones.length || Date.now() - window.tones.at(-1).at > 1600"


@pytest.fixture
def desk(live_product, page, context, world):  # noqa: F811
    context.add_init_script(SIGNALS)
    sign_in(page, live_product)
    return page


def on_line(page):
    page.click("#presence")
    page.click("[data-presence=ready]")
    expect(page.locator("#presence .presence-word")).to_have_text("На линии")


def tones(*pages):
    return [tone for page in pages for tone in page.evaluate("window.tones")]


def notices(*pages):
    return [notice for page in pages for notice in page.evaluate("window.notices")]


def comes(world, text, page=None, visitor="v9"):  # noqa: F811
    """A dialogue for the operator by distribution, as everybody gets one; `page` has finished ringing for the one before."""
    if page is not None:
        page.wait_for_function(QUIET)
    session = world.write(text=text, visitor=visitor, name=f"Гость {visitor}")
    distribution.give_out(group_id=b.a_group().pk, now=timezone.now())
    session.refresh_from_db()
    assert session.owner == world.operator
    return session


def away(*pages):
    for page in pages:
        page.evaluate("window.look(false)")
    page.wait_for_function(f"async () => !(await ({LEADS})('{SEEN}'))")


def back(page):
    page.evaluate("window.look(true)")
    page.wait_for_function(f"async () => (await ({LEADS})('{SEEN}'))")


def test_two_tabs_ring_once_notice_once_and_the_next_one_takes_over(desk, context, live_product, world):  # noqa: F811
    on_line(desk)
    leader = context.new_page()
    go(leader, live_product)
    expect(leader.locator("#presence .presence-word")).to_have_text("На линии")  # one presence for both
    leader.click("#connection")  # the tab in use leads
    leader.evaluate("window.mayNotice = 'granted'")
    away(desk, leader)
    comes(world, "Первый", visitor="v1")
    expect(desk.locator(".row-name")).to_have_count(1)
    expect(leader.locator(".row-name")).to_have_count(1)
    leader.wait_for_function("() => window.tones.length === 1 && window.notices.length === 1")
    assert tones(desk) == notices(desk) == []
    back(desk)  # one of the tabs is looked at: a tone, and no notice
    comes(world, "Второй", page=leader, visitor="v2")
    leader.wait_for_function("() => window.tones.length === 2")
    assert (len(notices(desk, leader)), tones(desk)) == (1, [])
    leader.close()
    desk.wait_for_function(f"async () => (await ({LEADS})('otklik-desk-'))", timeout=3_000)
    comes(world, "Третий", page=desk, visitor="v3")
    desk.wait_for_function("() => window.tones.length === 1")
    assert Presence.objects.count() == 1


def test_reading_in_one_tab_clears_the_other(desk, context, live_product, world):  # noqa: F811
    session = world.give()
    reader = context.new_page()
    go(reader, live_product, f"session/{session.pk}/")
    go(desk, live_product)
    mark = desk.locator(f'[data-key="session:{session.pk}"] .mark-unread')
    expect(mark).to_be_hidden()
    reader.evaluate("window.look(false)")
    world.write("Ещё вопрос")
    expect(mark).to_be_visible()
    expect(desk).to_have_title("(1) · Рабочее место · Отклик")
    reader.evaluate("window.look(true)")
    expect(mark).to_be_hidden()
    expect(desk).to_have_title("Рабочее место · Отклик")
    desk.click("#presence")
    desk.click("[data-presence=wrap_up]")
    expect(reader.locator("#presence .presence-word")).to_have_text("Постобработка")


def test_nothing_sounds_before_going_on_line(desk, world):  # noqa: F811
    desk.click(".tab >> nth=0")  # a gesture alone is no consent
    away(desk)
    colleague = b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    session = conversations.take(session_id=world.write().pk, by=colleague, now=timezone.now())
    item = Item.objects.get(kind="session", subject_id=session.pk)
    handing.hand_to(item=item, to=world.operator, note="", by=colleague, now=timezone.now())
    expect(desk.locator(".row-name")).to_have_count(1)
    assert tones(desk) == notices(desk) == []
    assert desk.evaluate("window.asked") == 0
    back(desk)
    on_line(desk)
    assert desk.evaluate("window.asked") == 1
    away(desk)
    comes(world, "Тайна гостя: чек 123", visitor="v1")
    desk.wait_for_function("() => window.tones.length === 1 && window.notices.length === 1")
    assert notices(desk) == [["У вас новый диалог.", ""]], "a notice holds nothing of the guest's"


def test_each_kind_can_be_muted_and_the_volume_is_the_persons(desk, live_product, world):  # noqa: F811
    on_line(desk)
    desk.click("#user-menu > summary")
    desk.uncheck("[data-signal=given]")
    desk.uncheck("[data-signal=notice]")
    desk.keyboard.press("Escape")
    away(desk)
    session = comes(world, "Первый", visitor="v1")
    expect(desk.locator(".row-name")).to_have_count(1)
    world.write("Ещё", visitor="v1", name="Гость v1")
    desk.wait_for_function("() => window.tones.length === 1")
    assert [tone["pitch"] for tone in tones(desk)] == [520], "what was given is silent, what is written is not"
    assert notices(desk) == []
    go(desk, live_product, f"session/{session.pk}/")
    desk.click("#user-menu > summary")
    assert desk.is_checked("[data-signal=wrote]")
    assert not desk.is_checked("[data-signal=given]"), "the choice is kept"
    desk.locator("#volume").fill("0")
    desk.check("[data-signal=given]")
    away(desk)
    comes(world, "Второй", visitor="v2")
    expect(desk.locator(".row-name")).to_have_count(2)
    assert tones(desk) == []


def test_a_fifth_of_the_time_is_told_once_by_another_tone_and_by_the_title(desk, live_product, world):  # noqa: F811
    session = world.give()
    desk.clock.install()
    go(desk, live_product, f"session/{session.pk}/")
    on_line(desk)
    due = Item.objects.get(kind="session").due_at
    left = (due - timezone.now()).total_seconds()
    desk.clock.fast_forward(int(left - 100) * 1000)
    expect(desk.locator(".row .clock")).to_have_attribute("data-stage", "urgent")
    assert desk.title().startswith(("01:", "(1) · 01:", "00:", "(1) · 00:")), desk.title()
    assert [tone["pitch"] for tone in tones(desk)] == [440], "the row and the head are one promise"


def test_the_title_counts_what_the_server_counts(desk, live_product, world):  # noqa: F811
    sessions = [world.give(text=f"Вопрос {number}", visitor=f"v{number}", name=f"Гость {number}") for number in range(3)]
    for path in ("", "?tab=queue"):  # also where the own rows are not in the list
        go(desk, live_product, path)
        count = Item.objects.filter(owner=world.operator, unread__gt=0).count()
        expect(desk).to_have_title(f"({count}) · Рабочее место · Отклик")
    assert count == 3
    go(desk, live_product, f"session/{sessions[0].pk}/")
    expect(desk).to_have_title("(2) · Рабочее место · Отклик")
    world.write("Ещё", visitor="v1", name="Гость 1")
    expect(desk.locator(f'[data-key="session:{sessions[1].pk}"] .mark-unread')).to_contain_text("2")
    expect(desk).to_have_title("(2) · Рабочее место · Отклик")
