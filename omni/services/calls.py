"""Telephone calls in the guest's feed: one entry a call, rewritten as the exchange tells of it; who took it has the dialogue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from accounts.models import Staff
from accounts.rights import Right
from core.live import announce, staff_topic
from core.refusal import Refusal
from core.text import first_line, storable
from customers.services import identities
from omni import telephony
from omni.channels.contract import CallKind, CallStep
from omni.followers import followers
from omni.models import Call, ChannelAccount, Extension, Message, Session
from omni.services import conversations, rows, waiting
from omni.states import Direction, SessionState
from omni.telephony import CallFacts
from sla.services import clocks

log = structlog.get_logger(__name__)
# An exchange that repeats itself for ever must not fill the row; the end of a call is always kept.
MOST_STEPS = 500
# A call of which nothing was heard for so long is over, its end got lost; the account's setting `lost_minutes` overrides it.
LOST_AFTER = timedelta(hours=3)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
WITHHELD = "Номер скрыт"
# Steps that show somebody on the line, though the number is withheld; of the others a guest is made only by a number.
_ON_THE_LINE = frozenset({CallKind.RINGING.value, CallKind.QUEUED.value})


def apply(*, account: ChannelAccount, step: CallStep, now: datetime, name: str = "") -> Message | None:
    """Apply one step inside the caller's transaction; the call's entry in the feed, None while it has none.

    Repeats change nothing, and steps may come in any order. `name` = what the exchange calls the caller.
    """
    step = _storable(step, now=now)
    call = _locked(account, step)
    if step.reconciled and call.ended_at and not call.is_lost:
        return call.message
    if not _add(call, step):
        return call.message
    call.last_step_at = max(call.last_step_at, step.at)
    call.is_lost = False
    facts = _summed_up(call)
    if call.session_id is None and facts.started_at and (facts.guest or any(kept["kind"] in _ON_THE_LINE for kept in call.steps)):
        _open(call, facts, name=name, now=now)
    _go_on(call, facts, now=now)
    return call.message


def _storable(step: CallStep, *, now: datetime) -> CallStep:
    """The step as the columns can hold it; a clock that runs ahead is set back to ours."""
    texts = {"call_key": 200, "leg_key": 200, "caller": 40, "called": 40, "extension": 32, "queue": 120, "reason": 120, "digits": 32}
    cut: dict[str, Any] = {name: storable(getattr(step, name))[:limit] for name, limit in texts.items()}
    at = min(max(step.at, EARLIEST), now + conversations.FUTURE_LIMIT)
    return replace(step, at=at, recording=storable(step.recording)[:1000], **cut)


def _locked(account: ChannelAccount, step: CallStep) -> Call:
    """The call's row, locked until the transaction ends: by its key, else the one of which the key names a leg, else a new one."""
    # The call first, then the guest, the dialogue, the load: in this order everywhere.
    found = Call.objects.select_for_update(of=("self",)).select_related("message").filter(account=account)
    call = found.filter(call_key=step.call_key).first() or found.filter(leg_keys__contains=[step.call_key]).order_by("-pk").first()
    if call is None:
        Call.objects.bulk_create([Call(account=account, call_key=step.call_key, last_step_at=step.at)], ignore_conflicts=True)
        call = found.get(call_key=step.call_key)
    call.account = account
    return call


def _add(call: Call, step: CallStep) -> bool:
    """Keep the step; False when it is there already, or when there are too many."""
    kept = telephony.as_json(replace(step, call_key=call.call_key))
    same = ("leg_key", "sequence", "kind")
    if any(all(known.get(field) == kept.get(field) for field in same) for known in call.steps):
        return False
    if len(call.steps) >= MOST_STEPS and step.kind not in telephony.ENDS:
        return False
    call.steps.append(kept)
    if step.leg_key not in call.leg_keys:
        call.leg_keys.append(step.leg_key)
    return True


def _summed_up(call: Call) -> CallFacts:
    """What the steps add up to, written into the row; the row is not saved."""
    facts = telephony.facts_of([telephony.from_json(kept) for kept in call.steps], lost=call.is_lost)
    call.state, call.inbound, call.is_lost = facts.state, facts.inbound, facts.lost
    call.guest_number, call.line, call.extension, call.queue = facts.guest, facts.line, facts.extension, facts.queue
    call.started_at, call.answered_at, call.ended_at = facts.started_at, facts.answered_at, facts.ended_at
    call.wait, call.duration, call.reason = facts.wait, facts.duration, facts.reason
    call.recording, call.digits = facts.recording, facts.digits[:200]
    return facts


def _open(call: Call, facts: CallFacts, *, name: str, now: datetime) -> None:
    """The guest is recognised by the number, the dialogue joined or opened, the entry made. A withheld number is a guest of its own."""
    account, number = call.account, facts.guest
    identity = identities.recognise(
        channel=account.kind,
        scope=str(account.public_id),
        external_id=number or f"call:{call.call_key}",
        name=name,
        address=number,
        phone=number if number.startswith("+") else "",
        vouched=False,  # the network tells the number, but a caller can forge it
        now=now,
    )
    if not identity.display_name:
        identity.display_name = number or WITHHELD
        identity.save(update_fields=["display_name"])
    call.session = conversations.join_or_open(account=account, identity=identity, subject="", now=now)
    call.message = conversations.add_call(
        session=call.session,
        direction=Direction.IN if facts.inbound else Direction.OUT,
        text=_text(call, facts),
        sent_at=facts.started_at or now,
        by=None if facts.inbound else _staff_at(account, _dialling(call, facts)),
        external_id=f"call:{call.call_key}",
        now=now,
    )
    call.save()
    rows.show(call.session, now=now, preview=call.message)


def _dialling(call: Call, facts: CallFacts) -> str:
    """The telephone from which a call to the guest is made."""
    named = [kept["extension"] for kept in call.steps if kept.get("extension")]
    return facts.extension or (named[0] if named else "")


def _staff_at(account: ChannelAccount, extension: str) -> Staff | None:
    """Who sits at a telephone of the exchange."""
    if not extension:
        return None
    found = Extension.objects.select_related("staff").filter(account=account, number=extension).first()
    return found.staff if found else None


def _text(call: Call, facts: CallFacts) -> str:
    operator = call.operator.full_name if call.operator else ""
    return telephony.described(facts, operator=operator, only_after=_missed_rule(call.account))


def _missed_rule(account: ChannelAccount) -> str:
    return str(account.settings.get("missed") or "")


def _go_on(call: Call, facts: CallFacts, *, now: datetime) -> None:
    """Everything that follows from the call as it is now: text, dialogue, wait, screens. The call's row is locked."""
    if call.session_id is None or call.message is None:
        call.save()
        return
    session = conversations.lock(call.session_id)
    operator = _staff_at(call.account, facts.extension)
    taken = facts.answered_at is not None and (not call.was_answered or (operator is not None and operator != call.operator))
    call.operator = operator or call.operator
    began = call.message.sent_at
    changed = _rewrite(call.message, _text(call, facts), at=facts.started_at, by=_author(call, facts))
    if call.is_heard and session.waiting_since == began:  # the beginning has come after the end
        session.waiting_since = call.message.sent_at
        session.save(update_fields=["waiting_since"])
    call.save()  # rows ask which calls go on
    if taken:
        session = _answered(call, call.message, session, facts, now=now)
    if facts.is_over:
        _over(call, call.message, session, facts, now=now)
    elif changed:
        rows.show(session, now=now, preview=call.message)
    _tell_screens(call, facts, session)
    call.save(update_fields=["was_answered", "is_heard", "popped", "told"])


def _author(call: Call, facts: CallFacts) -> Staff | None:
    return None if facts.inbound else _staff_at(call.account, _dialling(call, facts))


def _rewrite(message: Message, text: str, *, at: datetime | None, by: Staff | None) -> bool:
    """The entry says what is so by now, without a trace of an edit: nobody took anything back."""
    author, at = by or message.author, min(at or message.sent_at, message.sent_at)
    if (message.text, message.author, message.sent_at) == (text, author, at):
        return False
    message.text, message.author, message.sent_at = text, author, at
    message.save(update_fields=["text", "author", "sent_at"])
    announce(kind="message_changed", payload={"message_id": message.pk, "guest_id": message.guest_id}, topics=[f"guest:{message.guest_id}"])
    return True


def _answered(call: Call, message: Message, session: Session, facts: CallFacts, *, now: datetime) -> Session:
    """A person talks to the guest: an older wait is over, and who talks has the dialogue."""
    call.was_answered = True
    if session.state == SessionState.CLOSED:
        if facts.is_over:  # late news of a conversation that everybody has done with
            return session
        session = conversations.reopen(session=session, now=now)
    answered_at = facts.answered_at or now
    # What began before the answer is over with it, and so is what this call itself had begun while its answer was on the way.
    own = call.is_heard and session.last_inbound_id == message.pk
    if session.waiting_since is not None and (own or session.waiting_since <= answered_at):
        waiting.stop(session, message, now=now)
        clocks.meet(subject=session.clock_subject, metrics=waiting.RESPONSES, now=now, started_before=answered_at)
        for follower in followers():
            follower.on_sent(session, message, now=now)
    if call.operator is not None and not (facts.is_over and session.owner_id):
        session = _give(session, call.operator, now=now)
    return session


def _give(session: Session, operator: Staff, *, now: datetime) -> Session:
    """The dialogue goes to who took the call, unless this person may not have it; the talk goes on all the same."""
    if session.owner_id == operator.pk and session.state == SessionState.ACTIVE:
        return session
    if not operator.is_active or not operator.has_right(Right.ANSWER):
        return session
    try:
        with transaction.atomic():
            return conversations.assign(session=session, to=operator, by=operator, now=now, action="session.taken")
    except Refusal as refusal:
        log.info("a call was taken by somebody who may not have its dialogue", staff=operator.pk, reason=refusal.code)
        return conversations.lock(session.pk)


def _over(call: Call, message: Message, session: Session, facts: CallFacts, *, now: datetime) -> None:
    """A missed call waits to be returned; a dialogue that the call opened and nobody has is over with it."""
    if telephony.is_missed(facts, only_after=_missed_rule(call.account)):
        if not call.is_heard:
            call.is_heard = True
            session = conversations.reopen(session=session, now=now) if session.state == SessionState.CLOSED else session
            conversations.hear(session=session, message=message, now=now)
    elif _is_nobodys(session):
        conversations.close(session_id=session.pk, by=None, now=now)
    elif session.state != SessionState.CLOSED:
        rows.show(session, now=now, preview=message)


def _is_nobodys(session: Session) -> bool:
    """Whether nobody has the dialogue, nobody waits in it, and no other call of it goes on."""
    idle = session.state == SessionState.WAITING and session.waiting_since is None
    return idle and not Call.objects.filter(session=session, ended_at=None).exists()


def _tell_screens(call: Call, facts: CallFacts, session: Session) -> None:
    """The ringing telephone's operator sees who calls; whoever talks sees the call go on and end."""
    fresh = [(leg, extension) for leg, extension in facts.ringing if leg not in call.popped]
    for _leg, extension in fresh if facts.inbound else ():
        staff = _staff_at(call.account, extension)
        if staff is not None:
            announce(kind="call_ringing", payload=_shown(call, session, extension), topics=[staff_topic(staff.pk)])
    told = f"{facts.state}:{facts.extension}"
    if call.operator is not None and call.told != told:
        announce(kind="call_changed", payload=_shown(call, session, facts.extension), topics=[staff_topic(call.operator.pk)])
    call.popped, call.told = [*call.popped, *(leg for leg, _extension in fresh)], told


def _shown(call: Call, session: Session, extension: str) -> dict[str, object]:
    """A call as the operator's screen gets it."""
    return {
        "call_id": call.pk,
        "guest_id": session.guest_id,
        "session_id": session.pk,
        "caller": call.guest_number,
        "name": first_line(session.guest.name or session.identity.display_name),
        "extension": extension,
        "state": call.state,
        "inbound": call.inbound,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
    }


def find_lost(*, now: datetime, limit: int = 200) -> list[int]:
    """Ids of calls that go on in our books only: nothing was heard of them for longer than their account allows."""
    quiet = Call.objects.filter(ended_at=None, last_step_at__lt=now - timedelta(minutes=1)).select_related("account")
    found = quiet.order_by("last_step_at").only("last_step_at", "account__settings")[: limit * 5]
    return [call.pk for call in found if call.last_step_at < now - _lost_after(call.account)][:limit]


def _lost_after(account: ChannelAccount) -> timedelta:
    minutes = account.settings.get("lost_minutes")
    return timedelta(minutes=minutes) if isinstance(minutes, int) and minutes > 0 else LOST_AFTER


@transaction.atomic
def close_lost(call_id: int, *, now: datetime) -> bool:
    """End a call whose end never came, at the last that was heard of it; the real end may still correct it. False = it is over."""
    call = Call.objects.select_for_update(of=("self",)).select_related("message", "account").get(pk=call_id)
    if call.ended_at is not None:
        return False
    call.is_lost = True
    facts = _summed_up(call)
    call.ended_at = call.ended_at or call.last_step_at
    _go_on(call, facts, now=now)
    return True


def list_open_legs(account: ChannelAccount, *, quiet_since: datetime | None = None) -> dict[str, str]:
    """Legs of the account's calls that go on in our books, with their calls: what an exchange is asked about after a gap.

    `quiet_since` = only those of calls of which nothing was heard after it.
    """
    going_on = Call.objects.filter(account=account, ended_at=None)
    found: dict[str, str] = {}
    for call in (going_on.filter(last_step_at__lt=quiet_since) if quiet_since else going_on)[:5000]:
        steps = [telephony.from_json(kept) for kept in call.steps]
        found |= dict.fromkeys(telephony.open_legs(steps), call.call_key)
    return found
