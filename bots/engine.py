"""How a dialogue goes on: from where it is and what the guest says to what the machine says and where it is then. Pure.

Skills are asked through `Perform`; nothing here raises, whatever the guest writes and however the script is made.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bots import words
from bots.script import IMPOSSIBLE, OTHER, WAITING, Expects, Script, Step, StepKind, Way

MOST_MOVES = 24
"""Steps that may follow each other without the guest; a script that goes round in a circle is left to a person."""
MESSAGE = "@message"
"""Where the guest is who leaves a message while nobody works."""
PATH_KEPT = 20
SENTENCE = 3
"""So many words at the very beginning, besides a greeting, say what is wanted."""
_PLACE = re.compile(r"\{([a-z_]{1,40})\}")


class Why(StrEnum):
    """Why a person takes over."""

    ASKED = "asked"
    MISUNDERSTOOD = "misunderstood"
    SCRIPT = "script"
    BROKEN = "broken"
    MESSAGE = "message"
    SILENT = "silent"
    FILE = "file"
    LONG = "long"
    UNSPOKEN = "unspoken"


@dataclass(frozen=True)
class Place:
    """Where a dialogue is. `values` is what was answered and found, `path` the labels that were chosen."""

    step: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    misunderstood: int = 0
    path: tuple[str, ...] = ()
    topic: str = ""
    queue: str = ""
    why: str = ""
    """Why a person was called, while a message is still taken."""


@dataclass(frozen=True)
class Facts:
    """What is so while the guest waits. `opens` in words; `phone` is one that was vouched for, else empty."""

    is_working: bool = True
    opens: str = ""
    phone: str = ""
    can_share_phone: bool = False


@dataclass(frozen=True)
class Said:
    """What the machine says. `choices` are shown in their order; `digits` = how many keys an answer may have (0 = none is waited for)."""

    text: str
    sound: str = ""
    choices: tuple[str, ...] = ()
    asks_phone: bool = False
    digits: int = 0


@dataclass(frozen=True)
class Result:
    """What a skill found: its outcome, what it says (may be nothing), values for later steps."""

    outcome: str
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One answer of the machine. `handed` = why a person takes over; `ended` = nothing more is waited for."""

    place: Place
    said: tuple[Said, ...]
    handed: Why | None = None
    ended: bool = False


Perform = Callable[[str, Mapping[str, str]], Result]


def begin(script: Script, facts: Facts, perform: Perform) -> Turn:
    """The first words of the machine."""
    return _Way(script, facts, perform).enter(Place(), script.start)


def begin_with(script: Script, text: str, facts: Facts, perform: Perform) -> Turn:
    """As `begin`, but first words that say what is wanted are not answered by a menu."""
    way, first = _Way(script, facts, perform), script.steps.get(script.start)
    if words.wants_person(text, script.operator_words):
        return way.to_person(Place(step=script.start), Why.ASKED)
    wanted = words.chosen(first, text) if first and first.kind == StepKind.MENU and not words.key_of(text) else None
    if first and wanted and (wanted.label or len(words.telling(text)) >= SENTENCE):
        return way.choose(Place(step=script.start), first, wanted, text)
    return way.enter(Place(), script.start)


def hear(script: Script, place: Place, text: str, facts: Facts, perform: Perform) -> Turn:
    """What follows from the guest's words (or one pressed key)."""
    return _Way(script, facts, perform).hear(place, text)


def hand(script: Script, place: Place, why: Why, facts: Facts, perform: Perform) -> Turn:
    """A person takes over for a reason outside the dialogue."""
    return _Way(script, facts, perform).to_person(place, why)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known in its places; an unknown place is left empty."""
    return _PLACE.sub(lambda found: values.get(found[1], ""), text)


class _Way:
    """One turn under way: what is said is collected."""

    def __init__(self, script: Script, facts: Facts, perform: Perform) -> None:
        self.script, self.facts, self.perform = script, facts, perform
        self.said: list[Said] = []
        self.origin = ""
        """Where the guest was asked."""

    def hear(self, place: Place, text: str) -> Turn:
        self.origin = place.step
        if place.step == MESSAGE:
            return self._message_taken(place, text)
        if words.wants_person(text, self.script.operator_words):
            return self.to_person(place, Why.ASKED)
        step = self.script.steps.get(place.step)
        if step is None or step.kind not in WAITING:
            return self.to_person(place, Why.BROKEN)
        return self._chosen(place, step, text) if step.kind == StepKind.MENU else self._answered(place, step, text)

    def _chosen(self, place: Place, step: Step, text: str) -> Turn:
        way = words.chosen(step, text)
        return self.choose(place, step, way, text) if way else self._not_understood(place, step)

    def choose(self, place: Place, step: Step, way: Way, text: str) -> Turn:
        """The guest's words have taken this way from a menu."""
        values = place.values
        if OTHER in way.words and not way.label:  # what was asked is in the guest's own words
            values = {**values, step.saves_as or "question": words.answered(Expects.TEXT, text)}
        label = way.label or words.answered(Expects.TEXT, text)[:80]
        path = (*place.path, label)[-PATH_KEPT:]
        return self.enter(replace(place, values=values, path=path), way.to)

    def _answered(self, place: Place, step: Step, text: str) -> Turn:
        answer = self.facts.phone if step.expects == Expects.PHONE else words.answered(step.expects, text)
        if not answer:
            return self._not_understood(place, step)
        values = {**place.values, step.saves_as or step.code: answer}
        return self.enter(replace(place, values=values), step.onward)

    def _not_understood(self, place: Place, step: Step) -> Turn:
        place = replace(place, misunderstood=place.misunderstood + 1)
        if place.misunderstood >= max(1, self.script.most_misunderstood):
            return self.to_person(place, Why.MISUNDERSTOOD)
        if self.script.misunderstood_text:
            self.said.append(Said(self.script.misunderstood_text, self.script.texts.get("misunderstood", "")))
        return self._wait(place, step)

    def enter(self, place: Place, code: str) -> Turn:
        """Go to a step, and on until the guest is waited for, a person takes over, or it is over."""
        for _move in range(MOST_MOVES):
            step = self.script.steps.get(code)
            if step is None:
                return self.to_person(place, Why.BROKEN) if code else self._end(place)
            place = replace(place, step=code, topic=step.topic or place.topic, queue=step.queue or place.queue)
            if step.kind == StepKind.PERSON:
                return self.to_person(place, Why.SCRIPT, step)
            if step.kind == StepKind.END:
                self._say(step, place)
                return self._end(place)
            if step.kind in WAITING:
                passed = self._passed(place, step)
                if passed is None:
                    return self._reached(place, step)
                place, code = passed
            else:
                place, code = self._through(place, step)
        return self.to_person(place, Why.BROKEN)

    def _passed(self, place: Place, step: Step) -> tuple[Place, str] | None:
        """A question that need not be asked, or cannot be answered here; None = the guest is asked."""
        if step.kind != StepKind.ASK or step.expects != Expects.PHONE:
            return None
        if self.facts.phone:
            return replace(place, values={**place.values, step.saves_as or step.code: self.facts.phone}), step.onward
        if not self.facts.can_share_phone:
            return place, next((way.to for way in step.ways if way.outcome == IMPOSSIBLE), "") or "@no way"
        return None

    def _through(self, place: Place, step: Step) -> tuple[Place, str]:
        """Words and skills: what is said, and the step after."""
        if step.kind == StepKind.SAY:
            self._say(step, place)
            return place, step.onward
        found = self.perform(step.skill, place.values)
        place = replace(place, values={**place.values, **found.values})
        if found.text:
            self.said.append(Said(found.text))
        if step.text:
            self._say(step, place)
        way = _by_outcome(step.ways, found.outcome)
        return place, way.to if way else "@no way"

    def _say(self, step: Step, place: Place) -> None:
        text = filled(step.text, place.values).strip()
        if text or step.sound:
            self.said.append(Said(text, step.sound))

    def _reached(self, place: Place, step: Step) -> Turn:
        """The guest is waited for; a question that comes back at once was answered in vain, which counts as misunderstood."""
        again = step.kind == StepKind.ASK and step.code == self.origin
        place = replace(place, misunderstood=place.misunderstood + 1 if again else 0)
        if place.misunderstood >= max(1, self.script.most_misunderstood):
            return self.to_person(place, Why.MISUNDERSTOOD)
        return self._wait(place, step)

    def _wait(self, place: Place, step: Step) -> Turn:
        choices = tuple(way.label for way in step.choices)
        asks = step.kind == StepKind.ASK and step.expects == Expects.PHONE and self.facts.can_share_phone
        digits = 1 if step.kind == StepKind.MENU else 32
        self.said.append(Said(filled(step.text, place.values).strip(), step.sound, choices, asks, digits))
        return Turn(place, tuple(self.said))

    def to_person(self, place: Place, why: Why, step: Step | None = None) -> Turn:
        """A person takes over; while nobody works the guest hears that, and may leave a message first."""
        if not self.facts.is_working and self.script.closed_text:
            text = filled(self.script.closed_text, {**place.values, "opens": self.facts.opens})
            self.said.append(Said(text, self.script.texts.get("closed", "")))
            return Turn(replace(place, step=MESSAGE, why=why.value), tuple(self.said))
        if step and step.text:
            self._say(step, place)
        elif self.script.operator_text:
            self.said.append(Said(self.script.operator_text, self.script.texts.get("operator", "")))
        return Turn(replace(place, why=why.value), tuple(self.said), handed=why, ended=True)

    def _message_taken(self, place: Place, text: str) -> Turn:
        if self.script.taken_text:
            self.said.append(Said(self.script.taken_text, self.script.texts.get("taken", "")))
        return Turn(replace(place, why=place.why or Why.MESSAGE.value), tuple(self.said), handed=Why.MESSAGE, ended=True)

    def _end(self, place: Place) -> Turn:
        return Turn(replace(place, step=""), tuple(self.said), ended=True)


def _by_outcome(ways: Sequence[Way], outcome: str) -> Way | None:
    exact = next((way for way in ways if way.outcome == outcome), None)
    return exact or next((way for way in ways if way.outcome in ("", OTHER)), None)
