"""What a skill is: something a bot looks up or does for a guest, by the service of the app that owns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bots.engine import Result

FAILED = "failed"
"""Outcome of every skill that could not be carried out at all."""


@dataclass(frozen=True)
class Asking:
    """For whom. `phones` were vouched for; a guest who is not `is_verified` hears nothing that is not for everybody."""

    now: datetime
    guest_id: int | None = None
    is_verified: bool = False
    phones: frozenset[str] = frozenset()
    failures: Callable[[str, str], int] = field(default=lambda skill, outcome: 0)
    """How often this guest has met an outcome of a skill within a day."""


@dataclass(frozen=True)
class Skill:
    """`outcomes`: each with its meaning for the editor; `needs` = names of values that a question must have filled before."""

    code: str
    name: Any
    outcomes: Mapping[str, Any]
    perform: Callable[[Asking, Mapping[str, str]], Result]
    needs: tuple[str, ...] = ()
