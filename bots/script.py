"""A dialogue as the engine reads it: steps, the ways between them, its limits. Pure: plain values, made from rows or from JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class StepKind(models.TextChoices):
    MENU = "menu", _("menu: the guest chooses")
    ASK = "ask", _("question: the guest writes something")
    SAY = "say", _("words: the dialogue goes on by itself")
    SKILL = "skill", _("skill: something is looked up or done")
    PERSON = "person", _("a person takes over")
    END = "end", _("the end")


class Expects(models.TextChoices):
    """What a question is answered by."""

    TEXT = "text", _("any words")
    CARD = "card", _("the number of a card")
    ORDER = "order", _("the number of an order")
    STORE = "store", _("a store: number or address")
    PHONE = "phone", _("the own telephone, shared by the button")


WAITING = frozenset({StepKind.MENU, StepKind.ASK})
"""Kinds of steps at which the guest is waited for."""
OTHER = "*"
"""Words of a way that any answer takes which nothing else has taken; outcome of a skill that no other way names."""
IMPOSSIBLE = "impossible"
"""The way from a question that this channel has no means to answer."""


@dataclass(frozen=True)
class Way:
    """From a step to the next. `label` is shown, `words` (stems) take it as well; `outcome` of a skill."""

    to: str
    label: str = ""
    words: Sequence[str] = ()
    outcome: str = ""


@dataclass(frozen=True)
class Step:
    """`sound` is the exchange's recording of the text; `saves_as` names what a question's answer is kept as."""

    code: str
    kind: StepKind
    text: str = ""
    sound: str = ""
    skill: str = ""
    expects: Expects = Expects.TEXT
    saves_as: str = ""
    topic: str = ""
    queue: str = ""
    ways: Sequence[Way] = ()

    @property
    def choices(self) -> Sequence[Way]:
        """The ways that a guest is shown, in their order: the first is key 1."""
        return [way for way in self.ways if way.label][:9]

    @property
    def onward(self) -> str:
        """The only way of words and questions; empty = the dialogue ends here."""
        return next((way.to for way in self.ways if not way.outcome), "")


@dataclass(frozen=True)
class Script:
    """A dialogue. Times in minutes; texts are what the machine says by itself."""

    name: str
    start: str
    steps: Mapping[str, Step]
    most_misunderstood: int = 2
    operator_words: Sequence[str] = ()
    misunderstood_text: str = ""
    operator_text: str = ""
    closed_text: str = ""
    taken_text: str = ""
    operator_label: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "steps": [asdict(step) for step in self.steps.values()]}


def from_json(kept: Mapping[str, Any]) -> Script:
    """What `as_json` gave."""
    steps = [_step(one) for one in kept["steps"]]
    return Script(**{**kept, "steps": {step.code: step for step in steps}})


def _step(kept: Mapping[str, Any]) -> Step:
    ways = [Way(**way) for way in kept.get("ways", ())]
    return Step(**{**kept, "kind": StepKind(kept["kind"]), "expects": Expects(kept.get("expects") or Expects.TEXT), "ways": ways})
