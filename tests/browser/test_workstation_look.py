"""How the desk looks and weighs: axe, strict policy, widths, contrast, first load."""

import gzip
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone

from accounts.models import Staff
from knowledge.models import Article
from omni.services import answering
from tests import builders as b
from tests.browser.desk import WATCH, connected, go, sign_in, world  # noqa: F401
from tickets.services import cases, opening

pytestmark = pytest.mark.django_db(transaction=True)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture
def full(world):  # noqa: F811
    """A dialogue and a ticket with everything on the screen."""
    now = timezone.now()
    for number in range(6):
        name = "Александр Константинопольский-Задунайский" if number else "Игорь"
        world.give(text=f"Почему закрыта касса самообслуживания на Лесной? {number}", visitor=f"v{number}", name=name)
    session = world.give(text="Не начислили баллы. https://example.com/check?id=1")
    answering.answer(session_id=session.pk, text="Проверяем!", by=world.operator, now=now)
    answering.note(session_id=session.pk, text="Чек от 20.11", by=world.operator, now=now)
    world.write("Спасибо")
    Article.objects.create(
        code="points", title="Не начислили баллы", answer="Баллы приходят до двух дней.", body="Подробно", is_published=True
    )
    topic = b.a_topic(group=b.a_group())
    case = opening.open_ticket(session_id=session.pk, topic=topic, store=b.a_store(), by=world.operator, now=now)
    cases.take(case_id=case.pk, by=world.operator, now=now)
    return session, case


def violations(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(live_product, page, full, theme, language):
    session, case = full
    Staff.objects.update(language=language)
    page.set_extra_http_headers({"Accept-Language": language})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{live_product.url}/sign-in/")
    assert violations(page) == []
    sign_in(page, live_product)
    wrong = {"list": violations(page)}
    go(page, live_product, f"session/{session.pk}/")
    wrong["dialogue"] = violations(page)
    page.focus("#feed")
    page.keyboard.press("t")
    page.wait_for_selector("#topic")
    page.wait_for_selector(".picker-list li")
    wrong["new ticket"] = violations(page)
    go(page, live_product, f"case/{case.pk}/")
    assert page.locator("html").get_attribute("lang") == language
    wrong["ticket"] = violations(page)
    for panel in ("guest", "knowledge", "history", "orders", "ticket"):
        page.click(f"#tab-{panel}")
        page.wait_for_selector(f"#tab-{panel}[aria-selected=true]")
        page.wait_for_selector("#panel:not(.is-busy)")
        wrong[panel] = violations(page)
    for key, dialog in (("Control+k", "#palette"), ("Shift+Slash", "#dialog"), ("a", "#dialog"), ("s", "#dialog"), ("p", "#dialog")):
        page.focus("#feed")
        page.keyboard.press(key)
        page.wait_for_selector(f"{dialog}[open]")
        wrong[key] = violations(page)
        while page.locator(f"{dialog}[open]").count():
            page.keyboard.press("Escape")
    page.click("#user-menu > summary")
    wrong["menu"] = violations(page)
    assert {place: found for place, found in wrong.items() if found} == {}


def test_nothing_breaks_the_strict_policy(live_product, page, full):
    session, case = full
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    for path in ("", f"session/{session.pk}/", f"case/{case.pk}/", "?tab=queue"):
        go(page, live_product, path)
        page.keyboard.press("Control+k")
        page.keyboard.press("Escape")
        assert page.evaluate("window.violations") == []
    answer = page.request.get(f"{live_product.url}/desk/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert said == []


COVERED = """() => [...document.querySelectorAll(".topbar button, .topbar summary, .topbar a, .actions button")]
  .filter((one) => one.checkVisibility() && one.getClientRects().length)
  .filter((one) => { const box = one.getBoundingClientRect();
    return !one.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)); })
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("width", [320, 640, 1024, 1280])
def test_no_width_scrolls_sideways(live_product, page, full, width):
    session, case = full
    page.set_viewport_size({"width": width, "height": 640})
    sign_in(page, live_product)
    for path in ("", f"session/{session.pk}/", f"case/{case.pk}/"):
        go(page, live_product, path)
        if path and width < 1280:
            page.click("[data-do=toggle-panel]")
            assert page.locator("#panel-body").is_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        cut = page.evaluate(
            """() => [...document.querySelectorAll("button, summary, a, select, textarea")]
              .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.closest(".skip, .rows, .feed"))
              .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
              .filter(([, box]) => box.width && (box.right > innerWidth + 1 || box.left < -1)).map(([html]) => html)"""
        )
        assert cut == [], path
        if not page.locator("#panel").is_visible() or width >= 1280:
            assert page.evaluate(COVERED) == [], path


def test_the_first_load_is_light_and_from_here(live_product, page, full):
    session, _case = full
    sign_in(page, live_product)
    loaded = []
    page.on("response", lambda answer: loaded.append(answer))
    page.context.clear_cookies(name="nothing")
    page.goto(f"{live_product.url}/desk/session/{session.pk}/")
    connected(page)
    page.wait_for_load_state("networkidle")
    first = [answer for answer in loaded if "/read/" not in answer.url]
    assert all(answer.url.startswith(live_product.url) for answer in first), [answer.url for answer in first]
    weight = sum(len(gzip.compress(answer.body())) for answer in first if answer.status == 200)
    assert len(first) <= 25, [answer.url for answer in first]
    assert weight <= 120_000, weight


# Contrast of the tokens, as WCAG 2.2 computes it.
def tokens():
    css = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text()
    light, *darks = re.findall(r":root[^{]*\{([^}]*--ground[^}]*)\}", css)
    read = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block)) for block in (light, *darks)]
    assert read[1] == read[2], "the two dark themes differ"
    return {"light": read[0], "dark": read[1]}


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_tokens_can_be_read(theme):
    found = tokens()[theme]
    surfaces = ["ground", "panel", "selected", "note", "hover", "in", "out"]
    texts = ["text", "muted", "accent", "danger", "warning", "ok"]
    weak = [(text, ground) for text in texts for ground in surfaces if contrast(found[text], found[ground]) < 4.5]
    weak += [("control", ground) for ground in surfaces if contrast(found["control"], found[ground]) < 3]
    weak += [pair for pair in (("on-accent", "accent"), ("on-danger", "danger")) if contrast(found[pair[0]], found[pair[1]]) < 4.5]
    assert weak == []
