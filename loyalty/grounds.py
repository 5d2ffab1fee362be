"""What a compensation is given for: the apps above register what they know (tickets: `case`), in AppConfig.ready."""

from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal


@dataclass(frozen=True)
class Ground:
    """A matter of a guest. `subject` as in the audit trail (`case:4711`), `number` as people say it."""

    subject: str
    number: str
    guest_id: int


class Grounds(Protocol):
    """Knows one kind of subject."""

    kind: str

    def find(self, *, staff: Staff, subject_id: int) -> Ground:
        """The matter, when this person may see it and it is one to compensate for. Raises Refusal (404 for what is not seen)."""


_known: dict[str, Grounds] = {}


def register(grounds: Grounds) -> None:
    _known[grounds.kind] = grounds


def find(*, staff: Staff, subject: str) -> Ground:
    """The matter behind `case:4711`. Raises Refusal (404)."""
    kind, _colon, number = subject.partition(":")
    if kind not in _known or not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise Refusal("not_found", _("There is no such ticket, or you may not see it."), status=404)
    return _known[kind].find(staff=staff, subject_id=int(number))
