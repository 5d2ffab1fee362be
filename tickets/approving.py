"""Approvals: who may decide, and what decisions come to; pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Deed(models.TextChoices):
    """What is not done to a ticket before it is approved."""

    CLOSE = "close", _("closing the ticket")
    ANSWER = "answer", _("answering the guest on the ticket")


class ApprovalState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("approval", "waits for a decision")
    APPROVED = "approved", pgettext_lazy("approval", "approved")
    DECLINED = "declined", pgettext_lazy("approval", "declined")
    EXPIRED = "expired", pgettext_lazy("approval", "nobody decided in time")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "withdrawn")


class Decision(models.TextChoices):
    YES = "yes", _("yes")
    NO = "no", _("no")


@dataclass(frozen=True)
class SeatFacts:
    """One person's part: `staff_id` was asked, `by_id` has decided (for an absent one the substitute)."""

    id: int
    staff_id: int
    decision: str = ""
    by_id: int | None = None


@dataclass(frozen=True)
class Away:
    """Somebody is absent from the first to the last day, both included; `substitute_id` decides meanwhile."""

    staff_id: int
    substitute_id: int
    since: date
    until: date

    def on(self, day: date) -> bool:
        return self.since <= day <= self.until


def verdict(seats: Iterable[SeatFacts], *, quorum: int, refusals: int) -> ApprovalState:
    """What the decisions come to: enough yes, enough no, or so few left that enough yes cannot be reached any more."""
    decisions = [seat.decision for seat in seats]
    yes, no = decisions.count(Decision.YES), decisions.count(Decision.NO)
    if yes >= quorum:
        return ApprovalState.APPROVED
    if no >= refusals or yes + decisions.count("") < quorum:
        return ApprovalState.DECLINED
    return ApprovalState.WAITING


def acting(staff_id: int, away: Sequence[Away], *, day: date, barred: Collection[int]) -> int:
    """Who decides for this person on the day: the substitute of an absent one, unless that is somebody who may not."""
    found = next((one.substitute_id for one in away if one.staff_id == staff_id and one.on(day)), staff_id)
    return staff_id if found in barred else found


def seat_for(by_id: int, seats: Sequence[SeatFacts], away: Sequence[Away], *, day: date, barred: Collection[int]) -> SeatFacts | None:
    """The open part that this person may decide: the own one first, then that of somebody who is absent. None = none is left.

    Nobody decides twice, whoever's part it is, and nobody decides who is barred (four eyes).
    """
    if by_id in barred or any(seat.by_id == by_id for seat in seats):
        return None
    open_ones = [seat for seat in seats if not seat.decision]
    own = next((seat for seat in open_ones if seat.staff_id == by_id), None)
    stands_in: Mapping[int, SeatFacts] = {acting(seat.staff_id, away, day=day, barred=barred): seat for seat in reversed(open_ones)}
    return own or stands_in.get(by_id)
