"""Forced colours, reduced motion, and a theme that is there with the first picture."""

import pytest
from playwright.sync_api import expect

from accounts.models import Staff
from tests.browser.desk import go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import full  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

# Controls without an edge: neither a border nor an outline nor a line below tells where they are. A link is known by its underline.
EDGED = "button:not(.link), select, input:not([type=hidden]):not([type=file]), textarea, .bubble, .mark-unread, .toast, dialog[open]"
EDGELESS = f"""() => [...document.querySelectorAll("{EDGED}")]
  .filter((one) => one.checkVisibility({{ visibilityProperty: true, opacityProperty: true }}) && one.getClientRects().length)
  .filter((one) => !one.closest(".visually-hidden, .mode"))
  .filter((one) => {{ const style = getComputedStyle(one); return !["Top", "Right", "Bottom", "Left"].some((side) =>
    style[`border${{side}}Style`] !== "none" && parseFloat(style[`border${{side}}Width`]) >= 1); }})
  .map((one) => one.outerHTML.slice(0, 100))"""
FOCUS = """() => { const here = document.activeElement; const ring = here.matches(".mode input") ? here.nextElementSibling : here;
  const style = getComputedStyle(ring);
  return { what: here.outerHTML.slice(0, 80), isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 }; }"""
MOVING = """() => [...document.querySelectorAll("*")].filter((one) => { const style = getComputedStyle(one);
  const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0);
  return lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration)); })
  .map((one) => one.outerHTML.slice(0, 80))"""


def test_forced_colours_keep_borders_and_the_focus(live_product, page, full, world):  # noqa: F811
    session, _case = full
    page.emulate_media(forced_colors="active")
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert page.evaluate(EDGELESS) == []
    picture(page, "forced-colours")
    page.focus("#feed")
    unseen = []
    for _step in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        if found["what"].startswith("<body"):  # behind the last one, in the browser's own controls
            break
        if not found["isSeen"]:
            unseen.append(found["what"])
    assert unseen == []
    page.focus("#feed")
    page.keyboard.press("s")
    page.wait_for_selector("#dialog[open]")
    assert page.evaluate(EDGELESS) == []


def test_reduced_motion_moves_nothing(live_product, page, full):  # noqa: F811
    session, _case = full
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    assert page.evaluate(MOVING) != [], "else this test sees nothing"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
    page.focus("#feed")
    page.keyboard.press("s")
    page.wait_for_selector("#dialog[open]")
    assert page.evaluate(MOVING) == []
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('#feed')).scrollBehavior") == "auto"


# Every value that the theme and the ground of the page had, from the first picture on.
THEMES = """
window.themes = [];
const note = () => {
  if (!document.body) return;
  const seen = `${document.documentElement.dataset.theme} ${getComputedStyle(document.body).backgroundColor}`;
  if (window.themes.at(-1) !== seen) window.themes.push(seen);
};
const every = () => { note(); requestAnimationFrame(every); };
requestAnimationFrame(every);
const all = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-theme", "class", "style"] };
new MutationObserver(note).observe(document, all);
"""
DARK = "rgb(21, 24, 28)"


def test_the_theme_is_there_with_the_first_picture(live_product, page, full, browser):  # noqa: F811
    session, _case = full
    sign_in(page, live_product)
    page.click("#user-menu > summary")
    with page.expect_response("**/desk/look/"):
        page.check("[name=theme][value=dark]")
    assert Staff.objects.get(login="ivanova").theme == "dark"
    page.add_init_script(THEMES)
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator("#feed")).to_be_visible()
    assert page.evaluate("window.themes") == [f"dark {DARK}"]
    # Without any script, too: the server writes it.
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    try:
        bare = plain.new_page()
        bare.goto(f"{live_product.url}/desk/")
        assert bare.locator("html").get_attribute("data-theme") == "dark"
    finally:
        plain.close()
