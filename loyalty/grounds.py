"""What a compensation is given for: the apps above register what they know (tickets: `case`), in AppConfig.ready."""

from dataclasses import dataclass
from datetime import datetime
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

    def heard(self, subject_id: int, deed: str, *, points: int, by: Staff | None, now: datetime, text: str) -> None:
        """What became of its compensation: `given`, `asked`, `signed`, `granted`, `refused`, `withdrawn`, `expired`; in its transaction."""


_known: dict[str, Grounds] = {}


def register(grounds: Grounds) -> None:
    _known[grounds.kind] = grounds


def tell(subject: str, deed: str, *, points: int, by: Staff | None, now: datetime, text: str = "") -> None:
    """Let the matter's own history say so."""
    kind, _colon, number = subject.partition(":")
    if kind in _known:
        _known[kind].heard(int(number), deed, points=points, by=by, now=now, text=text)


def find(*, staff: Staff, subject: str) -> Ground:
    """The matter behind `case:4711`. Raises Refusal (404)."""
    kind, _colon, number = subject.partition(":")
    if kind not in _known or not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise Refusal("not_found", _("There is no such ticket, or you may not see it."), status=404)
    return _known[kind].find(staff=staff, subject_id=int(number))
