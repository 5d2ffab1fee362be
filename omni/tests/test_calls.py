"""Calls in the guest's feed: one entry each, the right person's dialogue, a missed one waits, screens are told."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import transaction

from accounts.models import Staff
from core.models import LiveEvent
from core.redis import client
from core.refusal import Refusal
from customers.models import Guest, Identity
from omni.channels.contract import CallKind, CallStep
from omni.models import Call, Extension, Message, Presence, Session
from omni.services import answering, calling, calls, conversations, distribution
from omni.states import Direction, SessionState
from sla.services import clocks
from tests import builders as b
from worklist.models import Item
from worklist.states import ItemState

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
GUEST, LINE = "+79001112233", "+74950001122"
K = CallKind


def step(kind, second, leg=None, *, call="c1", inbound=True, **values):
    numbers = {"caller": GUEST, "called": LINE} if inbound else {"caller": LINE, "called": GUEST}
    fields = {"sequence": second, "at": NOW + timedelta(seconds=second), "inbound": inbound, **numbers, **values}
    return CallStep(kind=kind, call_key=call, leg_key=leg or call, **fields)


@pytest.fixture
def account():
    return b.an_account("voice", signing_key="k")


@pytest.fixture
def tell(account):
    def told(*steps):
        for one in steps:
            with transaction.atomic():
                calls.apply(account=account, step=one, now=max(NOW, one.at))

    return told


@pytest.fixture
def operator(account):
    return seated(account, "101", "ivanova", "Анна Иванова")


def seated(account, number, login, name):
    staff = b.a_person(login, name, groups=[b.a_group()])
    Extension.objects.create(account=account, number=number, staff=staff)
    return staff


@pytest.fixture
def announced(monkeypatch):
    """What the screens are told: (kind, payload, topics)."""
    found = []
    monkeypatch.setattr(calls, "announce", lambda *, kind, payload, topics: found.append((kind, payload, list(topics))))
    return found


RING = step(K.RINGING, 0)
AT_DESK = step(K.RINGING, 4, "c1:101", extension="101")
TAKEN = step(K.ANSWERED, 9, "c1:101", extension="101")
END = step(K.ENDED, 201)


def row():
    return Item.objects.get()


def test_a_ringing_call_is_a_guest_a_dialogue_and_an_entry_that_nobody_is_given(tell, operator):
    b.go_on_line(operator, now=NOW)
    tell(RING)
    guest, identity, session, message = Guest.objects.get(), Identity.objects.get(), Session.objects.get(), Message.objects.get()
    assert (guest.phone, identity.is_verified, identity.display_name, identity.address) == (GUEST, False, GUEST, GUEST)
    assert (message.direction, message.text, message.sent_at) == (Direction.IN, "Звонок: вызов", NOW)
    assert (session.state, session.waiting_since, row().state) == (SessionState.WAITING, None, ItemState.ANSWERED)
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 0


def test_the_entry_is_one_and_says_how_the_call_went(tell, operator):
    tell(RING, AT_DESK, TAKEN, END)
    message, call = Message.objects.get(), Call.objects.get()
    assert message.text == "Звонок: принят, Анна Иванова (101), ожидание 0:09, длительность 3:12"
    assert (message.edited_at, message.versions.count()) == (None, 0)
    assert (call.operator, call.wait, call.duration, call.message) == (operator, 9, 192, message)
    assert row().preview == message.text


def test_who_takes_the_call_has_the_dialogue(tell, operator):
    b.go_on_line(operator, now=NOW)
    tell(RING, AT_DESK, TAKEN)
    session = Session.objects.get()
    assert (session.state, session.owner, session.waiting_since) == (SessionState.ACTIVE, operator, None)
    assert Presence.objects.get().load == 1
    tell(END)
    assert (Session.objects.get().state, row().state) == (SessionState.ACTIVE, ItemState.ANSWERED)


def test_a_missed_call_waits_and_is_given_out(tell, operator):
    b.go_on_line(operator, now=NOW)
    tell(RING, AT_DESK, step(K.ENDED, 40))
    session = Session.objects.get()
    assert (session.waiting_since, session.unread, row().state) == (NOW, 1, ItemState.WAITING)
    assert Message.objects.get().text == "Пропущенный звонок, ожидание 0:40"
    assert clocks.running(session.clock_subject)
    assert distribution.give_out(group_id=b.a_group().pk, now=NOW) == 1


def test_steps_told_again_change_nothing(tell, operator):
    tell(RING, AT_DESK, step(K.ENDED, 40))
    before = (Message.objects.get().text, Session.objects.get().unread, row().version)
    tell(RING, AT_DESK, step(K.ENDED, 40))
    assert (Message.objects.get().text, Session.objects.get().unread, row().version) == before
    assert Call.objects.count() == 1


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_the_steps_come_the_end_is_the_same(tell, operator, order):
    steps = [RING, AT_DESK, TAKEN, END]
    tell(*(steps[number] for number in order))
    session, message, call = Session.objects.get(), Message.objects.get(), Call.objects.get()
    assert message.text == "Звонок: принят, Анна Иванова (101), ожидание 0:09, длительность 3:12"
    assert (session.waiting_since, call.operator, call.state, message.sent_at) == (None, operator, "ended", NOW)
    assert session.owner == operator or session.state == SessionState.CLOSED


def test_a_call_that_is_taken_ends_the_wait_after_a_missed_one(tell, operator):
    tell(RING, step(K.ENDED, 40))
    tell(step(K.RINGING, 60, call="c2"), step(K.ANSWERED, 65, "c2:101", call="c2", extension="101"))
    session = Session.objects.get()
    assert (session.waiting_since, session.owner, Message.objects.count()) == (None, operator, 2)
    assert not clocks.running(session.clock_subject) or not session.unread


def test_calling_the_guest_back_ends_the_wait(tell, operator):
    tell(RING, step(K.ENDED, 40))
    tell(
        step(K.RINGING, 100, call="c2", inbound=False, extension="101"),
        step(K.ANSWERED, 110, call="c2", inbound=False, extension="101"),
        step(K.ENDED, 150, call="c2", inbound=False),
    )
    session = Session.objects.get()
    back = Message.objects.get(direction=Direction.OUT)
    assert (back.author, back.text) == (operator, "Исходящий звонок: состоялся, Анна Иванова (101), длительность 0:40")
    assert (session.waiting_since, session.owner) == (None, operator)


def test_calling_back_in_vain_leaves_the_guest_waiting(tell, operator):
    tell(RING, step(K.ENDED, 40))
    tell(step(K.RINGING, 100, call="c2", inbound=False, extension="101"), step(K.ENDED, 130, call="c2", inbound=False))
    assert Session.objects.get().waiting_since == NOW
    assert Message.objects.get(direction=Direction.OUT).text == "Исходящий звонок: гость не ответил, ожидание 0:30"


def test_a_call_that_a_stranger_takes_leaves_nothing_to_do(tell):
    tell(RING, step(K.ANSWERED, 9, "c1:999", extension="999"), END)
    session = Session.objects.get()
    assert (session.state, row().state) == (SessionState.CLOSED, ItemState.CLOSED)
    assert "доб. 999" in Message.objects.get().text


def test_an_operator_who_is_full_talks_all_the_same(tell, operator):
    b.go_on_line(operator, now=NOW, capacity=0)
    tell(RING, TAKEN)
    assert (Session.objects.get().owner, Call.objects.get().operator) == (None, operator)
    tell(END)
    assert Session.objects.get().state == SessionState.CLOSED
    assert Presence.objects.get().load == 0


def test_somebody_without_the_right_to_answer_gets_no_dialogue(tell, account):
    staff = b.a_person("clerk", "Клерк", role=b.a_role("clerk", rights=[]))
    Extension.objects.create(account=account, number="101", staff=staff)
    tell(RING, TAKEN)
    assert Session.objects.get().owner is None


def test_handed_on_the_dialogue_goes_along(tell, account, operator):
    second = seated(account, "102", "petrova", "Вера Петрова")
    tell(RING, AT_DESK, TAKEN, step(K.RINGING, 60, "c1:102", extension="102"), step(K.ENDED, 70, "c1:101"))
    assert Session.objects.get().owner == operator
    tell(step(K.ANSWERED, 75, "c1:102", extension="102"))
    assert (Session.objects.get().owner, Call.objects.get().operator) == (second, second)
    assert Message.objects.get().text == "Звонок: разговор, Вера Петрова (102)"


def test_withheld_numbers_are_guests_of_their_own(tell):
    hidden = {"caller": ""}
    tell(step(K.RINGING, 0, **hidden), step(K.ENDED, 20, **hidden), step(K.RINGING, 30, call="c2", **hidden))
    assert (Guest.objects.count(), Session.objects.count()) == (2, 2)
    assert set(Guest.objects.values_list("phone", flat=True)) == {""}
    assert set(Identity.objects.values_list("display_name", flat=True)) == {calls.WITHHELD}
    assert Session.objects.order_by("pk").first().waiting_since == NOW


def test_the_same_number_is_the_same_guest_and_feed(tell):
    tell(RING, step(K.ENDED, 40), step(K.RINGING, 90, call="c2"))
    assert (Guest.objects.count(), Session.objects.count(), Message.objects.count()) == (1, 1, 2)


def test_a_closed_dialogue_is_opened_again_by_a_missed_call(tell, operator):
    tell(RING, TAKEN, END)
    conversations.close(session_id=Session.objects.get().pk, by=operator, now=NOW)
    tell(step(K.RINGING, 300, call="c2"), step(K.ENDED, 330, call="c2"))
    assert (Session.objects.get().state, row().state) == (SessionState.WAITING, ItemState.WAITING)


def test_the_ringing_telephones_operator_sees_who_calls(tell, operator, announced):
    tell(RING, AT_DESK, AT_DESK)
    popped = [(payload, topics) for kind, payload, topics in announced if kind == "call_ringing"]
    session = Session.objects.get()
    assert [topics for _payload, topics in popped] == [[f"staff:{operator.pk}"]]
    assert popped[0][0] | {"guest_id": session.guest_id, "session_id": session.pk, "caller": GUEST, "extension": "101"} == popped[0][0]


def test_each_telephone_that_rings_is_told_once(tell, account, operator, announced):
    second = seated(account, "102", "petrova", "Вера Петрова")
    tell(RING, AT_DESK, step(K.RINGING, 4, "c1:102", extension="102"), TAKEN)
    assert [topics for kind, _payload, topics in announced if kind == "call_ringing"] == [[f"staff:{operator.pk}"], [f"staff:{second.pk}"]]
    assert [payload["state"] for kind, payload, _topics in announced if kind == "call_changed"] == ["talking"]


def test_the_screen_pop_reaches_the_operators_log(tell, operator, django_capture_on_commit_callbacks):
    client().delete(f"live:log:{operator.pk}", f"live:number:{operator.pk}")
    with django_capture_on_commit_callbacks(execute=True):
        tell(RING, AT_DESK)
    kinds = [entry[1][b"e"] for entry in client().xrange(f"live:log:{operator.pk}")]
    assert any(b'"call_ringing"' in one for one in kinds)
    assert not LiveEvent.objects.exists()


def test_a_lost_end_is_closed_by_the_sweep_and_corrected_by_a_late_one(tell, operator):
    tell(RING, AT_DESK, TAKEN)
    assert calls.find_lost(now=NOW + timedelta(hours=2)) == []
    later = NOW + timedelta(hours=4)
    (found,) = calls.find_lost(now=later)
    assert calls.close_lost(found, now=later)
    assert not calls.close_lost(found, now=later)
    assert Message.objects.get().text == "Звонок: принят, Анна Иванова (101), ожидание 0:09, конец звонка не получен"
    assert calls.find_lost(now=later) == []
    tell(END)
    assert Message.objects.get().text.endswith("длительность 3:12")


def test_a_lost_end_of_a_call_that_nobody_took_is_a_missed_call(tell, account):
    account.settings = {"lost_minutes": 30}
    account.save()
    tell(RING)
    later = NOW + timedelta(minutes=31)
    assert calls.close_lost(calls.find_lost(now=later)[0], now=later)
    assert Session.objects.get().waiting_since == NOW


def test_a_recording_that_comes_first_waits_for_its_call(tell, operator):
    tell(step(K.RECORDING_READY, 300, caller="", called="", recording="rec-1"))
    assert (Call.objects.get().session, Message.objects.count()) == (None, 0)
    tell(RING, TAKEN, END)
    assert Message.objects.get().text.endswith("есть запись")
    assert Call.objects.get().recording == "rec-1"


def test_who_hangs_up_in_the_menu_leaves_nothing_to_do_where_the_account_says_so(tell, account):
    account.settings = {"missed": "people"}
    account.save()
    tell(RING, step(K.DTMF, 3, digits="1"), step(K.ENDED, 20))
    assert Session.objects.get().state == SessionState.CLOSED
    assert Message.objects.get().text == "Звонок: завершён в голосовом меню, ожидание 0:20, нажато: 1"


def test_an_exchange_that_repeats_itself_fills_no_row(tell, monkeypatch):
    monkeypatch.setattr(calls, "MOST_STEPS", 40)
    tell(*(step(K.DTMF, number, digits="1") for number in range(calls.MOST_STEPS + 5)), step(K.ENDED, 2000))
    call = Call.objects.get()
    assert (len(call.steps), call.state) == (calls.MOST_STEPS + 1, "missed")


def test_what_no_column_holds_is_cut_or_left_out(tell):
    odd = "x\x00" * 400
    tell(step(K.RINGING, 0, call=odd, caller=odd, extension=odd, queue=odd, reason=odd, recording=odd))
    assert Call.objects.get().queue == "x" * 120


def test_two_legs_with_one_key_of_different_calls_stay_apart(tell):
    tell(step(K.RINGING, 0, "1"), step(K.RINGING, 5, "1", call="c2"))
    assert Call.objects.count() == 2


def test_a_step_that_knows_only_its_leg_finds_its_call(tell, operator):
    tell(RING, step(K.RINGING, 4, "agent", extension="101"), step(K.ANSWERED, 9, call="agent", caller="", called=""))
    assert (Call.objects.get().state, Session.objects.get().owner) == ("talking", operator)


def test_open_legs_are_those_an_exchange_is_asked_about(tell, account):
    tell(RING, AT_DESK, step(K.MISSED, 9, "c1:101"), step(K.RINGING, 10, "c1:102", extension="102"))
    assert calls.list_open_legs(account) == {"c1": "c1", "c1:102": "c1"}
    tell(END)
    assert calls.list_open_legs(account) == {}


def test_a_call_cannot_be_answered_by_a_text(tell, operator):
    tell(RING, TAKEN)
    from omni.channels.contract import Failed, Outgoing
    from omni.channels.registry import adapter_for

    session = Session.objects.get()
    assert answering.capabilities_of(session).text_limit == 0
    result = adapter_for("voice").send(Outgoing(key="k", recipient=GUEST, text="x"), session.account.config())
    assert isinstance(result, Failed)
    assert result.code == "no_text_in_calls"


def test_calling_back_needs_a_telephone_in_an_exchange_that_can(tell, operator):
    tell(RING, TAKEN)
    with pytest.raises(Refusal) as refused:
        calling.call_back(session_id=Session.objects.get().pk, by=operator, now=NOW)
    assert refused.value.code == "no_telephone"
    assert Staff.objects.filter(pk=operator.pk).exists()
