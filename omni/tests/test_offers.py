"""Offers with a timer, skills in rings, the guest's last operator, limits and hand-overs, through the database."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core.models import AuditEntry
from core.refusal import Refusal
from omni.models import ChannelLimit, Decision, DeclineReason, Holding, Offer, Presence, Ring, Session, Skill, SkillNeed, StaffSkill
from omni.services import conversations, distribution, offers, presence, transfers
from omni.states import DecisionKind, Delivery, HoldingEnd, OfferState, PresenceState, SessionState, Strategy
from tests import builders as b
from worklist.models import Item

NOW = timezone.now()
pytestmark = pytest.mark.django_db


def later(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def group():
    return b.a_group()


@pytest.fixture
def account():
    return b.an_account("telegram")


@pytest.fixture
def busy():
    return DeclineReason.objects.create(code="busy", name="Занят")


def queue_with(**fields):
    queue = b.a_queue()
    type(queue).objects.filter(pk=queue.pk).update(**fields)
    queue.refresh_from_db()
    return queue


def on_line(group, login="first", capacity=5, now=NOW, **skills):
    staff = b.a_person(login, login.title(), groups=[group])
    b.go_on_line(staff, now=now, capacity=capacity)
    for code, level in skills.items():
        skill = Skill.objects.get_or_create(code=code, defaults={"name": code})[0]
        StaffSkill.objects.create(staff=staff, skill=skill, level=level)
    return staff


def write(account, chat=1, text="Где мой заказ?", at=NOW, number=None):
    b.receive(account, b.telegram_update(number or chat, chat_id=chat, text=text, at=int(at.timestamp())), now=at)
    return Session.objects.get(identity__external_id=str(chat), account=account)


def give(group, at=NOW):
    return distribution.give_out(group_id=group.pk, now=at)


def alive(at):
    Presence.objects.update(seen_at=at)


def load_of(staff):
    return Presence.objects.get(staff=staff).load


def test_an_offer_keeps_room_and_is_accepted(group, account):
    queue_with(delivery=Delivery.OFFER, offer_seconds=20)
    staff = on_line(group, capacity=1)
    session, other = write(account, 1), write(account, 2)
    assert give(group) == 1, "the room is kept for the first offer"
    offer = Offer.objects.get()
    assert (offer.session, offer.state, load_of(staff)) == (session, OfferState.OPEN, 1)
    assert Session.objects.get(pk=session.pk).state == SessionState.WAITING
    accepted = offers.accept(offer_id=offer.pk, by=staff, now=later(5))
    assert (accepted.owner, accepted.state, load_of(staff)) == (staff, SessionState.ACTIVE, 1)
    assert Session.objects.get(pk=other.pk).owner is None
    assert list(Decision.objects.order_by("pk").values_list("kind", flat=True)) == [DecisionKind.OFFERED, DecisionKind.ACCEPTED]


def test_a_declined_offer_goes_to_the_next_and_not_back_at_once(group, account, busy):
    queue_with(delivery=Delivery.OFFER, again_seconds=60)
    first = on_line(group)
    session = write(account)
    give(group)
    offers.decline(offer_id=Offer.objects.get().pk, reason="busy", by=first, now=later(3))
    assert (Offer.objects.get().reason, load_of(first)) == ("busy", 0)
    assert give(group, later(4)) == 0, "the only one has just declined it"
    second = on_line(group, "second", now=later(4))
    assert give(group, later(5)) == 1
    assert Offer.objects.get(state=OfferState.OPEN).staff == second
    offers.decline(offer_id=Offer.objects.get(state=OfferState.OPEN).pk, reason="busy", by=second, now=later(6))
    alive(later(70))
    assert give(group, later(64)) == 1, "after a minute it may come again"
    assert Offer.objects.get(state=OfferState.OPEN).staff == first
    assert Session.objects.get(pk=session.pk).state == SessionState.WAITING
    assert AuditEntry.objects.filter(action="offer.declined").count() == 2


def test_an_offer_needs_a_known_reason_and_its_own_person(group, account, busy):
    queue_with(delivery=Delivery.OFFER)
    staff, stranger = on_line(group), b.a_person("stranger", "Чужая")
    write(account)
    give(group)
    offer = Offer.objects.get()
    for deed, code in (
        (lambda: offers.decline(offer_id=offer.pk, reason="лень", by=staff, now=NOW), "choose"),
        (lambda: offers.accept(offer_id=offer.pk, by=stranger, now=NOW), "not_found"),
        (lambda: offers.accept(offer_id=offer.pk + 1, by=staff, now=NOW), "not_found"),
    ):
        with pytest.raises(Refusal) as refused:
            deed()
        assert refused.value.code == code
    assert Offer.objects.get().state == OfferState.OPEN


@pytest.mark.parametrize(("missed_away", "state"), [(True, PresenceState.AWAY), (False, PresenceState.READY)])
def test_a_missed_offer_goes_on_and_the_person_counts_as_away(group, account, missed_away, state):
    queue_with(delivery=Delivery.OFFER, offer_seconds=20, missed_away=missed_away)
    first = on_line(group)
    write(account)
    give(group)
    second = on_line(group, "second")
    distribution.after_changes(now=later(19))
    assert Offer.objects.get().state == OfferState.OPEN, "there is a second left"
    distribution.after_changes(now=later(21))
    assert Offer.objects.get(staff=first).state == OfferState.MISSED
    assert Presence.objects.get(staff=first).state == state
    assert Offer.objects.get(state=OfferState.OPEN).staff == second
    presence.heartbeat(staff_id=first.pk, now=later(30))
    assert Presence.objects.get(staff=first).state == state, "an open screen alone does not end it"
    presence.change(staff=first, state=PresenceState.READY, by=first, now=later(31))
    assert Presence.objects.get(staff=first).state == PresenceState.READY
    with pytest.raises(Refusal):
        offers.accept(offer_id=Offer.objects.get(staff=first).pk, by=first, now=later(32))


@pytest.mark.parametrize("deed", ["take", "close", "break"])
def test_an_offer_is_withdrawn_when_it_has_no_object_any_more(group, account, deed):
    queue_with(delivery=Delivery.OFFER)
    staff = on_line(group)
    session = write(account)
    give(group)
    colleague = on_line(group, "colleague")
    if deed == "take":
        conversations.take(session_id=session.pk, by=colleague, now=later(1))
    elif deed == "close":
        conversations.close(session_id=session.pk, by=None, now=later(1))
    else:
        presence.change(staff=staff, state=PresenceState.BREAK, by=staff, now=later(1))
    assert (Offer.objects.get().state, load_of(staff)) == (OfferState.WITHDRAWN, 0)
    assert Session.objects.get().offered_until is None


def test_skills_are_looked_for_in_growing_rings(group, account):
    queue = queue_with()
    plain, expert = on_line(group, "plain"), on_line(group, "expert", capacity=1, english=4)
    english = Skill.objects.get(code="english")
    SkillNeed.objects.create(skill=english, level=3, language="en")
    Ring.objects.create(queue=queue, after_seconds=60, drops_all=True)
    first, second = write(account, 1, "Where is my order?"), write(account, 2, "Hello, where is it?")
    assert (first.language, give(group)) == ("en", 1)
    assert Session.objects.get(pk=first.pk).owner == expert
    assert Decision.objects.get().explanation["left_out"]["skill"] == {"count": 1, "staff": [plain.pk]}
    write(account, 3, "Добрый день")
    assert give(group, later(1)) == 1, "who needs no English does not wait behind who does"
    alive(later(61))
    assert give(group, later(61)) == 1
    assert Session.objects.get(pk=second.pk).owner == plain
    assert Decision.objects.order_by("-pk").first().explanation["ring"] == 2


def test_another_group_joins_by_a_ring(group, account):
    other = b.a_group("other", "Другие")
    helper = on_line(other, "helper")
    ring = Ring.objects.create(queue=queue_with(), after_seconds=30)
    ring.groups.add(other)
    session = write(account)
    assert give(group, later(29)) == 0
    alive(later(31))
    assert distribution.give_out_for(helper, now=later(31)) == 1
    assert Session.objects.get(pk=session.pk).owner == helper


def test_the_guests_last_operator_is_waited_for_a_moment(group, account):
    queue_with(preferred_days=7, preferred_seconds=30)
    last = on_line(group, "last")
    session = write(account, 1)
    give(group)
    conversations.close(session_id=session.pk, by=last, now=later(10))
    other = on_line(group, "other", now=later(10))
    Presence.objects.filter(staff=last).update(assigned_at=later(11), load=3)
    stranger = write(account, 2, at=later(12))
    again = write(account, 1, at=later(13), number=77)
    assert give(group, later(14)) == 2
    assert Session.objects.get(pk=stranger.pk).owner == other, "the emptier one gets what nobody is preferred for"
    assert Session.objects.get(pk=again.pk).owner == last
    assert Decision.objects.get(session=again, staff=last, explanation__preferred=True)


def test_patience_for_the_last_operator_ends(group, account):
    queue_with(preferred_days=7, preferred_seconds=30)
    last = on_line(group, "last", capacity=1)
    session = write(account, 1)
    give(group)
    conversations.close(session_id=session.pk, by=last, now=later(10))
    write(account, 2, at=later(11))
    assert give(group, later(11)) == 1, "now the last operator is full"
    on_line(group, "other", now=later(12))
    again = write(account, 1, at=later(20), number=77)
    assert give(group, later(25)) == 0, "at work, so kept for a moment"
    assert give(group, later(51)) == 1
    assert Session.objects.get(pk=again.pk).owner.login == "other"


def test_a_limit_of_a_channel_holds_for_the_system_and_by_hand(group, account):
    ChannelLimit.objects.create(channel="telegram", most=1)
    staff = on_line(group)
    session, other = write(account, 1), write(account, 2)
    assert give(group) == 1
    assert Session.objects.get(pk=session.pk).owner == staff
    with pytest.raises(Refusal) as refused:
        conversations.take(session_id=other.pk, by=staff, now=NOW)
    assert refused.value.code == "channel_full"
    assert load_of(staff) == 1


def test_a_supervisor_forces_past_pause_state_and_offer_but_not_past_capacity(group, account):
    queue_with(delivery=Delivery.OFFER)
    staff, boss = on_line(group), b.a_person("boss", "Босс")
    target = on_line(group, "target", capacity=1)
    presence.change(staff=target, state=PresenceState.BREAK, by=target, now=NOW)
    session, other = write(account, 1), write(account, 2)
    give(group)
    queue_with(is_paused=True)
    forced = distribution.force(session_id=session.pk, to=target, by=boss, reason="Знает гостя", now=later(2))
    assert (forced.owner, load_of(target), load_of(staff)) == (target, 1, 1)
    assert Decision.objects.filter(kind=DecisionKind.FORCED, staff=target).get().explanation == {"by": boss.pk, "reason": "Знает гостя"}
    assert AuditEntry.objects.get(action="session.forced").by_id == boss.pk
    with pytest.raises(Refusal) as refused:
        distribution.force(session_id=other.pk, to=target, by=boss, reason="", now=later(3))
    assert refused.value.code == "full"


def test_a_dialogue_goes_to_a_group_or_queue_with_a_note_and_keeps_its_place(group, account):
    experts = b.a_group("experts", "Эксперты")
    second_queue = b.a_queue("second", experts)
    staff = on_line(group)
    session = write(account)
    give(group)
    transfers.to_group(session_id=session.pk, group=experts, by=staff, note="Вопрос о вине", now=later(30))
    item = Item.objects.get(subject_id=session.pk, kind="session")
    assert (item.group, item.owner_id, load_of(staff)) == (experts, None, 0)
    assert (item.waiting_since, session.messages.filter(direction="note").get().text) == (session.waiting_since, "Вопрос о вине")
    expert = on_line(experts, "expert", now=later(30))
    assert (give(group, later(31)), give(experts, later(31))) == (0, 1)
    assert Session.objects.get().owner == expert
    moved = transfers.to_queue(session_id=session.pk, queue=second_queue, by=expert, note="", now=later(40))
    assert (moved.queue, moved.group, moved.serving_group_id) == (second_queue, None, experts.pk)
    assert list(Holding.objects.order_by("pk").values_list("end", flat=True)) == [HoldingEnd.HANDED, HoldingEnd.HANDED]
    conversations.close(session_id=session.pk, by=expert, now=later(50))
    back = write(account, 1, "Ещё вопрос", at=later(60), number=9)
    assert (back.queue, back.group) == (account.queue, None), "a guest who comes back waits where the channel waits"


def test_who_returned_a_dialogue_does_not_get_it_back_at_once(group, account):
    staff = on_line(group)
    session = write(account)
    give(group)
    conversations.give_back(session_id=session.pk, by=staff, now=later(5), reason="")
    assert give(group, later(6)) == 0
    alive(later(70))
    assert give(group, later(66)) == 1


def test_each_queue_has_its_strategy(group, account):
    idle, fresh = on_line(group, "idle", capacity=5), on_line(group, "fresh", capacity=5)
    Presence.objects.filter(staff=idle).update(load=3, assigned_at=later(-900))
    Presence.objects.filter(staff=fresh).update(load=1, assigned_at=later(-5))
    queue_with(strategy=Strategy.LONGEST_IDLE)
    session = write(account, 1)
    give(group)
    assert Session.objects.get(pk=session.pk).owner == idle
    queue_with(strategy=Strategy.LEAST_BUSY)
    session = write(account, 2)
    give(group)
    assert Session.objects.get(pk=session.pk).owner == fresh


def test_the_look_at_a_waiting_dialogue_says_why_nobody_gets_it(group, account):
    staff = on_line(group, capacity=1)
    write(account, 1)
    give(group)
    waits = write(account, 2)
    work, verdict = distribution.look_at(waits.pk, now=later(1))
    assert (work.id, verdict.chosen, verdict.left_out) == (waits.pk, None, {"room": [staff.pk]})
    assert distribution.look_at(Session.objects.get(owner=staff).pk, now=later(1)) is None


@pytest.mark.django_db(transaction=True)
def test_accepting_taking_and_running_out_at_the_same_time_leave_one_owner_and_true_loads():
    group, account = b.a_group(), b.an_account("telegram")
    queue_with(delivery=Delivery.OFFER)
    people = [on_line(group, f"op-{number}", capacity=3) for number in range(4)]
    for chat in range(1, 25):
        write(account, chat, at=later(chat))
    faults = []

    def act(mine):
        try:
            for _turn in range(12):
                distribution.try_give_out(group_id=group.pk, now=later(40))
                for offer in Offer.objects.filter(state=OfferState.OPEN).order_by("?")[:3]:
                    for deed in (offers.accept, None) if offer.staff_id == people[mine].pk else (None,):
                        try:
                            if deed:
                                deed(offer_id=offer.pk, by=people[mine], now=later(41))
                            else:
                                conversations.take(session_id=offer.session_id, by=people[mine], now=later(41))
                        except Refusal:
                            continue
                offers.expire(now=later(45 if mine else 65))
                for session in Session.objects.filter(owner=people[mine], state=SessionState.ACTIVE)[:2]:
                    conversations.close(session_id=session.pk, by=people[mine], now=later(50))
        except Exception as fault:  # noqa: BLE001  shown by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not faults
    for row in Presence.objects.all():
        held = Session.objects.filter(owner_id=row.staff_id, state=SessionState.ACTIVE).count()
        offered = Offer.objects.filter(staff_id=row.staff_id, state=OfferState.OPEN).count()
        assert row.load == held + offered <= row.capacity
    for session in Session.objects.all():
        assert Holding.objects.filter(session=session, until=None).count() == (session.state == SessionState.ACTIVE)
        assert bool(session.offered_until) == Offer.objects.filter(session=session, state=OfferState.OPEN).exists()


def test_a_dialogue_whose_topic_is_known_goes_to_who_knows_the_subject(group, account):
    wine = Skill.objects.create(code="wine", name="Вино")
    SkillNeed.objects.create(skill=wine, topic="drinks")
    plain, expert = on_line(group, "plain"), on_line(group, "expert")
    StaffSkill.objects.create(staff=expert, skill=wine, level=2)
    Presence.objects.filter(staff=expert).update(load=4)
    session = write(account)
    give(group)
    assert Session.objects.get(pk=session.pk).owner == plain
    transfers.tell_topic(session_id=session.pk, topics=["red-wine", "drinks"])
    conversations.give_back(session_id=session.pk, by=plain, now=later(5), reason="")
    give(group, later(6))
    assert Session.objects.get(pk=session.pk).owner == expert
