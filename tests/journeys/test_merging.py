"""Two guests become one and are parted again, on the real database, with everything else going on at the same time."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from customers.models import Guest, GuestMerge, Identity, MergePolicy, TwoPeople
from customers.selectors import survivor
from customers.services import merging
from omni.channels.contract import Failed, Reason
from omni.models import Attempt, InboundEvent, Message, Session
from omni.services import answering, conversations, journal, sending
from omni.states import EventState, SendState, SessionState
from tests import builders as b
from tickets.models import Case
from tickets.services import cases, opening
from worklist.models import Item

NOW = timezone.now()


def writes(account, chat, text="Добрый день!", number=None, name="Анна", now=NOW):
    event = b.receive(account, b.telegram_update(number or random.randint(1, 10**9), chat_id=chat, text=text, name=name), now=now)
    assert event.state == EventState.PROCESSED, event.reason
    return Message.objects.get(pk=event.message_ids[0])


def in_chat(account, visitor, text="Здравствуйте!", name=""):
    event = b.receive(account, b.webchat_event(visitor, text, name=name), now=NOW)
    return Message.objects.get(pk=event.message_ids[0])


def holds_together():
    """Everything of a guest hangs on an identity, so both must name the same guest; nobody keeps what is gone."""
    assert not Identity.objects.exclude(guest__merged_into=None).exists()
    for session in Session.objects.select_related("identity"):
        assert session.guest_id == session.identity.guest_id
    assert not Message.objects.exclude(guest=F("session__guest")).exists()
    assert not Case.objects.exclude(guest=F("session__guest")).exists()
    sessions = dict(Session.objects.values_list("pk", "guest_id"))
    assert all(item.guest_id == sessions[item.session_id] for item in Item.objects.all())


@pytest.fixture
def two(db):
    """A guest who writes in Telegram and has a ticket, and one of the web chat."""
    telegram, chat = b.an_account(), b.an_account("webchat")
    operator = b.a_person(groups=[b.a_group()])
    old, new = writes(telegram, 1, name="Анна Котова"), in_chat(chat, "visitor:1")
    case = opening.open_ticket(session_id=new.session_id, topic=b.a_topic(), by=operator, now=NOW)
    return type("Two", (), {"kept": old.guest, "gone": new.guest, "case": case, "operator": operator, "telegram": telegram, "chat": chat})


def test_a_merge_moves_everything_and_says_so_beforehand(two):
    Guest.objects.filter(pk=two.gone.pk).update(phone="+79161234567", note="Просит звонить вечером")
    told = merging.preview(kept_id=two.kept.pk, gone_id=two.gone.pk)
    assert told.counts == {"identities": 1, "sessions": 1, "messages": 1, "rows": 1, "cases": 1, "case_rows": 1}
    assert dict(told.fills) == {"phone": "+79161234567", "note": "Просит звонить вечером"}
    made = merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    assert made.moved == told.counts
    holds_together()
    kept = Guest.objects.get(pk=two.kept.pk)
    assert (kept.name, kept.phone, kept.note) == ("Анна Котова", "+79161234567", "Просит звонить вечером")
    assert "visitor:1" in kept.search_text
    assert {message.guest_id for message in Message.objects.all()} == {kept.pk}
    assert Case.objects.get().guest_id == kept.pk
    assert survivor(two.gone.pk) == kept.pk
    assert AuditEntry.objects.get(action="guest.merged").subject == f"guest:{kept.pk}"


def test_the_kept_guests_values_win(two):
    Guest.objects.filter(pk=two.kept.pk).update(phone="+79030000000")
    Guest.objects.filter(pk=two.gone.pk).update(phone="+79161234567", name="Другое Имя")
    told = merging.preview(kept_id=two.kept.pk, gone_id=two.gone.pk)
    assert told.keeps == {"name": ("Анна Котова", "Другое Имя"), "phone": ("+79030000000", "+79161234567")}
    merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    kept = Guest.objects.get(pk=two.kept.pk)
    assert (kept.name, kept.phone) == ("Анна Котова", "+79030000000")


def test_undo_takes_back_what_moved_and_leaves_what_came_after_with_its_identity(two):
    before = state_of_all()
    Guest.objects.filter(pk=two.gone.pk).update(phone="+79161234567")
    made = merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    through_kept = writes(two.telegram, 1, "Уже после объединения, Telegram")
    through_moved = in_chat(two.chat, "visitor:1", "Уже после объединения, чат")
    assert {through_kept.guest_id, through_moved.guest_id} == {two.kept.pk}
    undone = merging.undo(merge_id=made.pk, by=two.operator, now=NOW + timedelta(days=29))
    assert undone.undone_by == two.operator
    holds_together()
    assert Message.objects.get(pk=through_kept.pk).guest_id == two.kept.pk
    assert Message.objects.get(pk=through_moved.pk).guest_id == two.gone.pk
    after = state_of_all()
    assert {key: after[key] for key in before} == before
    kept = Guest.objects.get(pk=two.kept.pk)
    assert (kept.phone, Guest.objects.get(pk=two.gone.pk).merged_into) == ("", None)
    assert "visitor:1" not in kept.search_text
    assert TwoPeople.objects.count() == 1


def state_of_all():
    """Whose each row is."""
    found = {}
    for model in (Identity, Session, Message, Case, Item):
        found |= {(model.__name__, row.pk): row.guest_id for row in model.objects.all()}
    return found


def test_a_field_changed_since_stays_at_the_undo(two):
    Guest.objects.filter(pk=two.gone.pk).update(phone="+79161234567")
    made = merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    Guest.objects.filter(pk=two.kept.pk).update(phone="+79035550000")
    merging.undo(merge_id=made.pk, by=two.operator, now=NOW)
    assert Guest.objects.get(pk=two.kept.pk).phone == "+79035550000"


def test_refusals(two):
    with pytest.raises(Refusal) as itself:
        merging.merge(kept_id=two.kept.pk, gone_id=two.kept.pk, by=two.operator, now=NOW)
    assert itself.value.code == "same_guest"
    with pytest.raises(Refusal) as missing:
        merging.merge(kept_id=two.kept.pk, gone_id=987654, by=two.operator, now=NOW)
    assert missing.value.status == 404
    made = merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    with pytest.raises(Refusal) as twice:
        merging.merge(kept_id=two.gone.pk, gone_id=two.kept.pk, by=two.operator, now=NOW)
    assert twice.value.code == "merged_already"
    with pytest.raises(Refusal) as late:
        merging.undo(merge_id=made.pk, by=two.operator, now=NOW + timedelta(days=30, seconds=1))
    assert late.value.code == "too_late"
    MergePolicy.objects.create(undo_days=60)
    merging.undo(merge_id=made.pk, by=two.operator, now=NOW + timedelta(days=31))
    with pytest.raises(Refusal) as again:
        merging.undo(merge_id=made.pk, by=two.operator, now=NOW)
    assert again.value.code == "undone"


def test_chains_are_undone_from_their_end_and_never_close(two):
    third = writes(two.telegram, 3, name="Третий").guest
    first = merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    second = merging.merge(kept_id=third.pk, gone_id=two.kept.pk, by=two.operator, now=NOW)
    assert survivor(two.gone.pk) == third.pk
    with pytest.raises(Refusal) as circle:
        merging.merge(kept_id=two.gone.pk, gone_id=third.pk, by=two.operator, now=NOW)
    assert circle.value.code == "merged_already"
    with pytest.raises(Refusal) as early:
        merging.undo(merge_id=first.pk, by=two.operator, now=NOW)
    assert early.value.code == "merged_later"
    merging.undo(merge_id=second.pk, by=two.operator, now=NOW)
    merging.undo(merge_id=first.pk, by=two.operator, now=NOW)
    holds_together()
    assert Identity.objects.values("guest").distinct().count() == 3


# With threads: each step in a connection and transaction of its own.


def in_threads(deeds, workers=8):
    """Runs all at once; the results, refusals among them. Any other fault is raised."""
    gate = threading.Barrier(min(workers, len(deeds)))

    def run(number, deed):
        try:
            if number < gate.parties:
                gate.wait(10)
            return deed()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return [future.result(60) for future in [pool.submit(run, number, deed) for number, deed in enumerate(deeds)]]


@pytest.mark.django_db(transaction=True)
def test_messages_answers_and_merges_at_once_lose_nothing(settings):
    telegram, chat = b.an_account(), b.an_account("webchat")
    operator = b.a_person(groups=[b.a_group()])
    writes(telegram, 1, name="Анна")
    first = in_chat(chat, "visitor:1")
    kept, gone = Guest.objects.order_by("pk")
    conversations.take(session_id=first.session_id, by=operator, now=timezone.now())
    settings.CELERY_TASK_ALWAYS_EAGER = False

    def write_telegram(number):
        return lambda: writes(telegram, 1, f"Telegram {number}", number=1000 + number, now=timezone.now()).pk

    def write_chat(number):
        return lambda: in_chat(chat, "visitor:1", f"Чат {number}").pk

    def answer(number):
        return lambda: answering.answer(session_id=first.session_id, text=f"Ответ {number}", by=operator, now=timezone.now()).pk

    def join():
        return merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=operator, now=timezone.now()).pk

    def join_other_way():
        return merging.merge(kept_id=gone.pk, gone_id=kept.pk, by=operator, now=timezone.now()).pk

    deeds = [make(number) for number in range(15) for make in (write_telegram, write_chat, answer)]
    deeds[5:5] = [join, join_other_way, join]
    results = in_threads(deeds)
    joined = [result for result in results if result == "merged_already"]
    assert len(joined) == 2  # of the three only one could be first
    assert GuestMerge.objects.count() == 1
    assert Message.objects.count() == 2 + 45
    assert not InboundEvent.objects.exclude(state=EventState.PROCESSED).exists()
    holds_together()
    assert Identity.objects.values("guest").distinct().count() == 1


@pytest.mark.django_db(transaction=True)
def test_merges_and_undos_in_a_crowd_end_in_a_tree(settings):
    telegram = b.an_account()
    operator = b.a_person(groups=[b.a_group()])
    for chat in range(1, 7):
        writes(telegram, chat, name=f"Гость {chat}")
    guests = list(Guest.objects.order_by("pk").values_list("pk", flat=True))
    chosen = random.Random(7)

    def join():
        kept, gone = chosen.sample(guests, 2)
        return lambda: merging.merge(kept_id=kept, gone_id=gone, by=operator, now=timezone.now()).pk

    def part():
        def run():
            made = GuestMerge.objects.filter(undone_at=None).order_by("-pk").first()
            return merging.undo(merge_id=made.pk, by=operator, now=timezone.now()).pk if made else "nothing"

        return run

    def write(number):
        return lambda: writes(telegram, chosen.randint(1, 6), f"Сообщение {number}", number=5000 + number, now=timezone.now()).pk

    deeds = [make for number in range(30) for make in (join(), part(), write(number))]
    chosen.shuffle(deeds)
    in_threads(deeds)
    assert Message.objects.count() == 6 + 30
    assert not InboundEvent.objects.exclude(state=EventState.PROCESSED).exists()
    holds_together()
    ends = {survivor(guest) for guest in guests}  # would never return in a circle
    assert ends == set(Identity.objects.values_list("guest_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_equal_first_messages_while_the_guest_is_joined_make_one_guest():
    telegram, chat = b.an_account(), b.an_account("webchat")
    operator = b.a_person(groups=[b.a_group()])
    in_chat(chat, "visitor:1")
    event = writes(telegram, 1, number=1)
    kept, gone = Guest.objects.order_by("pk").values_list("pk", flat=True)
    again = InboundEvent.objects.get(message_ids__contains=[event.pk])
    deeds: list[Any] = [lambda: journal.process(again.pk, now=timezone.now(), again=True) for _ in range(6)]
    deeds.insert(2, lambda: merging.merge(kept_id=kept, gone_id=gone, by=operator, now=timezone.now()))
    in_threads(deeds)
    assert (Guest.objects.filter(merged_into=None).count(), Message.objects.count()) == (1, 2)
    holds_together()


@pytest.mark.django_db(transaction=True)
def test_a_guest_who_blocks_us_while_writing_locks_nobody_up():
    telegram, operator = b.an_account(), b.a_person(groups=[b.a_group()])
    session = writes(telegram, 1).session
    conversations.take(session_id=session.pk, by=operator, now=timezone.now())
    blocked = Failed("403", "bot was blocked", Reason.CONTACT_BLOCKED)
    for number in range(12):
        Identity.objects.update(blocked_at=None)
        message = answering.answer(session_id=session.pk, text=f"Ответ {number}", by=operator, now=timezone.now())
        attempt = Attempt.objects.get(message=message)
        Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
        finish = partial(sending.finish, attempt_id=attempt.pk, result=blocked, now=timezone.now())
        write = [partial(writes, telegram, 1, f"Слово {number}.{word}", number=7000 + 10 * number + word) for word in range(3)]
        in_threads([write[0], finish, *write[1:]], workers=4)
        assert Message.objects.get(pk=message.pk).send_state == SendState.FAILED
    assert Message.objects.filter(direction="in").count() == 1 + 36


@pytest.mark.django_db
def test_closed_dialogues_and_tickets_move_too(two):
    cases.close(case_id=two.case.pk, cause="solved", by=two.operator, now=NOW)
    conversations.close(session_id=two.case.session_id, by=two.operator, now=NOW)
    assert Session.objects.get(pk=two.case.session_id).state == SessionState.CLOSED
    merging.merge(kept_id=two.kept.pk, gone_id=two.gone.pk, by=two.operator, now=NOW)
    holds_together()
    assert Case.objects.get().guest_id == two.kept.pk
