"""What the steps of a telephone call add up to. Pure: the same steps in any order, any of them twice, tell the same story.

Within a leg the steps count by their sequence, so one that comes late never undoes a later one; it only fills in its own fact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from omni.channels.contract import CallKind, CallStep

ENDS = frozenset({CallKind.ENDED, CallKind.MISSED})
TALKS = frozenset({CallKind.ANSWERED, CallKind.HOLD})
"""A held call was answered, whether we heard of that or not."""
_SILENT = frozenset({CallKind.RECORDING_READY, CallKind.DTMF})
"""Steps that change nothing about who talks to whom."""
LONGEST = 100_000_000
"""Seconds; more than a call can last, less than the column holds."""


class CallState(models.TextChoices):
    RINGING = "ringing", _("ringing")
    QUEUED = "queued", _("in the exchange's queue")
    TALKING = "talking", _("talking")
    HELD = "held", _("on hold")
    ENDED = "ended", _("ended")
    MISSED = "missed", _("missed")


OVER = frozenset({CallState.ENDED, CallState.MISSED})
_STATES = {
    CallKind.RINGING: CallState.RINGING,
    CallKind.TRANSFER: CallState.RINGING,
    CallKind.QUEUED: CallState.QUEUED,
    CallKind.ANSWERED: CallState.TALKING,
    CallKind.HOLD: CallState.HELD,
    CallKind.ENDED: CallState.ENDED,
    CallKind.MISSED: CallState.ENDED,
}


@dataclass(frozen=True)
class Leg:
    """One leg as its steps left it. `extension` is the telephone it rings or talks at."""

    key: str
    state: CallState
    extension: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True)
class CallFacts:
    """The whole call. Numbers as in CallStep, `wait` and `duration` in seconds, None = not known yet.

    `ringing` = legs with the telephones that ring now; `reached` = the guest got as far as a queue or an operator's telephone;
    `extension` = who talks, or talked last; `lost` = its end was never told.
    """

    state: CallState = CallState.RINGING
    inbound: bool = True
    guest: str = ""
    line: str = ""
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    wait: int | None = None
    duration: int | None = None
    extension: str = ""
    ringing: tuple[tuple[str, str], ...] = ()
    queue: str = ""
    reached: bool = False
    reason: str = ""
    recording: str = ""
    digits: str = ""
    lost: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in OVER


def facts_of(steps: Sequence[CallStep], *, lost: bool = False) -> CallFacts:
    """The call that these steps tell of, in whatever order. `lost` = no end will come any more: it ended with its last step."""
    ordered = _ordered(steps)
    telling = [step for step in ordered if step.kind not in _SILENT]
    if not telling:
        return _with_ends(_named(CallFacts(), ordered), ordered, None, lost=lost and bool(ordered))
    legs = [_leg(key, [step for step in telling if step.leg_key == key]) for key in dict.fromkeys(step.leg_key for step in telling)]
    facts = _named(CallFacts(), ordered)
    facts = replace(facts, started_at=min(step.at for step in telling), answered_at=_answered_at(telling), extension=_speaker(telling))
    ended_at = _ended_at(legs, telling[0].call_key)
    ringing = tuple((leg.key, leg.extension) for leg in legs if leg.state is CallState.RINGING and leg.extension)
    if ended_at is None and not lost:
        return replace(facts, state=_open_state(legs, facts, ringing), ringing=ringing, wait=_wait(facts, ordered, None))
    return _with_ends(facts, ordered, ended_at, lost=lost)


def open_legs(steps: Sequence[CallStep]) -> list[str]:
    """Keys of the legs that go on."""
    last = {step.leg_key: step for step in _ordered(steps) if step.kind not in _SILENT}
    return [key for key, step in last.items() if step.kind not in ENDS]


def _ordered(steps: Sequence[CallStep]) -> list[CallStep]:
    return sorted(steps, key=lambda step: (step.sequence, step.at, step.kind, step.leg_key, repr(step)))


def _leg(key: str, steps: Sequence[CallStep]) -> Leg:
    extension = next((step.extension for step in reversed(steps) if step.extension), "")
    state = _STATES[steps[-1].kind]
    return Leg(key, state, extension, steps[-1].at if state is CallState.ENDED else None)


def _named(facts: CallFacts, steps: Sequence[CallStep]) -> CallFacts:
    """What the steps say of the call besides its course."""
    # Which way the call goes is believed only of steps that name a number: the others may not know.
    numbered = min((step for step in steps if step.caller or step.called), key=lambda step: (step.at, step.sequence), default=None)
    inbound = numbered.inbound if numbered else True
    same_way = [step for step in steps if step.inbound == inbound]
    return replace(
        facts,
        inbound=inbound,
        guest=_first(step.caller if inbound else step.called for step in same_way),
        line=_first(step.called if inbound else step.caller for step in same_way),
        queue=_first(step.queue for step in reversed(steps)),
        reached=any(step.extension or step.queue or step.kind is CallKind.QUEUED or step.kind in TALKS for step in steps),
        recording=_first(step.recording for step in reversed(steps)),
        digits="".join(step.digits for step in steps if step.kind is CallKind.DTMF),
    )


def _first(values: Any) -> str:
    return next((value for value in values if value), "")


def _answered_at(steps: Sequence[CallStep]) -> datetime | None:
    """When a person took the call; an end with a length proves it, should the answer's own event be lost."""
    told = [step.at for step in steps if step.kind in TALKS]
    if told:
        return min(told)
    lengths = [step.at - timedelta(seconds=_bounded(step.duration)) for step in steps if step.kind is CallKind.ENDED and step.duration]
    return min(lengths, default=None)


def _speaker(steps: Sequence[CallStep]) -> str:
    """The telephone at which the call was last taken."""
    talks = [step for step in steps if step.kind in TALKS] or [step for step in steps if step.kind is CallKind.ENDED and step.duration]
    for last in sorted(talks, key=lambda step: (step.at, step.sequence), reverse=True):
        named = [step.extension for step in steps if step.leg_key == last.leg_key and step.sequence <= last.sequence and step.extension]
        if named:
            return named[-1]
    return ""


def _ended_at(legs: Sequence[Leg], call_key: str) -> datetime | None:
    """The leg that is named as the call is the call: its end ends all. Else the last leg's end does."""
    whole = next((leg for leg in legs if leg.key == call_key), None)
    if whole is not None and whole.ended_at is not None:
        return whole.ended_at
    ends = [leg.ended_at for leg in legs]
    return max((end for end in ends if end), default=None) if all(ends) else None


def _open_state(legs: Sequence[Leg], facts: CallFacts, ringing: Sequence[object]) -> CallState:
    states = {leg.state for leg in legs}
    if facts.answered_at:
        busy = [state for state in (CallState.TALKING, CallState.HELD) if state in states]
        return busy[0] if busy else CallState.RINGING if ringing else CallState.TALKING
    return CallState.QUEUED if CallState.QUEUED in states and not ringing else CallState.RINGING


def _with_ends(facts: CallFacts, steps: Sequence[CallStep], ended_at: datetime | None, *, lost: bool) -> CallFacts:
    """The facts of a call that is over; of one whose end was lost, it ended with the last thing heard of it."""
    if ended_at is None and not lost:
        return facts
    last = ended_at or max(step.at for step in steps)
    ends = [step for step in steps if step.kind in ENDS]
    ends.sort(key=lambda step: step.leg_key == step.call_key)  # the whole call's own word counts last, so most
    lengths = [step.duration for step in ends if step.duration is not None]
    duration = lengths[-1] if lengths and (lengths[-1] or not facts.answered_at) else None
    if duration is None and facts.answered_at and ended_at:
        duration = round((ended_at - facts.answered_at).total_seconds())
    return replace(
        facts,
        state=CallState.ENDED if facts.answered_at else CallState.MISSED,
        ended_at=last,
        duration=None if duration is None else _bounded(duration),
        wait=_wait(facts, steps, last),
        reason=_first(step.reason for step in reversed(ends)),
        lost=ended_at is None,
    )


def _wait(facts: CallFacts, steps: Sequence[CallStep], ended_at: datetime | None) -> int | None:
    told = next((step.wait for step in reversed(steps) if step.wait is not None), None)
    if told is not None:
        return _bounded(told)
    until = facts.answered_at or ended_at
    return _bounded(round((until - facts.started_at).total_seconds())) if until and facts.started_at else None


def _bounded(seconds: int | None) -> int:
    return min(max(seconds or 0, 0), LONGEST)


def is_missed(facts: CallFacts, *, only_after: str) -> bool:
    """Whether the guest waits for a call back. `only_after` "people": not who hung up in the voice menu."""
    return facts.state == CallState.MISSED and facts.inbound and (facts.reached or only_after != "people")


# What stands in the feed: Russian on purpose, it becomes part of the stored message like the guest's own words.
_OPEN = {
    CallState.RINGING: "вызов",
    CallState.QUEUED: "ожидает в очереди",
    CallState.TALKING: "разговор",
    CallState.HELD: "на удержании",
}
_LOST_LINE = "конец звонка не получен"


def described(facts: CallFacts, *, operator: str = "", only_after: str = "") -> str:
    """The call in one line: `Звонок: принят, Анна Иванова (101), ожидание 0:12, длительность 3:12`."""
    parts = [_headline(facts, only_after)]
    if facts.extension:
        parts.append(f"{operator} ({facts.extension})" if operator else f"доб. {facts.extension}")
    if facts.queue and not facts.answered_at:
        parts.append(f"очередь «{facts.queue}»")
    if facts.is_over and facts.wait is not None and (facts.inbound or not facts.answered_at):
        parts.append(f"ожидание {clock_face(facts.wait)}")
    if facts.is_over and facts.answered_at and facts.duration is not None:
        parts.append(f"длительность {clock_face(facts.duration)}")
    if facts.digits:
        parts.append(f"нажато: {facts.digits}")
    parts += [_LOST_LINE] if facts.lost else []
    parts += ["есть запись"] if facts.recording else []
    return ", ".join(parts)


def _headline(facts: CallFacts, only_after: str) -> str:
    kind = "Звонок" if facts.inbound else "Исходящий звонок"
    if not facts.is_over:
        return f"{kind}: {_OPEN[facts.state]}"
    if facts.state == CallState.ENDED:
        return f"{kind}: принят" if facts.inbound else f"{kind}: состоялся"
    if not facts.inbound:
        return f"{kind}: гость не ответил"
    return "Пропущенный звонок" if is_missed(facts, only_after=only_after) else "Звонок: завершён в голосовом меню"


def clock_face(seconds: int) -> str:
    """`3:12`, from an hour on `1:03:12`."""
    minutes, second = divmod(max(seconds, 0), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def as_json(step: CallStep) -> dict[str, Any]:
    """The step as the call keeps it; empty values are left out."""
    kept = {name: value for name, value in asdict(step).items() if value not in ("", None) and (name, value) != ("reconciled", False)}
    return {**kept, "kind": step.kind.value, "at": step.at.isoformat()}


def from_json(kept: Mapping[str, Any]) -> CallStep:
    return CallStep(**{**kept, "kind": CallKind(kept["kind"]), "at": datetime.fromisoformat(kept["at"])})
