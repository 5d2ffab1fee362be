"""An operator's load: changes together with a session's owner, under the presence row's lock, so it never lies."""

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest
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
    if fits.update(load=F("load") + weight, assigned_at=now):
        _held(session, weight)
    elif presence.exists():
        raise Refusal("full", _("This would be more dialogues at a time than allowed. Finish or hand on one first."))


def release(session: Session) -> None:
    """Take the active session out of its owner's load, by the weight it was taken with; call before the owner changes."""
    if session.owner_id and session.held_weight:
        Presence.objects.filter(staff_id=session.owner_id).update(load=Greatest(F("load") - session.held_weight, 0))
        _held(session, 0)


def _held(session: Session, weight: int) -> None:
    session.held_weight = weight
    session.save(update_fields=["held_weight"])


def lock(*staff_ids: int | None) -> None:
    """Lock the presence rows of everybody whose load is about to change, in one order, so that two hand-overs cannot lock each other."""
    wanted = sorted({staff_id for staff_id in staff_ids if staff_id})
    list(Presence.objects.select_for_update().filter(staff_id__in=wanted).order_by("staff_id").values_list("pk", flat=True))
