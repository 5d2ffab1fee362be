"""The try-out of a version: the guest is played, nothing is sent, and what skills do is undone at once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation

from bots import engine, summary
from bots.engine import Facts, Result
from bots.models import Version
from bots.services import asking, scripts
from bots.skills.contract import Asking
from customers.models import Guest, Identity


@dataclass(frozen=True)
class Played:
    """What is so in the try-out. `phone` = the guest has shared this one; `outcome` = what the next skill comes to, without being asked."""

    is_working: bool = True
    can_share_phone: bool = True
    phone: str = ""
    outcome: str = ""
    sees_personal: bool = False
    """Whether who tries may be told of the orders and points of a real telephone."""


@dataclass(frozen=True)
class Line:
    """A line of the talk: `who` is guest, bot or note."""

    who: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A talk so far. `place` empty = not begun."""

    place: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    is_over: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def trial_from(kept: Mapping[str, Any] | None) -> Trial:
    """What `as_json` gave."""
    if not kept:
        return Trial()
    lines = tuple(Line(one["who"], one["text"], tuple(one["choices"])) for one in kept["lines"])
    return Trial(kept["place"], lines, kept["is_over"])


def begin(version: Version, played: Played, *, now: datetime) -> Trial:
    """The machine's first words."""
    return _played(version, Trial(), None, played, now=now)


def hear(version: Version, trial: Trial, text: str, played: Played, *, now: datetime) -> Trial:
    """The talk after the guest has said this."""
    return trial if trial.is_over else _played(version, trial, text, played, now=now)


def _played(version: Version, trial: Trial, text: str | None, played: Played, *, now: datetime) -> Trial:
    script = scripts.read(version)
    facts = Facts(played.is_working, "завтра в 09:00", played.phone, played.can_share_phone)
    used: list[Line] = []

    def perform(skill: str, values: Mapping[str, str]) -> Result:
        found = Result(played.outcome) if played.outcome else asking.attempt(skill, _asking(played, now=now), values)
        used.append(Line("note", f"{skill} → {found.outcome}"))
        return found

    with translation.override(settings.LANGUAGE_CODE), transaction.atomic():
        place = summary.place_from(trial.place)
        said = engine.begin(script, facts, perform) if text is None else engine.hear(script, place, text, facts, perform)
        transaction.set_rollback(True)
    guest = [] if text is None else [Line("guest", text)]
    call = () if said.ended or said.place.step == engine.MESSAGE else (script.operator_label,)
    last = len(said.said) - 1
    spoken = [Line("bot", one.text, (*one.choices, *(call if place == last else ()))) for place, one in enumerate(said.said)]
    handed = [Line("note", summary.described(script.name, said.place, said.handed))] if said.handed else []
    return Trial(asdict(said.place), (*trial.lines, *guest, *used, *spoken, *handed), said.ended)


def _asking(played: Played, *, now: datetime) -> Asking:
    """Of a guest who is made for the skill and gone with it; of the one with this telephone, if who tries may see that."""
    if not played.phone:
        return Asking(now=now, guest_id=Guest.objects.create(created_at=now).pk)
    if not played.sees_personal:
        return Asking(now=now, guest_id=Guest.objects.create(created_at=now).pk, is_verified=True)
    found = set(Identity.objects.filter(phone=played.phone, is_verified=True).values_list("guest_id", flat=True))
    guest = found.pop() if len(found) == 1 else Guest.objects.create(created_at=now).pk
    return Asking(now=now, guest_id=guest, is_verified=True, phones=frozenset({played.phone}))
