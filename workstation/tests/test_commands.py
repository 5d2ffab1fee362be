"""Commands of the desk over HTTP: once per key, by right, with the sentence of a refusal."""

import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.rights import Right
from core.models import AuditEntry
from customers.models import Guest
from omni.models import Attachment, Message, Presence, Session
from omni.states import Direction, PresenceState, SendState, SessionState
from tests import builders as b
from tickets.models import AnswerTemplate, Case
from tickets.services import opening
from tickets.states import CaseState
from worklist.models import Item
from worklist.states import ItemState
from workstation.models import Draft
from workstation.services import held_closings, snoozing
from workstation.tests.conftest import Desk, item_of, newest

pytestmark = pytest.mark.django_db


def test_answering_what_nobody_has_takes_it(desk, write, operator):
    session = write()
    answered = desk.command(f"session/{session.pk}/answer/", text="Добрый день!")
    assert answered.status_code == 200, answered.content
    session.refresh_from_db()
    assert (session.state, session.owner) == (SessionState.ACTIVE, operator)
    assert newest().text == "Добрый день!"
    assert answered.json()["message_id"] == newest().pk


def test_the_same_key_twice_is_one_message(desk, taken):
    key = uuid.uuid4()
    first, second = (desk.command(f"session/{taken.pk}/answer/", key=key, text="Раз").json() for _ in range(2))
    assert first == second
    assert Message.objects.filter(direction=Direction.OUT).count() == 1


def test_a_command_without_a_key_is_refused(desk, taken):
    answer = desk.client.post(f"/desk/session/{taken.pk}/answer/", {"text": "Раз"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_key")


def test_the_send_guard_asks_once(desk, taken, write):
    seen = newest().pk
    write("Ещё одно")
    refused = desk.command(f"session/{taken.pk}/answer/", text="Ответ", seen=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "newer_messages")
    assert not Message.objects.filter(direction=Direction.OUT).exists()
    assert desk.command(f"session/{taken.pk}/answer/", text="Ответ", seen=seen, over_newer=1).status_code == 200


def test_an_answer_with_a_file_and_the_file_served_safely(desk, taken):
    picture = SimpleUploadedFile("чек.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "text/html")
    page = SimpleUploadedFile("evil.html", b"<html><script>alert(1)</script></html>", "image/png")
    answered = desk.command(f"session/{taken.pk}/answer/", text="", files=[picture, page])
    assert answered.status_code == 200, answered.content
    image, html = Attachment.objects.order_by("pk")
    shown = desk.client.get(f"/desk/files/{image.public_id}/")
    assert shown.headers["Content-Type"] == "image/png"
    assert "inline" in shown.headers["Content-Disposition"]
    hidden = desk.client.get(f"/desk/files/{html.public_id}/")
    assert hidden.headers["Content-Type"] == "application/octet-stream"
    assert hidden.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in hidden.headers["Content-Security-Policy"]
    assert hidden.headers["X-Content-Type-Options"] == "nosniff"
    stranger = Desk(b.a_person("sidorov", "Сидор Сидоров", groups=[b.a_group("quality")]))
    assert stranger.client.get(f"/desk/files/{image.public_id}/").status_code == 404


def test_taking_what_a_colleague_has_is_refused(desk, taken, operator):
    colleague = Desk(b.a_person("petrov", "Пётр Петров", groups=[b.a_group()]))
    refused = colleague.command(f"session/{taken.pk}/take/")
    assert (refused.status_code, refused.json()["code"]) == (409, "taken")


def test_handing_over_with_a_note(desk, taken, operator):
    colleague = b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    found = desk.read("colleagues/", q="пётр").json()["found"]
    assert [one["id"] for one in found] == [colleague.pk]
    assert desk.command(f"session/{taken.pk}/hand/", to=colleague.pk, note="Разберись с баллами").status_code == 200
    taken.refresh_from_db()
    assert taken.owner == colleague
    assert (newest().direction, newest().text) == (Direction.NOTE, "Разберись с баллами")
    assert desk.command(f"session/{taken.pk}/hand/", to="").json()["code"] == "choose"


def test_back_to_the_queue(desk, taken):
    assert desk.command(f"session/{taken.pk}/return/").status_code == 200
    taken.refresh_from_db()
    assert (taken.state, taken.owner) == (SessionState.WAITING, None)


def test_a_put_off_dialogue_comes_back_by_its_time(desk, taken, now):
    until = now + timedelta(hours=1)
    assert desk.command(f"session/{taken.pk}/snooze/", until=until.isoformat()).status_code == 200
    assert item_of(taken).state == ItemState.SNOOZED
    assert snoozing.wake_due(now=now) == 0
    assert snoozing.wake_due(now=until) == 1
    assert item_of(taken).state == ItemState.ACTIVE
    assert snoozing.wake_due(now=until) == 0


def test_a_put_off_dialogue_comes_back_by_the_guests_word(desk, taken, write, now):
    desk.command(f"session/{taken.pk}/snooze/", until=(now + timedelta(days=1)).isoformat())
    write("Вы тут?")
    assert item_of(taken).state == ItemState.ACTIVE


def test_only_the_own_can_be_put_off_and_not_into_the_past(desk, taken, write, now):
    other = write("Другой", visitor="visitor-2")
    later = (now + timedelta(hours=1)).isoformat()
    assert desk.command(f"session/{other.pk}/snooze/", until=later).json()["code"] == "not_yours"
    for wrong in ("", "yesterday", (now - timedelta(hours=1)).isoformat(), (now + timedelta(days=400)).isoformat()):
        assert desk.command(f"session/{taken.pk}/snooze/", until=wrong).json()["code"] == "bad_time", wrong


def test_finishing_frees_the_operator(desk, write, operator):
    b.go_on_line(operator, now=timezone.now())
    session = write()
    desk.command(f"session/{session.pk}/take/")
    assert Presence.objects.get(staff=operator).load == 1
    assert desk.command(f"session/{session.pk}/finish/").status_code == 200
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    assert Presence.objects.get(staff=operator).load == 0
    assert Session.objects.get(pk=session.pk).state == SessionState.CLOSED


def test_going_on_line_brings_what_waits(desk, write, operator):
    session = write()
    answer = desk.command("presence/", state="ready").json()
    assert answer["presence"]["state"] == PresenceState.READY
    assert answer["presence"]["load"] == 1
    assert Session.objects.get(pk=session.pk).owner == operator
    assert desk.command("presence/", state="dancing").status_code == 400


def test_a_ticket_from_a_dialogue_through_its_life(desk, taken, operator, now):
    topic, store = b.a_topic(group=b.a_group()), b.a_store()
    names = [topic["name"] for topic in desk.read("topics/").json()["found"]]
    assert names == ["Просрочка на полке"]
    assert [found["id"] for found in desk.read("stores/", q="лесной").json()["found"]] == [store.pk]
    made = desk.command(f"session/{taken.pk}/ticket/", topic=topic.pk, store=store.pk, summary="Кефир").json()
    case = Case.objects.get(pk=made["case_id"])
    assert (case.summary, case.store) == ("Кефир", store)
    assert desk.command(f"case/{case.pk}/take/").status_code == 200
    assert desk.command(f"case/{case.pk}/wait/", state="waiting_guest").status_code == 200
    assert desk.command(f"case/{case.pk}/route/", group=b.a_group("quality", "Качество").pk, reason="").status_code == 400
    routed = desk.command(f"case/{case.pk}/close/", cause="solved")
    assert routed.status_code == 200, routed.content
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    assert desk.command(f"case/{case.pk}/reopen/", reason="Снова").status_code == 200


def test_a_ticket_is_handed_and_returned(desk, taken, operator, now):
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)
    colleague = b.a_person("petrov", "Пётр Петров", groups=[b.a_group()])
    assert desk.command(f"case/{case.pk}/hand/", to=colleague.pk).status_code == 200
    case.refresh_from_db()
    assert (case.owner, case.state) == (colleague, CaseState.IN_WORK)
    assert desk.command(f"case/{case.pk}/return/").status_code == 200
    case.refresh_from_db()
    assert (case.owner, case.state) == (None, CaseState.ROUTED)


def test_contacts_are_masked_and_each_look_is_recorded(desk, taken, operator):
    Guest.objects.filter(pk=taken.guest_id).update(phone="+79031234567", email="maria@example.com")
    panel = desk.read(f"session/{taken.pk}/open/").json()["panel"]
    assert "+7 ••• •••-••-67" in panel
    assert "1234567" not in panel
    assert "maria@" not in panel
    assert desk.command(f"guests/{taken.guest_id}/reveal/").status_code == 403
    operator.roles.add(b.a_role("personal", rights=[Right.PERSONAL]))
    assert desk.command(f"guests/{taken.guest_id}/reveal/").json() == {"phone": "+79031234567", "email": "maria@example.com"}
    assert AuditEntry.objects.filter(action="guest.contacts_seen", by=operator).count() == 1


def test_a_draft_never_goes_backwards(desk, taken, operator):
    address = f"session/{taken.pk}/draft/"
    assert desk.command(address, mode="answer", text="Добр", revision=100).json() == {"saved": True}
    assert desk.command(address, mode="answer", text="До", revision=99).json() == {"saved": False}
    assert desk.command(address, mode="note", text="заметка", revision=50).json() == {"saved": True}
    assert "Добр" in desk.read(f"session/{taken.pk}/open/").json()["dialogue"]
    assert desk.read("list/").json()["drafts"] == {f"session:{taken.pk}": "Добр"}
    desk.command(f"session/{taken.pk}/answer/", text="Добрый день", revision=101)
    assert desk.command(address, mode="answer", text="Добрый де", revision=100).json() == {"saved": False}
    assert dict(Draft.objects.exclude(text="").values_list("mode", "text")) == {"note": "заметка"}


def test_reading_counts_for_the_owner_only(desk, taken, write):
    write("Второе")
    colleague = Desk(b.a_person("petrov", "Пётр Петров", groups=[b.a_group()]))
    colleague.command(f"session/{taken.pk}/read/", up_to=newest().pk)
    assert item_of(taken).unread == 2
    desk.command(f"session/{taken.pk}/read/", up_to=newest().pk)
    assert item_of(taken).unread == 0


def test_a_mail_can_be_taken_back_while_it_is_held(desk, operator, now):
    account = b.an_account("email")
    session = _mail_session(account, operator, now)
    message = desk.command(f"session/{session.pk}/answer/", text="Поторопился").json()["message_id"]
    answer = desk.command(f"messages/{message}/take-back/")
    assert answer.json()["text"] == "Поторопился"
    assert Message.objects.get(pk=message).send_state == SendState.CANCELLED
    session.refresh_from_db()
    assert session.waiting_since is not None, "the guest waits again"
    assert desk.command(f"messages/{message}/take-back/").json()["code"] == "too_late"


def _mail_session(account, operator, now):
    from omni.channels.contract import Inbound, InboundKind
    from omni.services import conversations, inbound

    item = Inbound(
        kind=InboundKind.MESSAGE, external_id="<1@example.com>", guest_external_id="anna@example.com", sent_at=now, text="Где чек?"
    )
    message = inbound.apply(account=account, item=item, now=now)
    return conversations.take(session_id=message.session_id, by=operator, now=now)


def test_ready_answers_name_the_guest(desk, taken):
    AnswerTemplate.objects.create(name="Приветствие", text="Здравствуйте, {guest}!")
    found = desk.read(f"session/{taken.pk}/templates/").json()["found"]
    assert [one["text"] for one in found] == ["Здравствуйте, Мария Котова!"]


def test_the_search_forgives_the_keyboard(desk, taken, operator, now):
    Guest.objects.filter(pk=taken.guest_id).update(search_text="мария котова +79031234567")
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)

    def found(words):
        return {one["id"] for one in desk.read("search/", q=words).json()["found"] if one["kind"] == "session"}

    for words in ("Котова", "котова мария", "rjnjdf", "8 903 123-45-67", "+7 (903) 1234567"):
        assert found(words) == {taken.pk}, words
    assert [one["number"] for one in desk.read("search/", q=f"№ {case.number}").json()["found"]] == [case.number]
    assert found("никого такого нет") == set()


def test_look_is_the_persons_own(desk, operator):
    desk.command("look/", theme="dark", single_keys="0")
    operator.refresh_from_db()
    assert (operator.theme, operator.single_keys) == ("dark", False)


def test_rows_say_the_same_in_the_page_and_in_the_event(desk, taken):
    from worklist.services.items import row

    assert desk.read("list/").json()["rows"][0]["version"] == row(Item.objects.get())["version"]
