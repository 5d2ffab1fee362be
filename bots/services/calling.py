"""A dialogue by telephone: the exchange asks what is next and brings the keys; the caller hears the same dialogues."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import translation

from bots import engine, rendering, summary
from bots.engine import MESSAGE, Why
from bots.engine import Turn as Answer
from bots.models import Run, Turn
from bots.script import Script
from bots.services import asking, scripts
from bots.services.talking import queue_of
from bots.services.topics import line_of
from bots.states import RunState, TurnState
from core.statements import update
from core.text import storable
from omni.channels.contract import CallKind, CallStep
from omni.channels.telephony.account import region_of
from omni.channels.telephony.numbers import e164
from omni.models import Call, ChannelAccount, Queue, Session
from omni.services import attending, calls, conversations, rows
from omni.states import Direction, SessionState

WAIT_SECONDS = 7
"""For a key; the account's setting `ivr.wait_seconds` overrides it."""
CALL_BACK_KEY = "1"


@dataclass(frozen=True)
class Utterance:
    """Words to be read aloud, or the exchange's recording of them."""

    text: str
    sound: str = ""


@dataclass(frozen=True)
class Reply:
    """What the exchange does next: it says this, then waits for keys (`digits` at most, # ends them), transfers or hangs up."""

    say: Sequence[Utterance] = ()
    digits: int = 0
    timeout: int = WAIT_SECONDS
    transfer: str = ""
    hangup: bool = False

    def as_json(self) -> dict[str, Any]:
        collect = {"digits": self.digits, "timeout": self.timeout, "finish": "#"} if self.digits else None
        said = [asdict(one) for one in self.say]
        return {"say": said, "collect": collect, "transfer": self.transfer or None, "hangup": self.hangup}


@dataclass(frozen=True)
class Question:
    """An exchange's question. `number` counts the questions of a call from 1: a repeat gets the first answer. None = not counted.

    `digits` are the keys pressed since the last answer, empty at the beginning and when the caller waited too long.
    """

    call_key: str
    caller: str = ""
    called: str = ""
    digits: str = ""
    number: int | None = None
    is_over: bool = False
    """The caller has hung up."""
    speaks: bool = True
    """The exchange reads words aloud; otherwise the caller hears the recordings that the steps name, and nothing else."""
    extra: Mapping[str, str] = field(default_factory=dict)


def what_next(*, account: ChannelAccount, question: Question, now: datetime) -> Reply:
    """The answer to an exchange's question, given once however often it is asked."""
    return _answered(account, question, now=now)[0]


def answered_once(*, account: ChannelAccount, question: Question, now: datetime) -> Reply | None:
    """The answer for an exchange that must be led by commands of ours: None if this question (`number`) was answered before."""
    reply, fresh = _answered(account, question, now=now)
    return reply if fresh else None


@transaction.atomic
def _answered(account: ChannelAccount, question: Question, *, now: datetime) -> tuple[Reply, bool]:
    """The answer, and whether it was made just now; of several who ask the same at once one makes it."""
    with translation.override(settings.LANGUAGE_CODE):
        session = _heard_of(account, question, now=now)
        run = _run(account, question, session, now=now)
        if run is None:
            return Reply(transfer=number_for(account, account.queue), hangup=not number_for(account, account.queue)), True
        number = question.number or 1 + (run.turns.aggregate(last=Max("number"))["last"] or 0)
        known = run.turns.filter(number=number).first()
        if known is not None and known.answer is not None:
            return _from_json(known.answer), False
        reply = _answer(run, session, question, now=now)
        Turn.objects.create(run=run, number=number, heard=question.digits[:64], answer=asdict(reply), state=TurnState.DONE, next_at=now)
        return reply, True


def has_dialogue(account: ChannelAccount) -> bool:
    """Whether a dialogue answers first here, so that the exchange may be told what to do."""
    return scripts.published(account.answers_first) is not None


def _from_json(kept: Mapping[str, Any]) -> Reply:
    return Reply(**{**kept, "say": tuple(Utterance(**one) for one in kept["say"])})


def _heard_of(account: ChannelAccount, question: Question, *, now: datetime) -> Session | None:
    """The call in the feed: the exchange's own events may come later, or not at all."""
    caller, called = (e164(written, region_of(account.config())) for written in (question.caller, question.called))
    key = storable(question.call_key)[:200]
    # Its sequence is below those of the exchange's own steps, so it never undoes one.
    step = CallStep(CallKind.RINGING, key, key, 0, now, caller=caller, called=called)
    calls.apply(account=account, step=step, now=now)
    call = Call.objects.filter(account=account, call_key=key).values_list("session_id", flat=True).first()
    return conversations.lock(call) if call else None


def _run(account: ChannelAccount, question: Question, session: Session | None, *, now: datetime) -> Run | None:
    """The call's run, locked; None when no dialogue answers first here."""
    key = storable(question.call_key)[:200]
    rows = Run.objects.select_for_update(of=("self",)).select_related("version__dialogue", "account__queue__policy__calendar")
    run = rows.filter(account=account, call_key=key).first()
    if run is not None:
        return run
    version = scripts.published(account.answers_first)
    if version is None:
        return None
    fresh = Run(version=version, account=account, session=session, opened_at=now, call_key=key)
    Run.objects.bulk_create([fresh], ignore_conflicts=True)
    return rows.get(account=account, call_key=key)


def _answer(run: Run, session: Session | None, question: Question, *, now: datetime) -> Reply:
    if run.state == RunState.HANDED:
        number = number_for(run.account, queue_of(session, summary.place_from(run.place)) if session else run.account.queue)
        return Reply(transfer=number, hangup=not number)
    if run.state != RunState.OPEN:
        return Reply(hangup=True)
    if question.is_over:
        return _ended(run, RunState.SILENT, now=now)
    script, place = scripts.read(run.version), summary.place_from(run.place)
    digits = question.digits.strip().rstrip("#")
    if place.step == MESSAGE and digits != CALL_BACK_KEY:
        return _ended(run, RunState.DONE, now=now)
    known = asking.known_caller(session.identity.address if session else "", run.account, session.guest_id if session else None)
    queue = queue_of(session, place) if session else run.account.queue
    facts = asking.facts_of(known, queue, can_share_phone=False, now=now)
    perform = asking.performing(run, known, now=now)
    if run.turns_done >= run.version.most_turns:
        said = engine.hand(script, place, Why.LONG, facts, perform)
    else:
        said = engine.hear(script, place, digits, facts, perform) if run.place else engine.begin(script, facts, perform)
    return _carried_out(run, session, script, said, now=now, speaks=question.speaks)


def _ended(run: Run, state: RunState, *, now: datetime, reply: Reply | None = None) -> Reply:
    run.state, run.ended_at, run.next_at = state, now, None
    run.save()
    return reply or Reply(hangup=True)


def _carried_out(run: Run, session: Session | None, script: Script, said: Answer, *, now: datetime, speaks: bool) -> Reply:
    run.place, run.turns_done = asdict(said.place), run.turns_done + 1
    run.next_at = now + timedelta(minutes=run.version.idle_minutes)
    words = _words(script, said)
    if not speaks and not all(one.sound for one in words):
        # What cannot be said must not be passed over in silence: a person says it. Before a person, the rest may be left out.
        said = replace(said, handed=said.handed or Why.UNSPOKEN, ended=True)
        words = tuple(one for one in words if one.sound) if said.handed is not Why.UNSPOKEN else ()
    if said.handed:
        return _ended(run, RunState.HANDED, now=now, reply=_handed(run, session, said, words, now=now))
    if said.ended:
        return _ended(run, RunState.DONE, now=now, reply=Reply(words, hangup=True))
    run.save()
    digits = 1 if said.place.step == MESSAGE else said.said[-1].digits
    return Reply(words, digits=digits, timeout=_wait(run.account))


def _words(script: Script, said: Answer) -> tuple[Utterance, ...]:
    waits = not said.ended and said.place.step != MESSAGE
    last = len(said.said) - 1
    spoken = [
        Utterance(rendering.spoken(one, operator=script.operator_label, with_keys=waits and place == last), one.sound)
        for place, one in enumerate(said.said)
    ]
    return tuple(one for one in spoken if one.text or one.sound)


def _wait(account: ChannelAccount) -> int:
    seconds = account.settings.get("ivr", {}).get("wait_seconds")
    return seconds if isinstance(seconds, int) and 0 < seconds <= 60 else WAIT_SECONDS


def _handed(run: Run, session: Session | None, said: Answer, words: Sequence[Utterance], *, now: datetime) -> Reply:
    """To a person of the exchange's queue; whoever asked to be called back waits in ours."""
    told = summary.described(run.version.dialogue.name, said.place, said.handed or Why.ASKED)
    queue = queue_of(session, said.place) if session else run.account.queue
    if said.handed is Why.MESSAGE:
        if session is not None and session.state == SessionState.WAITING:
            attending.hand_over(session=session, summary=told, topics=line_of(said.place.topic), queue=queue, now=now)
        return Reply(words, hangup=True)
    if session is not None:
        session.topics, session.queue = line_of(said.place.topic) or session.topics, queue
        update(session, "topics", "queue")
        conversations.add_line(session=session, direction=Direction.NOTE, text=told, by=None, now=now)
        rows.show(session, now=now)
    number = number_for(run.account, queue)
    return Reply(words, transfer=number, hangup=not number)


def number_for(account: ChannelAccount, queue: Queue) -> str:
    """Where the exchange finds people for a queue: its line in the account's `ivr.numbers`, else `ivr.transfer`; empty = nowhere."""
    given = account.settings.get("ivr", {})
    for line in given.get("numbers") or ():
        code, _sign, number = str(line).partition("=")
        if code.strip() == queue.code and number.strip():
            return number.strip()
    return str(given.get("transfer") or "").strip()
