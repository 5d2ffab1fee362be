"""A store without an account: asked by letter, answers on a page, asks for time; forged, used, foreign and old links open nothing."""

import io
import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from core.models import AuditEntry
from core.refusal import Refusal
from escalation import senders
from escalation.senders import Outcome
from escalation.states import Channel, DeliveryState
from omni.models import Message
from omni.services import conversations
from sla.models import Clock, Policy
from tests import builders as b
from tickets import tokens
from tickets.asking import LetterState, Revoked
from tickets.models import AskingSettings, Case, CaseLetter, CaseStep, Detail, LetterText, StoreLink
from tickets.services import cases, handing, mailing, opening, store_links
from tickets.states import CaseState, Cause, Step
from tickets.tests.asking_builders import a_mailed_store, a_store_case
from worklist.models import Item

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
FORM = {"words": "Списали партию, полку проверили", "signed": "Ирина, директор", "deed": "answer"}


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def case(operator, now):
    return a_store_case(operator, now=now)


@pytest.fixture
def post(monkeypatch):
    """Every letter that goes out; the answers of the mail account can be set."""

    class Post:
        def __init__(self):
            self.letters, self.outcome = [], Outcome(DeliveryState.SENT)

        def send(self, letter):
            self.letters.append(letter)
            return self.outcome

    found = Post()
    monkeypatch.setitem(senders._senders, str(Channel.EMAIL), found)
    return found


def sweep_and_send(now):
    store_links.sweep(now=now)
    mailing.send_due(now=now)


def token_of(link=None):
    link = link or StoreLink.objects.latest("pk")
    return tokens.token_of("store", link.public_id)


def page(token, name="store_link"):
    return reverse(name, kwargs={"token": token})


def a_photo():
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG")
    return SimpleUploadedFile("../полка.jpg", file.getvalue(), "image/jpeg")


def test_a_ticket_that_goes_to_its_store_sends_one_letter_with_a_link_that_opens(case, post, now):
    for _ in range(3):
        sweep_and_send(now)
    letter = post.letters[0]
    assert len(post.letters) == 1
    assert letter.address == "m4217@lukoshko.example"
    link = StoreLink.objects.get()
    assert f"/s/{token_of(link)}/" in letter.text
    assert token_of(link) not in str(list(StoreLink.objects.values())) + str(list(CaseLetter.objects.values())), "only its digest is kept"
    answer = Client().get(page(token_of(link)))
    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Cache-Control"].count("no-store")) == (200, 1)
    assert "Кефир просрочен" in text
    assert "123-45-67" not in text
    assert CaseStep.objects.filter(case=case, step=Step.STORE_ASKED).count() == 1
    assert StoreLink.objects.get().opened_at is not None


def test_the_answer_with_a_photo_comes_into_the_feed_and_back_to_the_owner(case, operator, post, now):
    cases.take(case_id=case.pk, by=operator, now=now)
    cases.wait_for(case_id=case.pk, state=CaseState.WAITING_STORE, by=operator, now=now) if case.state != CaseState.WAITING_STORE else None
    sweep_and_send(now)
    client = Client(enforce_csrf_checks=True)
    client.get(page(token_of()))
    form = {**FORM, "files": [a_photo()], "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    answer = client.post(page(token_of(), "store_link_answer"), form)
    assert answer.headers["Location"] == page(token_of())
    note = Message.objects.filter(direction="note").latest("pk")
    assert "Ирина, директор" in note.text
    assert "Списали партию" in note.text
    assert (note.attachments.get().name, note.attachments.get().mime) == ("полка.jpg", "image/jpeg")
    case.refresh_from_db()
    assert (case.at_store, case.state, case.owner) == (False, CaseState.IN_WORK, operator)
    item = Item.objects.get(kind="case")
    assert (item.unread > 0, "Ирина" in item.preview) == (True, True)
    step = CaseStep.objects.get(case=case, step=Step.STORE_ANSWERED)
    assert (step.by, step.details["word"]) == (None, "answered")
    assert AuditEntry.objects.filter(action="case.store_answered", subject=f"case:{case.pk}").exists()


def test_a_used_link_shows_what_was_answered_and_takes_no_second_answer(case, post, now):
    sweep_and_send(now)
    client = Client()
    client.post(page(token_of(), "store_link_answer"), FORM)
    again = client.post(page(token_of(), "store_link_answer"), {**FORM, "words": "Другое"}, follow=True)
    text = again.content.decode()
    assert "Списали партию" in text
    assert "Другое" not in text
    assert "<textarea" not in text
    assert Message.objects.filter(direction="note").count() == 1
    assert AuditEntry.objects.get(action="store_link.refused").details == {"code": "link_used"}


def handovers_of(case):
    clocks = Clock.objects.filter(subject=case.clock_subject, metric="handover").order_by("cycle")
    return [(clock.started_at, clock.met) for clock in clocks]


def test_the_answer_by_link_ends_the_stores_internal_clock_and_begins_the_groups(operator, post, now):
    b.a_policy()
    Policy.objects.update(handover_minutes=60)
    case = a_store_case(operator, now=now)
    sweep_and_send(now)
    token = tokens.token_of("store", StoreLink.objects.get(case=case).public_id)
    store_links.answer(token=token, words="Списали", signed="Ирина", now=now + HOUR / 2)
    assert handovers_of(case) == [(now, True), (now + HOUR / 2, None)]


def test_the_group_that_takes_a_ticket_back_from_the_store_gets_its_own_internal_clock(operator, now):
    b.a_policy()
    Policy.objects.update(handover_minutes=60)
    case = a_store_case(operator, now=now)
    handing.give_back(case_id=case.pk, reason="Ответим сами", by=operator, now=now + HOUR / 2)
    assert handovers_of(case) == [(now, True), (now + HOUR / 2, None)]
    handing.give_back(case_id=case.pk, reason="Ещё раз", by=operator, now=now + HOUR)
    assert len(handovers_of(case)) == 2


def test_it_is_not_our_store(case, post, now):
    sweep_and_send(now)
    Client().post(page(token_of(), "store_link_answer"), {**FORM, "deed": "not_ours", "words": "Это магазин на Садовой"})
    case.refresh_from_db()
    assert (case.at_store, case.state) == (False, CaseState.ROUTED)
    assert StoreLink.objects.get().word == "not_ours"


def test_time_is_given_within_the_limits_and_the_clock_goes_on(case, post, now):
    AskingSettings.objects.create(pk=1, most_time_hours=24, most_time_asks=1)
    sweep_and_send(now)
    before = list(Clock.objects.order_by("pk").values("due_at", "paused_at", "ended_at"))
    client, form = Client(), {"words": "Ждём поставщика", "signed": "Ирина", "hours": "48"}
    refused = client.post(page(token_of(), "store_link_time"), form)
    assert (refused.status_code, StoreLink.objects.get().promised_at) == (400, None)
    assert "Ждём поставщика" in refused.content.decode(), "what was typed stays"
    client.post(page(token_of(), "store_link_time"), {**form, "hours": "24"})
    link = StoreLink.objects.get()
    assert abs(link.promised_at - timezone.now() - 24 * HOUR) < timedelta(minutes=1)
    assert link.expires_at > link.promised_at
    assert list(Clock.objects.order_by("pk").values("due_at", "paused_at", "ended_at")) == before
    assert client.post(page(token_of(), "store_link_time"), {**form, "hours": "1"}).status_code == 409
    case.refresh_from_db()
    assert case.at_store
    assert CaseStep.objects.filter(case=case, step=Step.TIME_ASKED).count() == 1


@pytest.mark.parametrize("hours", ["0", "-1", "25", "99999", "x", "", "²"])
def test_no_other_number_of_hours_is_taken(case, post, now, hours):
    AskingSettings.objects.create(pk=1, most_time_hours=24)
    sweep_and_send(now)
    answer = Client().post(page(token_of(), "store_link_time"), {"words": "Ждём", "signed": "Ирина", "hours": hours})
    assert (answer.status_code, StoreLink.objects.get().promised_at) == (400, None)


def leave_by_closing(case, operator, now):
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=operator, now=now)


def leave_by_route(case, operator, now):
    cases.route(case_id=case.pk, group=b.a_group("other", "Другая"), by=operator, reason="Не туда", now=now)


def leave_by_answer_at_the_desk(case, operator, now):
    cases.store_answer(case_id=case.pk, text="Сказали по телефону", by=operator, now=now)


def go_to_another_store(case, operator, now):
    Case.objects.filter(pk=case.pk).update(store=a_mailed_store("5001", "m5001@lukoshko.example"))


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (leave_by_closing, "link_revoked"),
        (leave_by_route, "link_revoked"),
        (leave_by_answer_at_the_desk, "link_revoked"),
        (go_to_another_store, "link_foreign"),
    ],
)
def test_a_link_dies_the_moment_its_ticket_leaves_the_store(case, operator, post, now, leave, code):
    sweep_and_send(now)
    token = token_of()
    leave(case, operator, now)
    for swept in (False, True):
        if swept:
            store_links.sweep(now=now)
            assert StoreLink.objects.get(public_id=tokens.read("store", token)).revoked_because == Revoked.LEFT
        answer = Client().post(page(token, "store_link_answer"), FORM)
        assert answer.status_code == 410
        assert AuditEntry.objects.filter(action="store_link.refused").latest("pk").details["code"] in {code, "link_revoked"}
    assert not Message.objects.filter(direction="note", text__contains="Списали").exists()


def test_an_expired_link_opens_nothing_and_its_ticket_is_asked_anew_in_time(case, post, now):
    sweep_and_send(now)
    StoreLink.objects.update(expires_at=now - HOUR, next_at=now)
    assert Client().get(page(token_of())).status_code == 410
    sweep_and_send(now)
    assert [letter.address for letter in post.letters] == ["m4217@lukoshko.example"] * 2
    assert Client().get(page(token_of())).status_code == 200


def test_a_forged_link_is_refused_kindly_and_written_down(case, post, now):
    sweep_and_send(now)
    token = token_of()
    stranger = StoreLink(public_id="00000000-0000-0000-0000-000000000001")
    foreign = tokens.token_of("store", __import__("uuid").UUID(int=9))
    for wrong in (token[:-2], "x", foreign, tokens.token_of("mark", StoreLink.objects.get().public_id), f"{token}%00"):
        answer = Client().get(f"/s/{wrong}/")
        assert answer.status_code == 404
        assert "<h1>" in answer.content.decode()
    assert stranger.pk is None


def test_too_many_looks_from_one_address_have_to_wait(case, post, now):
    AskingSettings.objects.create(pk=1, looks_a_minute=3)
    sweep_and_send(now)
    client = Client(REMOTE_ADDR="192.0.2.77")
    assert 429 in {client.get(page("x")).status_code for _ in range(7)}, "two minutes may meet in the middle"


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("a.jpg", b"<html><script>alert(1)</script>", 415), ("a.pdf", b"MZ\x90\x00\x03" + b"\x00" * 60, 415), ("a.jpg", b"", 400)],
)
def test_what_is_no_photo_is_not_taken(case, post, now, name, content, status):
    sweep_and_send(now)
    file = SimpleUploadedFile(name, content, "image/jpeg")
    answer = Client().post(page(token_of(), "store_link_answer"), {**FORM, "files": [file]})
    assert answer.status_code == status
    assert "Списали партию" in answer.content.decode()
    case.refresh_from_db()
    assert case.at_store


def test_too_many_and_too_large_files_are_refused(case, post, now):
    AskingSettings.objects.create(pk=1, most_photos=1, most_megabytes=1)
    sweep_and_send(now)
    send = lambda files: Client().post(page(token_of(), "store_link_answer"), {**FORM, "files": files}).status_code  # noqa: E731
    assert send([a_photo(), a_photo()]) == 400
    assert send([SimpleUploadedFile("a.jpg", a_photo().read() + b"\x00" * 1024 * 1024, "image/jpeg")]) == 413


@pytest.mark.parametrize("missing", ["words", "signed"])
def test_an_answer_has_words_and_a_name(case, post, now, missing):
    sweep_and_send(now)
    assert Client().post(page(token_of(), "store_link_answer"), {**FORM, missing: "  "}).status_code == 400
    assert not Message.objects.filter(direction="note").exists()


def test_the_store_is_reminded_once_before_the_clock_ends_and_again_before_its_own_promise(case, post, now):
    AskingSettings.objects.create(pk=1, remind_minutes=120)
    sweep_and_send(now)
    end = store_links.due_at(case)
    sweep_and_send(end - 3 * HOUR)
    assert len(post.letters) == 1
    for _ in range(3):
        sweep_and_send(end - 2 * HOUR)
    assert [letter.key for letter in post.letters][1:] == [f"case-store:{StoreLink.objects.get().pk}:{int(end.timestamp())}"]
    store_links.ask_time(token=token_of(), hours=24, words="Ждём", signed="Ирина", now=end - HOUR)
    sweep_and_send(end + 22 * HOUR)
    assert len(post.letters) == 3
    assert CaseStep.objects.filter(case=case, step=Step.REMINDED).count() == 2


def test_the_desk_sends_it_anew_with_a_question_and_the_old_link_stops(case, operator, post, now):
    sweep_and_send(now)
    old = token_of()
    store_links.send(case_id=case.pk, by=operator, question="Какая партия?", now=now)
    sweep_and_send(now)
    assert Client().get(page(old)).status_code == 410
    assert "Какая партия?" in Client().get(page(token_of())).content.decode()
    assert len(post.letters) == 2
    with pytest.raises(Refusal):
        store_links.send(case_id=a_case_of_nobody(operator, now).pk, by=operator, now=now)


def a_case_of_nobody(operator, now):
    b.receive(b.an_account("webchat"), b.webchat_event(visitor="other"), now=now)
    session = Message.objects.latest("pk").session
    conversations.take(session_id=session.pk, by=operator, now=now)
    return opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=operator, now=now)


def test_a_store_without_a_mailbox_gets_a_link_and_no_letter(operator, post, now):
    case = a_store_case(operator, now=now, store=b.a_store("7000"))
    sweep_and_send(now)
    sweep_and_send(now)
    assert (StoreLink.objects.filter(case=case).count(), post.letters) == (1, [])
    assert CaseStep.objects.get(case=case, step=Step.STORE_ASKED).details["by_letter"] is False


@pytest.mark.parametrize(
    ("outcome", "state", "tries"),
    [
        (None, LetterState.QUEUED, 0),
        (Outcome(None, error="451"), LetterState.QUEUED, 1),
        (Outcome(DeliveryState.FAILED, error="550"), LetterState.FAILED, 1),
        (Outcome(DeliveryState.SENT), LetterState.SENT, 1),
    ],
)
def test_what_becomes_of_a_letter_is_written_down(case, post, now, outcome, state, tries):
    post.outcome = outcome
    sweep_and_send(now)
    letter = CaseLetter.objects.get()
    assert (letter.state, letter.tries) == (state, tries)


def test_a_letter_whose_sender_died_goes_out_and_one_that_is_settled_does_not(case, operator, post, now):
    store_links.sweep(now=now)
    CaseLetter.objects.update(state=LetterState.SENDING, claimed_until=now - HOUR)
    mailing.send_due(now=now)
    assert len(post.letters) == 1
    store_links.send(case_id=case.pk, by=operator, now=now)
    leave_by_closing(case, operator, now)
    mailing.send_due(now=now)
    assert CaseLetter.objects.latest("pk").state == LetterState.CANCELLED
    assert len(post.letters) == 1


def test_the_words_of_a_letter_are_a_row(case, post, now):
    LetterText.objects.create(kind="store_asked", heading="№ {number}: {topic}", text="{store}\n{matter}\n{link}\n{nothing}")
    sweep_and_send(now)
    letter = post.letters[0]
    assert letter.heading == f"№ {case.number}: {case.topic.name}"
    assert "{nothing}" in letter.text
    assert "916" not in letter.text


def test_the_store_gets_the_details_but_no_contacts(case, post, now):
    for place, (code, name) in enumerate([("product", "Товар"), ("note", "Что ещё")]):
        Detail.objects.create(code=code, name=name, position=place)
    LetterText.objects.create(kind="store_asked", heading="№ {number}", text="{matter}")
    Case.objects.filter(pk=case.pk).update(details={"product": "Кефир 1%", "note": "звонить +7 916 123-45-67"})
    sweep_and_send(now)
    text = Client().get(page(token_of())).content.decode()
    assert "<dt>Товар</dt><dd>Кефир 1%</dd>" in text
    assert "Кефир просрочен, мой номер •••\nТовар: Кефир 1%\nЧто ещё: звонить •••" in post.letters[0].text
    assert "123-45-67" not in text


def test_a_place_without_words_leaves_no_hole_in_the_letter(case, post, now):
    LetterText.objects.create(kind="store_asked", heading="№ {number}", text="{matter}\n\n{question}\n\nОтветьте: {link}")
    sweep_and_send(now)
    assert "\n\nОтветьте" in post.letters[0].text
    assert "\n\n\n" not in post.letters[0].text


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_is_taken(operator, post, now):
    a_store_case(operator, now=now)
    sweep_and_send(now)
    token, begin, found = token_of(), threading.Barrier(6), []

    def press(number):
        begin.wait()
        try:
            store_links.answer(token=token, words=f"Ответ {number}", signed="Ирина", now=timezone.now())
            found.append("taken")
        except Refusal as refusal:
            found.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(found) == ["link_used"] * 5 + ["taken"]
    assert Message.objects.filter(direction="note").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_write_one_letter(operator, now):
    a_store_case(operator, now=now)
    begin = threading.Barrier(4)

    def run():
        begin.wait()
        store_links.sweep(now=now)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (StoreLink.objects.count(), CaseLetter.objects.count()) == (1, 1)
