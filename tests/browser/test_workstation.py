"""The operator's work in a real browser: by keyboard, once, with nothing lost."""

import re

import pytest
from django.contrib.sessions.models import Session as SignedIn
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from omni.channels.contract import Failed, Inbound, InboundKind, Reason
from omni.models import Attempt, Message, Session
from omni.services import answering, conversations, files, inbound, sending
from omni.states import Direction, SendState, SessionState
from tests import builders as b
from tests.browser.desk import focus_is_visible, go, sign_in, texts, world  # noqa: F401
from tickets.models import AnswerTemplate, Case
from workstation.models import Draft, HeldClosing
from workstation.services import held_closings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(live_product, page, world):  # noqa: F811
    sign_in(page, live_product)
    return page


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
        assert focus_is_visible(page), f"the focus is lost after {key}"


def test_a_whole_case_by_keyboard(desk, world):  # noqa: F811
    topic = b.a_topic()
    session = world.write("Кефир просрочен, чек на руках")
    desk.keyboard.press("2")
    expect(desk.locator(".row-name")).to_have_text("Мария Котова")
    press(desk, "j", "Enter")
    expect(desk.locator("#guest-name")).to_have_text("Мария Котова")
    press(desk, "a")
    expect(desk.locator("[data-do=take]")).to_have_count(0)
    press(desk, "r")
    desk.keyboard.type("Спасибо, передаём в магазин")
    press(desk, "Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending) .text")).to_have_text("Спасибо, передаём в магазин")
    press(desk, "Escape", "t")
    expect(desk.locator("#topic")).to_be_focused()
    desk.keyboard.type("просро")
    expect(desk.locator(".picker-list li").first).to_have_text("Просрочка на полке")
    press(desk, "Enter", "Tab", "Tab")
    desk.keyboard.type("Просроченный кефир")
    press(desk, "Tab", "Enter")
    expect(desk.locator(".toast")).to_contain_text("100")
    case = Case.objects.get()
    assert (case.topic, case.summary, case.opened_by) == (topic, "Просроченный кефир", world.operator)
    press(desk, "Escape", "e")
    expect(desk.locator(".toast")).to_contain_text("Завершено")
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    expect(desk.locator("[data-do=finish]")).to_have_count(0)
    session.refresh_from_db()
    assert session.state == SessionState.PARKED
    assert session.messages.filter(direction=Direction.OUT).count() == 1


@pytest.mark.parametrize("way", ["keys", "clicks"])
def test_a_double_send_is_one_message(desk, live_product, world, way):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.fill("#text", "Один раз")
    if way == "keys":
        desk.locator("#text").press("Control+Enter")
        desk.keyboard.press("Control+Enter")
    else:
        desk.dblclick("#send")
    expect(desk.locator(".entry.out:not(.is-pending)")).to_have_count(1)
    assert session.messages.filter(direction=Direction.OUT).count() == 1


def test_two_answers_in_a_row_are_no_news_to_their_author(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    for text in ("раз", "два", "три"):
        desk.fill("#text", text)
        desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending)")).to_have_count(3)
    assert texts(desk, ".out") == ["раз", "два", "три"]


def test_a_guests_message_appears_and_is_announced_and_read(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    world.write("А когда ответ?")
    expect(desk.locator(".entry.in .text").last).to_have_text("А когда ответ?")
    expect(desk.locator("#polite")).to_contain_text("А когда ответ?")
    expect(desk.locator(f'[data-key="session:{session.pk}"] .mark-unread')).to_be_hidden()
    assert Session.objects.get(pk=session.pk).unread == 0


def test_the_send_guard_asks_once(desk, live_product, world):  # noqa: F811
    session = world.give()
    for number in range(30):
        world.write(f"Вопрос {number}")
    go(desk, live_product, f"session/{session.pk}/")
    desk.evaluate("document.querySelector('#feed').scrollTop = 0")
    desk.locator("#to-newest").wait_for(state="hidden")
    desk.fill("#text", "Отвечаю на первые")
    world.write("Уже не надо!")
    expect(desk.locator("#to-newest")).to_be_visible()
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator("#dialog")).to_be_visible()
    assert not session.messages.filter(direction=Direction.OUT).exists()
    desk.click("#dialog button[value=send]")
    expect(desk.locator(".entry.out:not(.is-pending)")).to_have_count(1)
    expect(desk.locator("#dialog")).to_be_hidden()


def test_reading_first_gives_the_text_back(desk, live_product, world):  # noqa: F811
    session = world.give()
    for number in range(30):
        world.write(f"Вопрос {number}")
    go(desk, live_product, f"session/{session.pk}/")
    desk.evaluate("document.querySelector('#feed').scrollTop = 0")
    desk.fill("#text", "Отвечаю на первые")
    world.write("Уже не надо!")
    expect(desk.locator("#to-newest")).to_be_visible()
    desk.locator("#text").press("Control+Enter")
    desk.click("#dialog button[value=read]")
    expect(desk.locator("#text")).to_have_value("Отвечаю на первые")
    expect(desk.locator(".entry.out")).to_have_count(0)


LETTER = """({key, code, target, ...more}) => (target ? document.querySelector(target) : document.activeElement)
  .dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true, ...more}))"""


def test_keys_work_by_place_in_the_russian_layout_and_never_in_a_text(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.focus("#feed")
    desk.evaluate(LETTER, {"key": "к", "code": "KeyR"})
    expect(desk.locator("#text")).to_be_focused()
    desk.evaluate(LETTER, {"key": "у", "code": "KeyE"})  # in a text: a letter, not "finish"
    expect(desk.locator("#text")).to_be_focused()
    desk.focus("#feed")
    desk.evaluate(LETTER, {"key": "€", "code": "KeyE", "modifierAltGraph": True})
    desk.evaluate(LETTER, {"key": "у", "code": "KeyE", "ctrlKey": True})
    session.refresh_from_db()
    assert session.state == SessionState.ACTIVE
    desk.click("#user-menu > summary")
    desk.uncheck("#single-keys")
    desk.keyboard.press("Escape")
    desk.focus("#feed")
    desk.evaluate(LETTER, {"key": "к", "code": "KeyR"})
    expect(desk.locator("#feed")).to_be_focused()


def test_the_palette_finds_by_both_languages_and_the_wrong_layout(desk, live_product, world):  # noqa: F811
    session = world.give()
    case = _case(session, world.operator)
    go(desk, live_product)
    for words, found in (("finish", "E"), ("завершить", "E"), ("pfdthibnm", "E"), ("принять", "A"), ("ghbyznm", "A")):
        desk.keyboard.press("Control+k")
        desk.fill("#palette-input", words)
        expect(desk.locator("#palette-list li kbd").first).to_have_text(found)
        desk.keyboard.press("Escape")
    desk.keyboard.press("Control+k")
    desk.fill("#palette-input", case.number)
    expect(desk.locator("#palette-list li").first).to_contain_text(f"№ {case.number}")
    desk.keyboard.press("Enter")
    expect(desk.locator("#guest-name")).to_have_text("Мария Котова")
    assert f"/desk/case/{case.pk}/" in desk.url


def _case(session, operator):
    from tickets.services import opening

    return opening.open_ticket(session_id=session.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=timezone.now())


def test_f6_walks_the_regions_and_esc_comes_back(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.focus("#feed")
    where = "() => document.activeElement.id || document.activeElement.className"
    walked = []
    for key in ("F6", "F6", "F6", "F6", "Shift+F6"):
        desk.keyboard.press(key)
        walked.append(desk.evaluate(where))
    assert walked == ["text", "panel-body", "row-link", "feed", "row-link"]
    desk.keyboard.press("Control+k")
    desk.keyboard.press("Escape")
    assert desk.evaluate(where) == "row-link"
    desk.focus("#feed")
    desk.keyboard.press("a")
    expect(desk.locator("#hand-to")).to_be_focused()
    expect(desk.locator("#dialog .picker-list:visible")).to_have_count(1)
    desk.keyboard.press("Escape")
    expect(desk.locator("#dialog .picker-list:visible")).to_have_count(0)
    desk.keyboard.press("Escape")
    expect(desk.locator("#dialog")).to_be_hidden()
    assert desk.evaluate(where) == "feed"


def test_a_draft_is_in_the_list_and_on_another_screen_and_gone_when_sent(desk, live_product, context, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    other = context.new_page()
    go(other, live_product)
    desk.fill("#text", "Сейчас проверю")
    desk.check("[name=mode][value=note]", force=True)
    desk.fill("#text", "для своих")
    expect(desk.locator("#draft-state")).to_have_text(re.compile(r"\d\d:\d\d"))
    draft = other.locator(f'[data-key="session:{session.pk}"] [data-slot=draft]')
    expect(draft).to_contain_text("своих")
    assert dict(Draft.objects.values_list("mode", "text")) == {"answer": "Сейчас проверю", "note": "для своих"}
    go(other, live_product, f"session/{session.pk}/")
    expect(other.locator("#text")).to_have_value("Сейчас проверю")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.note:not(.is-pending) .text")).to_have_text("для своих")
    expect(desk.locator("#text")).to_have_value("")
    assert dict(Draft.objects.exclude(text="").values_list("mode", "text")) == {"answer": "Сейчас проверю"}


def test_what_is_typed_before_the_scripts_are_there_stays(desk, live_product, world):  # noqa: F811
    session = world.give()
    held = []
    desk.route("**/workstation/main*.js", lambda route: held.append(route))
    with desk.expect_request("**/workstation/main*.js"):
        desk.goto(f"{live_product.url}/desk/session/{session.pk}/", wait_until="commit")
    desk.fill("#text", "Уже пишу")
    held[0].continue_()
    expect(desk.locator("#draft-state")).to_contain_text("сохранён")
    expect(desk.locator("#text")).to_have_value("Уже пишу")
    assert dict(Draft.objects.values_list("mode", "text")) == {"answer": "Уже пишу"}


def test_an_ended_session_signs_in_on_the_spot(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.fill("#text", "Не потеряется")
    expect(desk.locator("#draft-state")).to_contain_text("сохранён")
    # Only now: whatever finds the session ended takes the focus, and what is typed at that moment goes there.
    SignedIn.objects.all().delete()
    cache.clear()
    desk.locator("#text").press("!")  # the draft's save finds the session ended
    expect(desk.locator("#again-password")).to_be_focused()
    desk.keyboard.type("wrong password")
    desk.keyboard.press("Enter")
    expect(desk.locator("#dialog .field-error")).to_be_visible()
    desk.fill("#again-password", b.PASSWORD)
    desk.keyboard.press("Enter")
    expect(desk.locator("#dialog")).to_be_hidden()
    expect(desk.locator("#text")).to_have_value("Не потеряется!")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending) .text")).to_have_text("Не потеряется!")
    assert session.messages.filter(direction=Direction.OUT).count() == 1


def test_a_failed_send_says_why_and_goes_again(desk, live_product, world):  # noqa: F811
    session = world.give()
    message = answering.answer(session_id=session.pk, text="Ответ", by=world.operator, now=timezone.now())
    go(desk, live_product, f"session/{session.pk}/")
    Attempt.objects.update(state=SendState.SENDING)
    refusal = Failed(code="403", text="Forbidden", reason=Reason.CONTACT_BLOCKED)
    sending.finish(attempt_id=Attempt.objects.get().pk, result=refusal, now=timezone.now())
    expect(desk.locator(f"#m{message.pk} .send-state")).to_have_attribute("data-mark", "failed")
    desk.click(f"#m{message.pk} [data-do=resend]")
    expect(desk.locator(f"#m{message.pk} .send-state")).to_have_attribute("data-mark", "wait")
    assert message.attempts.count() == 2


def _mail(world):  # noqa: F811
    mail = b.an_account("email")
    now, kind = timezone.now(), InboundKind.MESSAGE
    item = Inbound(kind=kind, external_id="<1@x>", guest_external_id="a@example.com", sent_at=now, text="Где чек?")
    with transaction.atomic():
        message = inbound.apply(account=mail, item=item, now=now)
    return conversations.take(session_id=message.session_id, by=world.operator, now=timezone.now())


def test_a_mail_is_taken_back_into_the_composer(desk, live_product, world):  # noqa: F811
    session = _mail(world)
    go(desk, live_product, f"session/{session.pk}/")
    desk.fill("#text", "Поторопился")
    desk.locator("#text").press("Control+Enter")
    desk.locator(".undo").click()
    expect(desk.locator("#text")).to_have_value("Поторопился")
    expect(desk.locator(".entry.out .send-state")).to_have_attribute("data-mark", "cancelled")
    assert Message.objects.get(direction=Direction.OUT).send_state == SendState.CANCELLED


def test_a_mails_files_come_back_with_its_text(desk, live_product, world):  # noqa: F811
    session = _mail(world)
    go(desk, live_product, f"session/{session.pk}/")
    desk.fill("#text", "Чек во вложении")
    desk.set_input_files("#files", {"name": "чек.txt", "mimeType": "text/plain", "buffer": "сумма 100".encode()})
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".undo")).to_be_visible()
    desk.focus("#feed")
    desk.keyboard.press("z")
    expect(desk.locator("#text")).to_have_value("Чек во вложении")
    expect(desk.locator("#uploads li")).to_contain_text("чек.txt")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending) a.file")).to_have_count(2)
    sent = Message.objects.get(direction=Direction.OUT, send_state=SendState.QUEUED)
    assert files.open_stored(sent.attachments.get()).read() == "сумма 100".encode()


def test_a_closing_is_taken_back_by_z_and_by_the_button(desk, live_product, world):  # noqa: F811
    sessions = [world.give(text=f"Вопрос {number}", visitor=f"v{number}", name=f"Гость {number}") for number in range(2)]
    go(desk, live_product, f"session/{sessions[0].pk}/")
    for way in ("z", "button"):
        desk.focus("#feed")
        desk.keyboard.press("e")
        expect(desk.locator(".row.is-leaving")).to_have_count(1)
        assert HeldClosing.objects.get().subject_id == sessions[0].pk
        desk.keyboard.press("z") if way == "z" else desk.click(".toast button")
        expect(desk.locator(".toast")).to_have_text("Остаётся открытым.")
        expect(desk.locator(".row.is-leaving")).to_have_count(0)
        assert held_closings.close_due(now=timezone.now() + held_closings.HOLD) == 0
    sessions[0].refresh_from_db()
    assert sessions[0].state == SessionState.ACTIVE
    desk.focus("#feed")
    desk.keyboard.press("Shift+e")  # finish and take the next: Z still means the one that was left
    expect(desk.locator("#guest-name")).to_have_text("Гость 1")
    desk.keyboard.press("z")
    expect(desk.locator(".toast")).to_have_text("Остаётся открытым.")
    expect(desk.locator("#guest-name")).to_have_text("Гость 1")
    desk.locator(".toast").wait_for(state="detached")
    desk.keyboard.press("z")
    expect(desk.locator(".toast")).to_contain_text("Отменять нечего")


def test_a_closing_is_offered_to_be_taken_back_after_a_reload(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.focus("#feed")
    desk.keyboard.press("e")
    expect(desk.locator(".row.is-leaving")).to_have_count(1)
    HeldClosing.objects.update(due_at=timezone.now() + held_closings.HOLD * 3)  # a reload on a busy machine takes its time
    desk.reload()
    expect(desk.locator(".row.is-leaving")).to_have_count(1)
    desk.focus("#feed")
    desk.keyboard.press("z")
    expect(desk.locator(".toast")).to_have_text("Остаётся открытым.")
    expect(desk.locator(".row.is-leaving")).to_have_count(0)
    assert not HeldClosing.objects.exists()
    desk.focus("#feed")
    desk.keyboard.press("e")
    expect(desk.locator(".row.is-leaving")).to_have_count(1)
    HeldClosing.objects.update(due_at=timezone.now())
    desk.reload()
    expect(desk.locator(".row")).to_have_count(1)
    expect(desk.locator(".toast")).to_have_count(0)  # its time is over


def test_a_guest_who_writes_meanwhile_is_not_closed(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.focus("#feed")
    desk.keyboard.press("e")
    expect(desk.locator(".row.is-leaving")).to_have_count(1)
    world.write("Подождите!")
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    expect(desk.locator(".toast")).to_contain_text("гость написал")
    expect(desk.locator(".row.is-leaving")).to_have_count(0)
    session.refresh_from_db()
    assert session.state == SessionState.ACTIVE


def test_templates_files_and_the_counted_limit(desk, live_product, world):  # noqa: F811
    AnswerTemplate.objects.create(name="Приветствие", text="Здравствуйте, {guest}!")
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.locator("#text").press("/")
    desk.fill("#template-words", "привет")
    desk.keyboard.press("Enter")
    expect(desk.locator("#text")).to_have_value("Здравствуйте, Мария Котова!")
    desk.set_input_files("#files", {"name": "чек.txt", "mimeType": "text/plain", "buffer": "сумма 100".encode()})
    expect(desk.locator("#uploads li")).to_have_count(1)
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out:not(.is-pending) a.file")).to_contain_text("чек.txt")
    desk.fill("#text", "я" * 4001)
    expect(desk.locator("#counter.is-over")).to_have_text("4001 / 4000")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator(".entry.out")).to_have_count(1)


def test_two_operators_see_each_other(desk, live_product, browser, world):  # noqa: F811
    session = world.give()
    b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    go(desk, live_product, f"session/{session.pk}/")
    elsewhere = browser.new_context(locale="ru-RU")
    try:
        other = elsewhere.new_page()
        sign_in(other, live_product, "petrov")
        go(other, live_product, f"session/{session.pk}/")
        expect(desk.locator("#banner")).to_contain_text("Пётр Петров")
        expect(other.locator("#banner")).to_contain_text("Анна Иванова")
        other.locator("#text").press_sequentially("Я отвечу")
        expect(desk.locator("#banner")).not_to_have_text(other.locator("#banner").inner_text())
    finally:
        elsewhere.close()
    expect(desk.locator("#banner")).to_be_hidden(timeout=15_000)


def test_rows_do_not_move_under_the_pointer(desk, live_product, world):  # noqa: F811
    for number in range(4):
        world.give(text=f"Вопрос {number}", visitor=f"v{number}", name=f"Гость {number}")
    go(desk, live_product, "?sort=newest")
    names = desk.locator(".row-name")
    before = names.all_inner_texts()
    assert before == ["Гость 3", "Гость 2", "Гость 1", "Гость 0"]
    desk.hover(".row >> nth=1")
    world.write("Ещё", visitor="v0", name="Гость 0")
    expect(desk.locator("#reorder")).to_contain_text("(1)")
    assert names.all_inner_texts() == before
    desk.click("#reorder")
    expect(names).to_have_text(["Гость 0", "Гость 3", "Гость 2", "Гость 1"])


def test_rows_do_not_move_under_the_focus_and_the_open_one_stays_open(desk, live_product, world):  # noqa: F811
    sessions = [world.give(text=f"Вопрос {number}", visitor=f"v{number}", name=f"Гость {number}") for number in range(4)]
    go(desk, live_product, f"session/{sessions[3].pk}/?sort=newest")
    names, current = desk.locator(".row-name"), desk.locator(".row-link[aria-current=page] .row-name")
    desk.mouse.move(700, 450)
    desk.keyboard.press("j")  # the second row has the focus, the first one is open
    focused = "document.activeElement.querySelector('.row-name').textContent"
    assert desk.evaluate(focused) == "Гость 2"
    world.write("Ещё", visitor="v0", name="Гость 0")
    expect(desk.locator("#reorder")).to_contain_text("(1)")
    assert names.all_inner_texts() == ["Гость 3", "Гость 2", "Гость 1", "Гость 0"]
    press(desk, "j")
    assert desk.evaluate(focused) == "Гость 1", "walking goes by what is seen"
    desk.locator("#reorder").focus()
    desk.keyboard.press("Enter")
    expect(names).to_have_text(["Гость 0", "Гость 3", "Гость 2", "Гость 1"])
    expect(desk.locator("#reorder")).to_be_hidden()
    expect(current).to_have_text("Гость 3")  # the dialogue, not the first place
    desk.focus("#feed")
    world.write("И ещё", visitor="v1", name="Гость 1")
    expect(names).to_have_text(["Гость 1", "Гость 0", "Гость 3", "Гость 2"])  # nobody points at the list: at once
    expect(current).to_have_text("Гость 3")
    expect(desk.locator("#guest-name")).to_have_text("Гость 3")
    assert desk.evaluate("document.activeElement.id") == "feed"


JUMP = """async () => {
  const feed = document.querySelector("#feed");
  const first = feed.querySelector(".entry .text");
  const place = () => first.getBoundingClientRect().top - feed.getBoundingClientRect().top;
  feed.scrollTop = 0;
  const before = place();
  await new Promise((done) => new MutationObserver(done).observe(feed, {childList: true}));
  await new Promise(requestAnimationFrame);
  return Math.abs(place() - before);
}"""


def test_older_pages_come_without_a_jump(desk, live_product, world):  # noqa: F811
    session = world.give()
    for number in range(130):
        answering.answer(session_id=session.pk, text=f"ответ {number}", by=world.operator, now=timezone.now())
    go(desk, live_product, f"session/{session.pk}/")
    expect(desk.locator("#feed .entry")).to_have_count(50)
    # The opened feed first settles at its end.
    at_the_end = "(feed) => feed.scrollTop + feed.clientHeight >= feed.scrollHeight - 4"
    desk.wait_for_function(f"() => ({at_the_end})(document.querySelector('#feed'))")
    desk.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    jumped = desk.evaluate(JUMP)
    assert jumped <= 2
    shown = texts(desk)
    assert len(shown) == len(set(shown)) >= 100


def test_put_off_and_back(desk, live_product, world):  # noqa: F811
    session = world.give()
    go(desk, live_product, f"session/{session.pk}/")
    desk.focus("#feed")
    desk.keyboard.press("s")
    desk.click("#dialog [data-hours='1']")
    expect(desk.locator("[data-count=snoozed]")).to_have_text("1")
    expect(desk.locator("[data-count=mine]")).to_have_text("0")
    desk.click(".toast button")
    expect(desk.locator("[data-count=mine]")).to_have_text("1")
