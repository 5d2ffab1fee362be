"""The workstation's sign of life, and what an operator may have at once."""

from datetime import datetime
from typing import Any

from accounts.models import Staff
from accounts.selectors import find_staff
from core.refusal import Refusal
from omni.models import Presence, Session
from omni.services import distribution
from omni.services import presence as presences
from omni.states import PresenceState
from workstation.entrances import may_enter


def sign_of_life(*, staff_id: int, now: datetime) -> Staff | None:
    """Note that the person's screen is alive: the person as of now; None = may not be here any more (left, rights taken)."""
    staff = find_staff(staff_id)
    if staff is None or not may_enter(staff):
        return None
    presences.heartbeat(staff_id=staff_id, now=now)
    return staff


def look_for_work(*, staff: Staff, now: datetime) -> None:
    """Somebody ready may have room: give out what waits. What is refused at this moment is left to the sweep."""
    if not Presence.objects.filter(staff=staff, state=PresenceState.READY).exists():
        return
    try:
        distribution.give_out_for(staff, now=now)
    except Refusal:
        return


def look_for_others(*, session: Session, now: datetime) -> None:
    """The dialogue waits again: somebody else may have room."""
    distribution.try_give_out(group_id=session.serving_group_id, now=now)


def shown(staff: Staff, *, now: datetime) -> dict[str, Any]:
    """The person's own state and load as the screen gets it."""
    return presences.shown(presences.of(staff, now=now))
