"""The chat on a foreign page, in a real browser: both ways, both languages, by keyboard, and against forgers."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from core.embedded.waiting import wait_until
from omni.chat.tests import builders as c
from omni.models import Message, Session
from omni.services import answering, conversations, sending, typing
from omni.states import SendState
from tests import builders as b
from tests.browser.host_page import serving

VIOLATIONS = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});"""


@pytest.fixture
def host(live_product):
    with serving(live_product.url) as address:
        yield address


@pytest.fixture
def site(host):
    greeting = {"ru": "Здравствуйте! Это «Корзинка». Спросите о товаре, заказе или магазине.", "en": "Hello! Ask about goods and orders."}
    return c.a_site(origins=[host], greeting=greeting, title={"ru": "Поддержка «Корзинки»", "en": "Korzinka support"})


@pytest.fixture
def operator(site):
    person = b.a_person(groups=[site.queue.group])
    b.go_on_line(person, now=timezone.now())
    return person


class Widget:
    """The chat as a guest sees it."""

    def __init__(self, page, host, lang="ru", **query):
        self.page = page
        page.add_init_script(VIOLATIONS)
        self.address = f"{host}/?lang={lang}" + "".join(f"&{name}={value}" for name, value in query.items())
        page.goto(self.address)
        self.launcher = page.locator(".launcher")
        self.frame = page.frame_locator("iframe")
        self.text = self.frame.locator("#text")
        self.log = self.frame.locator("#log")

    def open(self):
        self.launcher.click()
        return self

    def write(self, text):
        self.text.fill(text)
        self.text.press("Enter")
        expect(self.log).to_contain_text(text)

    def inner(self):
        return next(frame for frame in self.page.frames if "/widget/frame/" in frame.url)

    def violations(self):
        return [found for frame in self.page.frames for found in frame.evaluate("window.violations || []")]


def session_of(text):
    assert wait_until(lambda: Message.objects.filter(text=text).exists(), seconds=10), f"{text!r} did not arrive"
    return Message.objects.get(text=text).session


def answer(session, text, by):
    message = answering.answer(session_id=session.pk, text=text, by=by, now=timezone.now())
    sending.send(message.attempts.get().pk, now=timezone.now())
    return message


def has_state(message, state):
    return wait_until(lambda: Message.objects.get(pk=message.pk).send_state == state, seconds=10)


@pytest.fixture
def chat(page, host, site):
    return Widget(page, host)


def test_the_whole_dialogue_both_ways(chat, operator):
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    assert chat.page.locator("iframe").count() == 0, "the frame comes with the first opening"
    chat.open()
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    expect(chat.frame.locator(".greeting")).to_contain_text("Корзинка")
    expect(chat.text).to_be_focused()
    chat.write("Кефир просрочен")
    session = session_of("Кефир просрочен")
    expect(chat.frame.locator("#status")).to_contain_text("Анна")
    expect(chat.log.locator(".mine .mark")).to_have_text(re.compile("Sent|Отправлено"))
    conversations.mark_read(session_id=session.pk, up_to=session.last_inbound_id, now=timezone.now())
    expect(chat.log.locator(".mine[data-status=read]")).to_have_count(1)
    typing.operator_types(session_id=session.pk)
    expect(chat.frame.locator("#typing")).to_be_visible()
    message = answer(session, "Спасибо, уже убираем с полки.", operator)
    expect(chat.log.locator(".theirs .text")).to_have_text("Спасибо, уже убираем с полки.")
    expect(chat.frame.locator("#typing")).to_be_hidden()
    assert has_state(message, SendState.READ)
    conversations.close(session_id=session.pk, by=operator, now=timezone.now())
    expect(chat.frame.locator("#ended")).to_be_visible()
    chat.frame.locator("#again").click()
    expect(chat.text).to_be_focused()
    chat.write("И ещё вопрос")
    assert session_of("И ещё вопрос").pk == session.pk
    assert chat.violations() == []


def test_shift_enter_begins_a_line_and_escape_returns_the_focus(chat):
    chat.launcher.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.text).to_be_focused()
    chat.page.keyboard.type("первая")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.type("вторая")
    expect(chat.text).to_have_value("первая\nвторая")
    chat.page.keyboard.press("Enter")
    expect(chat.log.locator(".mine .text")).to_have_text("первая\nвторая")
    chat.page.keyboard.press("Escape")
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    expect(chat.launcher).to_be_focused()


def test_an_answer_reaches_the_closed_chat_as_a_badge(chat, operator):
    chat.open().write("Вопрос")
    session = session_of("Вопрос")
    chat.frame.locator("#close").click()
    message = answer(session, "Ответ", operator)
    expect(chat.page.locator(".badge")).to_have_text("1")
    expect(chat.launcher).to_have_attribute("aria-label", re.compile("1"))
    assert has_state(message, SendState.DELIVERED)
    chat.page.reload()
    expect(chat.page.locator(".badge")).to_have_text("1")
    chat.open()
    expect(chat.page.locator(".badge")).to_be_hidden()
    assert has_state(message, SendState.READ)


def test_a_reload_keeps_the_dialogue_and_the_draft_and_sign_out_clears_both(chat):
    chat.open().write("Помню")
    session_of("Помню")
    chat.text.fill("не дописано")
    chat.page.reload()
    chat.open()
    expect(chat.log).to_contain_text("Помню")
    expect(chat.text).to_have_value("не дописано")
    chat.page.evaluate("otklik('signOut')")
    expect(chat.log.locator(".message")).to_have_count(0)
    expect(chat.text).to_have_value("")
    chat.page.reload()
    chat.open()
    expect(chat.text).to_be_focused()
    expect(chat.log.locator(".message")).to_have_count(0)


FORGED = """([type, origin, self]) => window.dispatchEvent(new MessageEvent("message", {
  data: {otklik: 1, type}, origin, source: self ? window : window.parent,
}))"""
TO_FRAME = "(data) => document.querySelector('.otklik').shadowRoot.querySelector('iframe').contentWindow.postMessage(data, '*')"


def test_forged_messages_change_nothing(chat):
    chat.open().write("Моё")
    session_of("Моё")
    inner, host = chat.inner(), chat.address.partition("/?")[0]
    for origin, of_itself in (("https://evil.example", False), ("", False), (host, True)):
        inner.evaluate(FORGED, ["sign_out", origin, of_itself])
    for data in ({"otklik": 2, "type": "sign_out"}, {"otklik": 1, "type": "constructor"}, {"type": "sign_out"}, "sign_out", None):
        chat.page.evaluate(TO_FRAME, data)
    chat.page.evaluate("window.postMessage({otklik: 1, type: 'unread', count: 7, label: 'x'}, '*')")
    chat.page.evaluate(FORGED, ["close", inner.evaluate("location.origin"), True])
    chat.write("И это моё")
    expect(chat.log.locator(".mine")).to_have_count(2)
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    expect(chat.page.locator(".badge")).to_be_hidden()


def test_an_unregistered_origin_gets_no_chat(page, host, site):
    site.settings["origins"] = ["https://shop.example"]
    site.save()
    chat = Widget(page, host).open()
    inner = page.locator("iframe").element_handle().content_frame()
    assert wait_until(lambda: "chrome-error" in inner.url or inner.locator("#text").count() == 0, seconds=5)
    expect(chat.frame.locator("#text")).to_have_count(0)


def test_frame_ancestors_holds_without_a_referrer(page, host, site):
    answer = page.request.get(f"{host}/")
    product = re.search(r'src="([^"]+)/widget', answer.text())[1]
    policy = page.request.get(f"{product}/widget/frame/shop/").headers["content-security-policy"]
    assert f"frame-ancestors {host}" in policy
    assert "unsafe" not in policy


def test_a_signed_customer_is_known_and_a_forged_one_is_not(page, host, site, operator):
    chat = Widget(page, host)
    page.evaluate("window.heard = []; otklik('on', 'identity', (value) => window.heard.push(value))")
    page.evaluate("(proof) => otklik('identify', proof)", {"external_id": "card:7700001", "hash": "0" * 64})
    chat.open()
    expect(chat.text).to_be_visible()
    assert wait_until(lambda: page.evaluate("window.heard.length") == 1, seconds=10)
    assert page.evaluate("window.heard[0]") == {"ok": False, "code": "identity_wrong"}
    chat.write("Я ещё никто")
    assert session_of("Я ещё никто").identity.external_id.startswith("visitor:")
    page.evaluate("(proof) => otklik('identify', async () => proof)", c.a_token(name="Мария"))
    assert wait_until(lambda: page.evaluate("window.heard.length") == 2, seconds=10)
    chat.write("Теперь я с картой")
    assert session_of("Теперь я с картой").identity.external_id == "card:7700001"
    assert Session.objects.count() == 1


def test_questions_before_the_chat(page, host, site, operator):
    site.settings |= {
        "consent_version": "2026-01",
        "prechat": [
            {"field": "name", "type": "text", "required": True, "label": {"ru": "Как вас зовут?"}},
            {"field": "phone", "type": "tel", "label": {"ru": "Телефон"}},
            {"field": "topic", "type": "choice", "label": {"ru": "О чём вопрос?"}, "options": ["О товаре", "О доставке"]},
            {"field": "consent", "type": "consent", "required": True, "label": {"ru": "Согласен на обработку персональных данных"}},
        ],
    }
    site.save()
    chat = Widget(page, host).open()
    name = chat.frame.get_by_label("Как вас зовут?")
    expect(name).to_be_focused()
    name.fill("Мария")
    chat.frame.get_by_label("Телефон").fill("12")
    name.press("Enter")
    expect(chat.frame.locator("#p-consent")).to_be_visible()
    expect(chat.frame.get_by_label("Согласен")).to_be_focused()
    axe_is_clean(page)
    chat.frame.get_by_label("Согласен").check()
    name.press("Enter")
    chat.text.fill("Где мой заказ?")
    chat.text.press("Enter")
    expect(chat.frame.locator("#p-phone")).to_be_visible()
    expect(name).to_have_value("Мария")
    chat.frame.get_by_label("Телефон").fill("+7 900 123-45-67")
    chat.frame.locator("#prechat .primary").click()
    expect(chat.text).to_have_value("Где мой заказ?")
    chat.text.press("Enter")
    session = session_of("Где мой заказ?")
    assert session.guest.name == "Мария"
    assert wait_until(lambda: session.messages.filter(direction="system", text__contains="2026-01").exists(), seconds=10)


def test_the_place_in_the_queue_and_closed_hours(page, host, site):
    chat = Widget(page, host).open()
    chat.write("Есть кто?")
    expect(chat.frame.locator("#place")).to_contain_text("1")
    expect(chat.frame.locator("#hours")).to_be_hidden()
    site.queue.policy.calendar.intervals.all().delete()
    b.clocks.forget_hours()
    try:
        page.reload()
        chat.open()
        expect(chat.frame.locator("#hours")).to_be_visible()
        axe_is_clean(page)
    finally:
        b.clocks.forget_hours()


def test_without_a_network_the_text_is_kept_and_sent_once(chat, operator):
    chat.open().write("Первое")
    session_of("Первое")
    chat.page.context.set_offline(True)
    expect(chat.frame.locator("#offline")).to_be_visible()
    chat.write("Без связи")
    expect(chat.log.locator(".pending[data-status=waits]")).to_have_count(1)
    chat.page.context.set_offline(False)
    expect(chat.log.locator(".pending")).to_have_count(0)
    expect(chat.frame.locator("#offline")).to_be_hidden()
    session_of("Без связи")
    assert Message.objects.filter(text="Без связи").count() == 1


def test_an_answer_lost_on_its_way_back_is_asked_for_again(chat):
    lost = []

    def lose_once(route):
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        lost.append(route.fetch())  # the server has taken it
        route.abort()

    chat.page.context.route("**/chat/messages", lose_once)
    chat.open()
    # The socket may tell of the message before its own answer is lost.
    with chat.page.expect_event("requestfailed", lambda request: request.url.endswith("/chat/messages")):
        chat.write("Ровно одно")
    expect(chat.log.locator(".pending")).to_have_count(0)
    assert lost[0].status == 200
    expect(chat.log.locator(".mine")).to_have_count(1)
    assert Message.objects.filter(text="Ровно одно").count() == 1


def test_a_blocked_socket_is_replaced_by_polls(page, host, site, operator):
    page.context.route_web_socket("**/chat/socket/", lambda socket: socket.close(code=1012))
    chat = Widget(page, host).open()
    chat.write("Без сокета")
    message = answer(session_of("Без сокета"), "Дошло и так", operator)
    expect(chat.log.locator(".theirs .text")).to_have_text("Дошло и так", timeout=15_000)
    assert has_state(message, SendState.READ)


def test_without_storage_it_works_until_the_page_goes(page, host, site):
    """A private window refuses storage to another site's frame."""
    other_site = host.replace("127.0.0.1", "localhost")
    site.settings["origins"] = [other_site]
    site.save()
    chat = Widget(page, other_site).open()
    chat.write("Без памяти")
    session_of("Без памяти")
    refused = "(() => { try { return !localStorage; } catch { return true; } })()"
    assert chat.inner().evaluate(refused)
    page.reload()
    chat.open()
    expect(chat.text).to_be_visible()
    expect(chat.log.locator(".message")).to_have_count(0)


def test_a_photo_goes_and_a_file_comes_back(chat, operator):
    chat.open()
    expect(chat.text).to_be_visible()
    picture = chat.page.screenshot(clip={"x": 0, "y": 0, "width": 300, "height": 200})
    chat.frame.locator("#attach").set_input_files({"name": "чек.png", "mimeType": "image/png", "buffer": picture})
    expect(chat.frame.locator("#files")).to_contain_text("чек.png")
    expect(chat.frame.locator("#files [aria-busy]")).to_have_count(0)
    chat.write("Вот чек")
    expect(chat.log.locator(".picture img")).to_have_js_property("complete", True)
    assert Message.objects.get(text="Вот чек").attachments.get().size == len(picture)
    chat.frame.locator("#attach").set_input_files({"name": "x.html", "mimeType": "text/html", "buffer": b"<html>"})
    expect(chat.frame.locator("#fault")).to_contain_text("x.html")
    assert chat.violations() == []


def test_the_reader_changes_the_language(chat):
    chat.open()
    expect(chat.frame.locator("html")).to_have_attribute("lang", "ru")
    chat.frame.locator("#menu summary").click()
    chat.frame.locator("#language").click()
    expect(chat.frame.locator("html")).to_have_attribute("lang", "en")
    expect(chat.frame.locator("h1")).to_have_text("Korzinka support")
    expect(chat.text).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-label", "Close the chat")


def axe_is_clean(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, host, site, operator, lang, scheme):
    page.emulate_media(color_scheme=scheme)
    chat = Widget(page, host, lang=lang)
    expect(chat.launcher).to_be_visible()
    axe_is_clean(page)
    chat.open().write("Вопрос")
    answer(session_of("Вопрос"), "Ответ", operator)
    expect(chat.log.locator(".theirs")).to_have_count(1)
    axe_is_clean(page)


@pytest.mark.parametrize(("width", "height", "letters"), [(320, 568, 200), (320, 256, 100), (1280, 720, 200)])
def test_nothing_is_cut_on_a_small_screen_or_with_large_letters(page, host, site, width, height, letters):
    page.set_viewport_size({"width": width, "height": height})
    chat = Widget(page, host).open()
    expect(chat.text).to_be_visible()
    inner = chat.inner()
    inner.evaluate("(percent) => { document.documentElement.style.fontSize = percent + '%'; }", letters)
    chat.write("Оченьдлинноесловобезпробелов" * 8)
    assert inner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(chat.frame.locator("#send")).to_be_in_viewport(ratio=1)
    expect(chat.frame.locator("#close")).to_be_in_viewport(ratio=1)
    assert inner.evaluate("[...document.querySelectorAll('.bubble, h1, #status')].every((one) => one.scrollWidth <= one.clientWidth)")
    assert page.evaluate("document.documentElement.style.overflow") == ("hidden" if width < 480 else "")
    page.evaluate("otklik('close')")
    assert page.evaluate("document.documentElement.style.overflow") == ""


def test_the_loader_is_small_and_cached(page, live_product):
    answer = page.request.get(f"{live_product.url}/widget/loader.js", headers={"Accept-Encoding": "gzip"})
    assert int(answer.headers["content-length"]) <= 5 * 1024
    assert answer.headers["content-encoding"] == "gzip"
    again = page.request.get(f"{live_product.url}/widget/loader.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    assert "max-age=300" in answer.headers["cache-control"]
