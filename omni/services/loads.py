"""An operator's load: changes together with a session's owner, under the presence row's lock, so it never lies."""

from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from omni.models import Presence, Session
from omni.states import SessionState


def hold(session: Session, *, now: datetime) -> None:
    """Count the active session into its owner's load. Raises Refusal when that would be over the owner's capacity.

    Somebody who never went on line has no presence row and no capacity to keep (an expert, a supervisor).
    """
    if session.state != SessionState.ACTIVE or not session.owner_id:
        return
    weight = session.account.weight
    presence = Presence.objects.filter(staff_id=session.owner_id)
    fits = presence.filter(load__lte=F("capacity") - weight)
    if not fits.update(load=F("load") + weight, assigned_at=now) and presence.exists():
        raise Refusal("full", _("This would be more dialogues at a time than allowed. Finish or hand on one first."))


def release(session: Session) -> None:
    """Take the active session out of its owner's load; call before the owner changes."""
    if session.state == SessionState.ACTIVE and session.owner_id:
        weight = session.account.weight
        Presence.objects.filter(staff_id=session.owner_id, load__gte=weight).update(load=F("load") - weight)
