"""Joining, linking and splitting tickets, and taking it back: one matter, every guest in the own channel."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from customers.models import Guest
from customers.services import merging
from omni.models import Message, Session
from omni.services import answering, conversations
from omni.states import Direction, SessionState
from tests import builders as b
from tickets.models import Case, CaseLink, CaseStep
from tickets.services import cases, chains, linking, opening, relaying
from tickets.states import CaseState, Cause, Step
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()
Kind = CaseLink.Kind


class Desk:
    """An operator and guests who write; each message's ticket is opened and left to its group."""

    def __init__(self):
        self.operator = b.a_person(groups=[b.a_group(), b.a_group("quality", "Качество")])
        self.telegram, self.web = b.an_account("telegram"), b.an_account("webchat")
        self.topic, self.updates = b.a_topic(), 100

    def writes(self, who, text, *, now=NOW):
        self.updates += 1
        if isinstance(who, int):
            b.receive(self.telegram, b.telegram_update(self.updates, chat_id=500 + who, text=text, at=int(now.timestamp())), now=now)
        else:
            b.receive(self.web, b.webchat_event(visitor=who, text=text, name=who), now=now)
        return Message.objects.filter(direction=Direction.IN).latest("pk")

    def ticket(self, who, text="Просроченный творог"):
        session = self.writes(who, text).session
        case = opening.open_ticket(session_id=session.pk, topic=self.topic, by=self.operator, now=NOW)
        conversations.close(session_id=session.pk, by=self.operator, now=NOW)
        return case

    def one_guest(self, *made):
        """The tickets' guests are found to be one person."""
        first, *others = (Case.objects.get(pk=case.pk).guest_id for case in made)
        for other in others:
            merging.merge(kept_id=first, gone_id=other, by=self.operator, now=NOW)

    def join(self, case, main, *, now=NOW):
        return linking.join(case_id=case.pk, main_id=main.pk, by=self.operator, now=now)

    def undo(self, link, *, now=NOW):
        return linking.undo(link_id=link.pk, by=self.operator, now=now)


@pytest.fixture
def desk():
    return Desk()


def tell_all():
    for message_id in relaying.find_due():
        relaying.tell(message_id, now=NOW)


def fresh(case):
    return Case.objects.select_related("session__account").get(pk=case.pk)


def test_a_joined_ticket_closes_as_a_duplicate_and_its_dialogue_stays_with_the_main_one(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    desk.join(late, main)
    late = fresh(late)
    assert (late.state, late.cause, late.session.state) == (CaseState.CLOSED, Cause.DUPLICATE, SessionState.PARKED)
    assert fresh(main).state == CaseState.ROUTED
    assert CaseStep.objects.filter(step=Step.JOINED).values_list("case", flat=True).count() == 2
    assert AuditEntry.objects.filter(action="case.joined", subject=f"case:{late.pk}").count() == 1


def test_another_guests_later_word_stands_at_the_end_of_the_main_ticket(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    desk.join(late, main)
    said = desk.writes("visitor", "Так что с творогом?")
    tell_all()
    note = Message.objects.filter(session=main.session_id).latest("seq")
    assert note.direction == Direction.NOTE
    assert "Так что с творогом?" in note.text
    assert late.number in note.text
    assert fresh(main).unread >= 1
    assert Item.objects.get(kind="case", subject_id=main.pk).preview == "Так что с творогом?"
    tell_all()
    assert Message.objects.filter(session=main.session_id, direction=Direction.NOTE).count() == 1
    assert said.session_id == late.session_id


def test_the_same_guest_is_answered_where_the_last_word_came_from(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    desk.one_guest(main, late)
    desk.join(late, main)
    desk.writes("visitor", "Пишу теперь сюда")
    tell_all()
    assert fresh(main).session.account.kind == "webchat"
    answering.answer(session_id=fresh(main).session_id, text="Разобрались", by=desk.operator, now=NOW)
    assert Message.objects.filter(direction=Direction.OUT).latest("pk").account.kind == "webchat"
    desk.writes(7, "И тут скажу")
    tell_all()
    assert fresh(main).session.account.kind == "telegram"


def test_other_guests_of_joined_tickets_are_still_answered_in_their_channel(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    desk.join(late, main)
    answering.answer(session_id=fresh(late).session_id, text="И вам отвечаем", by=desk.operator, now=NOW)
    sent = Message.objects.filter(direction=Direction.OUT).latest("pk")
    assert (sent.account.kind, sent.session_id) == ("webchat", late.session_id)


def test_the_main_tickets_end_lets_the_joined_dialogues_go(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    desk.join(late, main)
    cases.close(case_id=main.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    assert relaying.let_go(now=NOW) == 1
    assert fresh(late).session.state == SessionState.CLOSED
    assert relaying.let_go(now=NOW) == 0


def test_a_word_that_comes_after_the_split_stays_where_it_was_said(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    link = desk.join(late, main)
    desk.writes("visitor", "Ещё слово")
    desk.undo(link)
    tell_all()
    assert not Message.objects.filter(session=main.session_id, direction=Direction.NOTE).exists()


@pytest.mark.parametrize("one_guest", [False, True])
def test_a_join_is_undone_with_dialogue_and_state(desk, one_guest):
    main, late, third = desk.ticket(7), desk.ticket("visitor"), desk.ticket("other")
    before = {case.pk: case.session_id for case in (main, late, third)}
    if one_guest:
        desk.one_guest(main, late, third)
    links = [desk.join(late, main), desk.join(third, main)]
    desk.writes("visitor", "сюда")
    tell_all()
    desk.writes("other", "а теперь сюда")
    tell_all()
    for link in links:
        desk.undo(link)
    assert {case.pk: fresh(case).session_id for case in (main, late, third)} == before
    assert fresh(late).state == CaseState.REOPENED
    assert fresh(late).session.state == SessionState.PARKED
    with pytest.raises(Refusal) as refused:
        desk.undo(links[0])
    assert refused.value.code == "undone"


def test_a_closed_ticket_that_was_joined_is_closed_again_with_its_cause(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    cases.close(case_id=late.pk, cause=Cause.EXPLAINED, by=desk.operator, now=NOW)
    link = desk.join(late, main)
    assert fresh(late).session.state == SessionState.PARKED
    desk.undo(link)
    assert (fresh(late).state, fresh(late).cause) == (CaseState.CLOSED, Cause.EXPLAINED)
    relaying.let_go(now=NOW)


def test_thirty_days_later_it_stays(desk):
    link = desk.join(desk.ticket("visitor"), desk.ticket(7))
    with pytest.raises(Refusal) as refused:
        desk.undo(link, now=NOW + timedelta(days=31))
    assert refused.value.code == "too_late"
    assert CaseLink.objects.get().undone_at is None


def test_circles_are_refused(desk):
    one, two, three = desk.ticket(7), desk.ticket("visitor"), desk.ticket("other")
    desk.join(one, two)
    for case, main in ((two, one), (one, one)):
        with pytest.raises(Refusal):
            desk.join(case, main)
    desk.join(two, three)
    with pytest.raises(Refusal) as refused:
        desk.join(three, three)
    assert refused.value.code == "same_ticket"
    with pytest.raises(Refusal) as refused:
        desk.join(three, one)
    assert refused.value.code == "cycle"
    assert chains.end_of(one.pk) == three.pk
    family = [(one, two), (two, three)]
    for case, main in family:
        linking.link(case_id=case.pk, main_id=main.pk, kind=Kind.CHILD, by=desk.operator, now=NOW)
    with pytest.raises(Refusal) as refused:
        linking.link(case_id=three.pk, main_id=one.pk, kind=Kind.CHILD, by=desk.operator, now=NOW)
    assert refused.value.code == "cycle"


def test_a_word_of_a_chain_comes_to_its_end(desk):
    one, two, three = desk.ticket(7), desk.ticket("visitor"), desk.ticket("other")
    desk.join(one, two)
    desk.join(two, three)
    desk.writes(7, "Слышно?")
    tell_all()
    assert "Слышно?" in Message.objects.filter(session=three.session_id).latest("seq").text


def test_a_closed_main_ticket_is_refused(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    cases.close(case_id=main.pk, cause=Cause.SOLVED, by=desk.operator, now=NOW)
    with pytest.raises(Refusal) as refused:
        desk.join(late, main)
    assert refused.value.code == "main_closed"


def test_links_are_told_undone_and_made_anew(desk):
    main, other = desk.ticket(7), desk.ticket("visitor")
    link = linking.link(case_id=other.pk, main_id=main.pk, kind=Kind.RELATED, by=desk.operator, now=NOW)
    with pytest.raises(Refusal):
        linking.link(case_id=main.pk, main_id=other.pk, kind=Kind.RELATED, by=desk.operator, now=NOW)
    desk.undo(link)
    linking.link(case_id=main.pk, main_id=other.pk, kind=Kind.RELATED, by=desk.operator, now=NOW)
    assert list(CaseStep.objects.filter(case=main, step__in=[Step.LINKED, Step.UNLINKED]).values_list("step", flat=True)) == [
        "linked",
        "unlinked",
        "linked",
    ]


def test_a_message_becomes_a_ticket_of_its_own_and_goes_back(desk):
    origin = desk.ticket(7)
    said = desk.writes(7, "И ещё: касса не принимает карты")
    link = linking.split(case_id=origin.pk, message_id=said.pk, topic=desk.topic, store=None, by=desk.operator, now=NOW)
    assert (link.case.summary, link.case.session_id) == (said.text, origin.session_id)
    desk.undo(link)
    assert fresh(link.case).cause == Cause.DUPLICATE
    assert fresh(origin).session.state == SessionState.PARKED
    with pytest.raises(Refusal):
        linking.split(case_id=origin.pk, message_id=10**9, topic=desk.topic, store=None, by=desk.operator, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_join_crosswise_at_once_make_one_join():
    desk = Desk()
    for _round in range(4):
        one, two = desk.ticket(1000 + _round), desk.ticket(f"visitor-{_round}")
        found, begin = [], threading.Barrier(2)

        def cross(case, main, *, found=found, begin=begin):
            begin.wait()
            try:
                found.append(desk.join(case, main))
            except Refusal as refusal:
                found.append(refusal.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=cross, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(type(result).__name__ for result in found) == ["CaseLink", "str"]
        assert set(found) & {"cycle", "main_closed"}
        assert sorted(Case.objects.filter(pk__in=[one.pk, two.pk]).values_list("state", flat=True)) == ["closed", "routed"]


@pytest.mark.django_db(transaction=True)
def test_guests_who_write_while_they_are_joined_lose_no_word():
    desk = Desk()
    main, late = desk.ticket(7), desk.ticket("visitor")
    begin = threading.Barrier(3)

    def run(deed):
        begin.wait()
        try:
            deed()
        finally:
            connection.close()

    deeds = [
        lambda: desk.join(late, main),
        lambda: [b.receive(desk.web, b.webchat_event(visitor="visitor", text=f"слово {n}"), now=NOW) for n in range(6)],
        lambda: [
            b.receive(desk.telegram, b.telegram_update(900 + n, chat_id=507, text=f"и я {n}", at=int(NOW.timestamp())), now=NOW)
            for n in range(6)
        ],
    ]
    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell_all()
    assert Message.objects.filter(session=late.session_id, direction=Direction.IN).count() == 7
    assert Message.objects.filter(session=main.session_id, direction=Direction.IN).count() == 7
    assert fresh(late).state == CaseState.CLOSED
    assert not Session.objects.filter(state=SessionState.WAITING).exists()


def test_merged_guests_come_home_when_they_are_parted(desk):
    main, late = desk.ticket(7), desk.ticket("visitor")
    guests = (main.guest_id, late.guest_id)
    made = merging.merge(kept_id=guests[0], gone_id=guests[1], by=desk.operator, now=NOW)
    desk.join(late, main)
    desk.writes("visitor", "Я же")
    tell_all()
    merging.undo(merge_id=made.pk, by=desk.operator, now=NOW)
    assert {fresh(main).guest_id, fresh(late).guest_id} == set(guests)
    assert Guest.objects.filter(merged_into=None).count() == 2
