"""Operators' presence: what they say of themselves, and the heartbeat of their screens."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.live import announce, staff_topic
from core.refusal import Refusal
from omni.models import Presence, Session
from omni.services import conversations
from omni.states import PresenceState, SessionState

# A screen reports every 20 s; after three missed reports the operator counts as away and gets nothing new.
GRACE = timedelta(seconds=60)
# Dialogues of somebody who vanished go back to the queue after this.
REASSIGN_AFTER = timedelta(minutes=5)
DEFAULT_CAPACITY = 5


def of(staff: Staff, *, now: datetime) -> Presence:
    """The person's presence row, made at the first look; its load is what the person holds already."""
    found = Presence.objects.filter(staff=staff).first()
    if found is not None:
        return found
    held = Session.objects.filter(owner=staff, state=SessionState.ACTIVE).aggregate(sum=Sum("account__weight"))["sum"] or 0
    Presence.objects.bulk_create(
        [Presence(staff=staff, since=now, seen_at=now, assigned_at=now, capacity=max(DEFAULT_CAPACITY, held), load=held)],
        ignore_conflicts=True,
    )
    return Presence.objects.get(staff=staff)


def change(*, staff: Staff, state: str, reason: str = "", by: Staff, now: datetime) -> Presence:
    """Set the person's state. Raises Refusal for a state that does not exist."""
    if state not in PresenceState.values:
        raise Refusal("bad_state", _("There is no such state."), status=400)
    of(staff, now=now)
    with transaction.atomic():
        presence = Presence.objects.select_for_update().get(staff=staff)
        if presence.state != state or presence.reason != reason:
            presence.state, presence.reason, presence.since = state, reason[:40], now
            audit.record(action="presence.changed", by=by, subject=staff, now=now, details={"state": state, "reason": reason})
        presence.seen_at = now
        presence.save(update_fields=["state", "reason", "since", "seen_at"])
        tell(presence)
    return presence


def tell(presence: Presence) -> None:
    announce(kind="presence", payload=shown(presence), topics=[staff_topic(presence.staff_id), "presence"])


def shown(presence: Presence) -> dict[str, object]:
    """The presence as the screens get it."""
    return {
        "staff_id": presence.staff_id,
        "state": presence.state,
        "reason": presence.reason,
        "since": presence.since,
        "load": presence.load,
        "capacity": presence.capacity,
    }


def heartbeat(*, staff_id: int, now: datetime) -> None:
    """The person's screen is alive; somebody who only counted as away is back."""
    updated = Presence.objects.filter(staff_id=staff_id).exclude(state=PresenceState.AWAY).update(seen_at=now)
    if not updated:
        away = Presence.objects.filter(staff_id=staff_id, state=PresenceState.AWAY)
        if away.update(seen_at=now, state=PresenceState.READY, since=now):
            tell(Presence.objects.get(staff_id=staff_id))


def sweep(*, now: datetime) -> int:
    """Count those whose screens fell silent as away, and return the dialogues of those who are gone. Returns how many moved.

    Gone = no sign of life for REASSIGN_AFTER (for GRACE when off the line), whatever they said of themselves; or off the line that
    long with what they had before. What somebody takes by hand while off the line stays with the open screen.
    """
    silent = Presence.objects.filter(state__in=[PresenceState.READY, PresenceState.WRAP_UP], seen_at__lt=now - GRACE)
    with transaction.atomic():
        for presence in silent.select_for_update(skip_locked=True)[:500]:
            presence.state, presence.since = PresenceState.AWAY, now
            presence.save(update_fields=["state", "since"])
            tell(presence)
    off = Q(owner__presence__state=PresenceState.OFFLINE)
    silent_off = off & Q(owner__presence__seen_at__lt=now - GRACE)
    left_off = off & Q(owner__presence__since__lt=now - REASSIGN_AFTER, assigned_at__lt=F("owner__presence__since"))
    gone = Q(owner__presence__seen_at__lt=now - REASSIGN_AFTER) | silent_off | left_off
    left = Session.objects.filter(gone, state=SessionState.ACTIVE).values_list("pk", "owner_id")[:500]
    return sum(_take_from(session_id, owner_id, now=now) for session_id, owner_id in list(left))


def _take_from(session_id: int, owner_id: int, *, now: datetime) -> bool:
    try:
        conversations.give_back(session_id=session_id, by=None, now=now, reason="away", owner_id=owner_id)
    except Refusal:  # handed on or finished in between
        return False
    return True
