"""Operators' presence: what they say of themselves, and the heartbeat of their screens."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, Sum, Value
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.statements import Prepared, Written
from omni.models import BreakKind, Presence, Session
from omni.services import conversations, offers
from omni.services.presence_states import MISSED_OFFER, lock, set_state, shown, tell
from omni.states import PresenceState, SessionState

__all__ = [
    "DEFAULT_CAPACITY",
    "GRACE",
    "MISSED_OFFER",
    "MOST_CAPACITY",
    "change",
    "end_wrap_ups",
    "heartbeat",
    "is_absent",
    "of",
    "set_capacity",
    "shown",
    "sweep",
    "tell",
]

# A screen reports every 20 s; after three missed reports the operator counts as away and gets nothing new.
GRACE = timedelta(seconds=60)
DEFAULT_CAPACITY = 5
MOST_CAPACITY = 100
_BREAK = Prepared(lambda code: BreakKind.objects.filter(code=code, is_active=True))


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
    """Set the person's state; `reason` = code of a kind of break. Who is not ready loses open offers. Raises Refusal."""
    if state not in PresenceState.values or (reason and (state != PresenceState.BREAK or _BREAK.first(code=reason) is None)):
        raise Refusal("bad_state", _("There is no such state."), status=400)
    of(staff, now=now)
    with transaction.atomic():
        presence = Presence.objects.select_for_update().get(staff=staff)
        # A supervisor's word is no sign of life of the person's screen.
        if by.pk == staff.pk:
            presence.seen_at = now
            presence.save(update_fields=["seen_at"])
        if set_state(presence, state, reason=reason, now=now):
            audit.record(action="presence.changed", by=by, subject=staff, now=now, details={"state": state, "reason": reason})
    if state != PresenceState.READY:
        offers.withdraw_from(staff_id=staff.pk, now=now)
        presence.refresh_from_db()
    return presence


@transaction.atomic
def set_capacity(*, staff: Staff, capacity: int, by: Staff, now: datetime) -> Presence:
    """How much the person may have at once. What the person has beyond it stays until it is done. Raises Refusal."""
    if not 0 <= capacity <= MOST_CAPACITY:
        raise Refusal("bad_capacity", _("Choose a capacity between 0 and 100."), status=400)
    of(staff, now=now)
    presence = Presence.objects.select_for_update().get(staff=staff)
    if presence.capacity != capacity:
        details = {"was": presence.capacity, "is": capacity}
        presence.capacity = capacity
        presence.save(update_fields=["capacity"])
        audit.record(action="presence.capacity", by=by, subject=staff, now=now, details=details)
        tell(presence)
    return presence


_ALIVE = Written(
    "update omni_presence set seen_at = %(now)s::timestamptz where staff_id = %(staff)s::bigint"
    " and not (state = %(silent)s::text and reason <> %(unless)s::text) returning 1",
    about="omni_presence",
)


def heartbeat(*, staff_id: int, now: datetime) -> None:
    """The person's screen is alive; somebody who only counted as away is back, unless an offer was missed."""
    if _ALIVE.rows(staff=staff_id, now=now, silent=PresenceState.AWAY, unless=MISSED_OFFER):
        return
    with transaction.atomic():
        presence = lock(staff_id)
        if presence is not None:
            presence.seen_at = now
            presence.save(update_fields=["seen_at"])
            if presence.state == PresenceState.AWAY and presence.reason != MISSED_OFFER:
                set_state(presence, PresenceState.READY, now=now)


def is_absent(staff: Staff, *, now: datetime) -> bool:
    """Whether the person is known not to be at work; of somebody who never went on line nothing is known."""
    if not staff.is_active:
        return True
    presence = Presence.objects.filter(staff=staff).first()
    gone = {PresenceState.OFFLINE, PresenceState.AWAY}
    return presence is not None and (presence.state in gone or presence.seen_at < now - GRACE)


def end_wrap_ups(*, now: datetime) -> list[int]:
    """Whose after-work time is over is ready again; returns these people."""
    with transaction.atomic():
        over = Presence.objects.filter(state=PresenceState.WRAP_UP, until__lte=now)
        found = list(over.select_for_update(skip_locked=True)[:500])
        for presence in found:
            set_state(presence, PresenceState.READY, now=now)
    return [presence.staff_id for presence in found]


def sweep(*, now: datetime) -> int:
    """Count those whose screens fell silent as away, and return the unanswered dialogues of those who are gone: how many moved."""
    _count_silent_away(now=now)
    left = Session.objects.filter(_gone(now), state=SessionState.ACTIVE, waiting_since__isnull=False)
    return sum(_take_from(session_id, owner_id, now=now) for session_id, owner_id in list(left.values_list("pk", "owner_id")[:500]))


def _count_silent_away(*, now: datetime) -> None:
    silent = Presence.objects.filter(state__in=[PresenceState.READY, PresenceState.WRAP_UP], seen_at__lt=now - GRACE)
    with transaction.atomic():
        people = list(silent.select_for_update(skip_locked=True)[:500])
        for presence in people:
            set_state(presence, PresenceState.AWAY, now=now)
    for presence in people:
        offers.withdraw_from(staff_id=presence.staff_id, now=now)


def _gone(now: datetime) -> Q:
    """Owners who will not answer: left the house, no sign of life, away or on a break that hands back for as long as the queue waits.

    Off the line counts at once when the screen is silent, too; with an open screen only for what the person had before: what
    somebody takes by hand while off the line stays.
    """
    patience = ExpressionWrapper(F("queue__reassign_seconds") * Value(timedelta(seconds=1)), output_field=DurationField())
    since = ExpressionWrapper(Value(now) - patience, output_field=Presence._meta.get_field("since"))
    state, long_ago = "owner__presence__state", Q(owner__presence__since__lt=since)
    off = Q(**{state: PresenceState.OFFLINE})
    handing = BreakKind.objects.filter(hands_back=True).values("code")
    return (
        Q(owner__is_active=False)
        | Q(owner__presence__seen_at__lt=since)
        | off & Q(owner__presence__seen_at__lt=now - GRACE)
        | off & long_ago & Q(assigned_at__lt=F("owner__presence__since"))
        | Q(**{state: PresenceState.AWAY}) & long_ago
        | Q(**{state: PresenceState.BREAK}, owner__presence__reason__in=handing) & long_ago
    )


def _take_from(session_id: int, owner_id: int, *, now: datetime) -> bool:
    try:
        conversations.give_back(session_id=session_id, by=None, now=now, reason="away", owner_id=owner_id)
    except Refusal:  # handed on or finished in between
        return False
    return True
