"""320 pixels and 400 % zoom, text twice as large, WCAG's text spacing, words longer by a third: nothing is cut, everything is reached."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.models import Session
from omni.services import conversations
from tests.browser.desk import go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import full  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

# Controls and headings whose words are cut, or that leave the screen. Where an ellipsis is meant, the whole text is one click away.
CUT = """() => {
  const wide = document.scrollingElement.clientWidth;
  const elsewhere = ".skip, .visually-hidden, .rows, .entry";
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length && !one.closest(elsewhere);
  const holdsField = ":scope > .visually-hidden, :scope > input:not([type=checkbox]):not([type=radio])";
  const meant = (one) => getComputedStyle(one).textOverflow === "ellipsis" || one.querySelector(holdsField);
  const wrong = [];
  for (const one of document.querySelectorAll("button, summary, .tab, label, legend, h2, h3, dt, dd, .hint, .tag, .clock, .mode span")) {
    if (!shown(one) || meant(one)) continue;
    const box = one.getBoundingClientRect();
    const name = one.outerHTML.replace(/\\s+/g, " ").slice(0, 110);
    if (one.clientWidth && one.scrollWidth > one.clientWidth + 1) wrong.push(`wider than its box: ${name}`);
    const scrolls = getComputedStyle(one).overflowY === "auto";
    if (one.clientHeight && one.scrollHeight > one.clientHeight + 2 && !scrolls) wrong.push(`higher than its box: ${name}`);
    if (box.right > wide + 1 || box.left < -1) wrong.push(`off the screen: ${name}`);
  }
  if (document.scrollingElement.scrollWidth > wide) wrong.push("the page scrolls sideways");
  return wrong;
}"""
# Controls that cannot be seen where they are scrolled to: something lies on them, or they have no size.
UNREACHABLE = """() => {
  const wrong = [];
  const over = document.body.classList.contains("panel-over") && document.querySelector("#panel");
  const top = document.querySelector("dialog[open], details.menu[open] .menu-body") || over || document;
  for (const one of top.querySelectorAll("button, summary, a[href], select, textarea, input:not([type=hidden])")) {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.closest(".skip, .visually-hidden") || one.tabIndex < 0) continue;
    if (one.closest("details:not([open])") && !one.closest("summary")) continue;
    one.scrollIntoView({ block: "center", inline: "nearest" });
    const box = one.getBoundingClientRect();
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (hit && (one.contains(hit) || hit.contains(one) || hit.closest("label")?.contains(one))) continue;
    wrong.push(`${one.outerHTML.replace(/\\s+/g, " ").slice(0, 110)} under ${hit?.outerHTML.slice(0, 60)}`);
  }
  return wrong;
}"""
# Bars that something floating lies on.
COVERED = """() => {
  const box = (name) => {
    const one = document.querySelector(name);
    return one?.checkVisibility() ? one.getBoundingClientRect() : null;
  };
  const pairs = [["#panel", ".topbar"], ["#feed-tools", "#dialogue-head"], ["#feed-tools", "#banner"], ["#feed-tools", "#composer"]];
  return pairs.filter(([over, bar]) => {
    const [a, b] = [box(over), box(bar)];
    return a && b && a.top < b.bottom - 1 && b.top < a.bottom - 1 && a.left < b.right && b.left < a.right;
  }).map(([over, bar]) => `${over} lies on ${bar}`);
}"""
# https://www.w3.org/TR/WCAG22/#text-spacing
SPACING = """() => {
  const sheet = new CSSStyleSheet();
  const spaces = "line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important;";
  sheet.replaceSync(`* { ${spaces} } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
TWICE = "() => { document.documentElement.style.fontSize = '200%'; }"
# A language whose words are longer by 35 %, and whose longest word is, too.
LONGER = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const [texts, long] = [[], new Set()];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const place = text.parentElement;
    const words = text.data.trim();
    if (words.length < 2 || !/[а-яёa-z]/i.test(words)) continue;
    if (place.closest("script, .row, .entry, textarea, option, svg, [data-long]")) continue;
    text.data = text.data.replace(words, words.split(" ").map((word) => word + "ж".repeat(Math.ceil(word.length * 0.35))).join(" "));
    long.add(place);
  }
  for (const place of long) place.dataset.long = "1";
}"""
DIALOGS = {"s": "#dialog", "a": "#dialog", "Shift+Slash": "#dialog", "Control+k": "#palette", "p": "#dialog"}
PANELS = ("guest", "ticket", "knowledge", "history", "orders")


def places(page, live_product, full, *, prepare):  # noqa: F811
    """Each screen of the desk, one after another, as `prepare` makes it."""
    session, case = full
    for path in ("", f"session/{session.pk}/", f"case/{case.pk}/"):
        go(page, live_product, path)
        prepare()
        yield path
        page.click("#user-menu > summary")
        yield f"{path} menu"
        page.keyboard.press("Escape")
        if not path:
            continue
        for panel in PANELS:
            if not page.locator("#panel").is_visible() or not page.locator(f"#tab-{panel}").is_visible():
                page.click("[data-do=toggle-panel]")
            page.click(f"#tab-{panel}")
            page.wait_for_selector(f"#tab-{panel}[aria-selected=true]")
            page.wait_for_selector("#panel:not(.is-busy)")
            prepare()
            yield f"{path} {panel}"
        if page.locator(".panel-over .panel-close:visible").count():
            page.click(".panel-close")
        for key, dialog in DIALOGS.items():
            if key == "p" and path.startswith("session"):
                continue
            page.focus("#feed")
            page.keyboard.press(key)
            page.wait_for_selector(f"{dialog}[open]")
            prepare()
            yield f"{path} {key}"
            while page.locator(f"{dialog}[open]").count():
                page.keyboard.press("Escape")


def examined(page, live_product, full, checks, *, prepare=lambda: None):  # noqa: F811
    return {
        place: found
        for place in places(page, live_product, full, prepare=prepare)
        if (found := [wrong for check in checks for wrong in page.evaluate(check)])
    }


@pytest.mark.parametrize("height", [640, 256], ids=["320px", "zoom-400"])
def test_everything_is_reached_on_the_smallest_screen(live_product, page, full, height):  # noqa: F811
    """1280 x 1024 at 400 % are 320 x 256 of the page's own pixels (WCAG 2.2, 1.4.10)."""
    page.set_viewport_size({"width": 320, "height": height})
    sign_in(page, live_product)
    assert examined(page, live_product, full, [CUT, UNREACHABLE]) == {}
    picture(page, f"small-{height}")


@pytest.mark.parametrize("width", [1440, 1024, 800])
def test_text_twice_as_large_is_not_cut(live_product, page, full, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_product)
    assert examined(page, live_product, full, [CUT, UNREACHABLE, COVERED], prepare=lambda: page.evaluate(TWICE)) == {}
    picture(page, f"twice-{width}")


@pytest.mark.parametrize("width", [1440, 1024])
def test_the_tools_of_the_feed_lie_on_no_bar_in_text_twice_as_large(live_product, page, world, width):  # noqa: F811
    now = timezone.now()
    earlier = world.give(text="Не начислили баллы")
    conversations.close(session_id=earlier.pk, by=world.operator, now=now)
    Session.objects.filter(pk=earlier.pk).update(closed_at=now - timedelta(days=400))
    session = world.give(text="И ещё вопрос")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.wait_for_selector("#feed-tools")
    page.evaluate(TWICE)
    assert page.evaluate(COVERED) == []
    assert page.evaluate(UNREACHABLE) == []
    picture(page, f"twice-tools-{width}")


@pytest.mark.parametrize("width", [1440, 320])
def test_wider_spacing_of_text_cuts_nothing(live_product, page, full, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_product)
    assert examined(page, live_product, full, [CUT], prepare=lambda: page.evaluate(SPACING)) == {}
    picture(page, f"spacing-{width}")


@pytest.mark.parametrize("width", [1440, 1280, 320])
def test_a_language_of_longer_words_breaks_no_control(live_product, page, full, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_product)
    assert examined(page, live_product, full, [CUT], prepare=lambda: page.evaluate(LONGER)) == {}
    picture(page, f"longer-{width}")
