"""Keys that a person has changed: the new one works, the old one does not, everything that names keys names the new one."""

import pytest
from playwright.sync_api import expect

from accounts.models import Staff
from tests.browser.desk import WATCH, focus_is_visible, go, sign_in, world  # noqa: F401
from tests.browser.test_workstation import LETTER
from tests.browser.test_workstation_look import violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"session/{world.give().pk}/")
    yield page
    assert page.evaluate("window.violations") == []


def open_by_palette(desk):
    desk.focus("#feed")
    desk.keyboard.press("Control+k")
    desk.fill("#palette-input", "изменить клавиши")
    expect(desk.locator("#palette-list li")).to_have_count(1)
    desk.keyboard.press("Enter")
    expect(desk.locator("#own-keys [data-deed=next]")).to_be_focused()


def choose(desk, deed, key):
    desk.locator(f"[data-deed={deed}]").focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press(key)


def test_a_changed_key_works_and_the_old_one_does_not(desk, live_product):
    open_by_palette(desk)
    choose(desk, "answer", "q")
    expect(desk.locator("[data-deed=answer]")).to_have_text("Q")
    choose(desk, "snooze", "Shift+p")
    desk.keyboard.press("Tab")
    assert focus_is_visible(desk)
    desk.click("#dialog [type=submit]")
    expect(desk.locator("#dialog")).to_be_hidden()
    assert Staff.objects.get(login="ivanova").own_keys == {"answer": "KeyQ", "snooze": "Shift+KeyP"}
    expect(desk.locator("[data-do=snooze]")).to_have_attribute("title", "Отложить (Shift P)")
    for _page in ("as it was", "loaded anew"):
        desk.focus("#feed")
        desk.evaluate(LETTER, {"key": "к", "code": "KeyR"})  # the old one
        expect(desk.locator("#feed")).to_be_focused()
        desk.evaluate(LETTER, {"key": "й", "code": "KeyQ"})  # the new one, in the Russian layout
        expect(desk.locator("#text")).to_be_focused()
        desk.keyboard.press("Escape")
        desk.keyboard.press("Control+k")
        desk.fill("#palette-input", "ответить")
        expect(desk.locator("#palette-list li kbd").first).to_have_text("Q")
        desk.keyboard.press("Escape")
        desk.keyboard.press("Shift+Slash")
        expect(desk.locator("#keys-list p").filter(has_text="Написать ответ").locator("kbd")).to_have_text("Q")
        desk.keyboard.press("Escape")
        desk.reload()
        desk.wait_for_selector("#connection[data-state=on]", state="attached")


def test_a_double_is_seen_refused_and_everything_can_be_as_from_the_start(desk):
    open_by_palette(desk)
    choose(desk, "note", "e")
    expect(desk.locator("#own-keys .key-double:visible")).to_have_count(2)
    desk.click("#dialog [type=submit]")
    expect(desk.locator("#dialog .field-error")).to_contain_text("E")
    choose(desk, "finish", "Backspace")
    expect(desk.locator("#own-keys .key-double:visible")).to_have_count(0)
    choose(desk, "note", "F6")
    expect(desk.locator("#dialog .field-error")).to_be_visible()
    desk.keyboard.press("Escape")  # out of the waiting, not out of the dialog
    expect(desk.locator("[data-deed=note]")).to_have_text("E")
    assert violations(desk) == []
    desk.click("#dialog [type=submit]")
    expect(desk.locator("#dialog")).to_be_hidden()
    assert Staff.objects.get(login="ivanova").own_keys == {"note": "KeyE", "finish": ""}
    desk.focus("#feed")
    desk.keyboard.press("e")
    expect(desk.locator("#text")).to_be_focused()
    expect(desk.locator("[name=mode][value=note]")).to_be_checked()
    desk.keyboard.press("Escape")
    desk.keyboard.press("Shift+Slash")
    desk.click("[data-change]")
    desk.click("[data-defaults]")
    expect(desk.locator("#dialog")).to_be_hidden()
    assert Staff.objects.get(login="ivanova").own_keys == {}
