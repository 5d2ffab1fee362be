"""Giving waiting dialogues to ready operators: priority, then the longest wait; to the one with the most room, then the longest idle."""

from datetime import datetime

from django.db import transaction
from django.db.models import ExpressionWrapper, F, FloatField

from accounts.models import Staff
from core.live import announce, staff_topic
from core.locks import serialise
from core.refusal import Refusal
from omni.models import Decision, Presence, Queue, Session
from omni.services import conversations, presence
from omni.states import PresenceState, SessionState
from worklist.models import Item
from worklist.states import Kind


def give_out(*, group_id: int, now: datetime, limit: int = 100) -> int:
    """Give waiting dialogues of a group to its ready operators until either runs out. Returns how many were given.

    One process at a time per group, so the order of waiting holds; each gift is a transaction of its own.
    """
    given = 0
    while given < limit and _give_one(group_id, now=now):
        given += 1
    return given


def _give_one(group_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        serialise(f"distribution:{group_id}")
        lighter_than: int | None = None
        # A dialogue that is too heavy for everybody's room waits, but does not keep lighter ones waiting behind it.
        while session := _next_waiting(group_id, lighter_than=lighter_than):
            if candidates := _candidates(group_id, session, now=now):
                _give(session, group_id, candidates, now=now)
                return True
            lighter_than = session.account.weight
        return False


def _give(session: Session, group_id: int, candidates: list[Presence], *, now: datetime) -> None:
    chosen = candidates[0]
    conversations.assign(session=session, to=Staff.objects.get(pk=chosen.staff_id), by=None, now=now, action="session.given")
    _explain(session, group_id, candidates, now=now)
    chosen.refresh_from_db()
    presence.tell(chosen)
    announce(kind="given", payload={"session_id": session.pk}, topics=[staff_topic(chosen.staff_id)])


def _next_waiting(group_id: int, *, lighter_than: int | None) -> Session | None:
    """The dialogue whose turn it is, locked. What a person is taking at this moment is left to that person."""
    waiting = Item.objects.waiting().filter(group_id=group_id, kind=Kind.SESSION).order_by("-priority", "waiting_since", "pk")
    sessions = Session.objects.filter(state=SessionState.WAITING)
    if Queue.objects.filter(group_id=group_id, is_paused=True).exists():
        waiting = waiting.filter(subject_id__in=sessions.filter(queue__is_paused=False).values("pk"))
    if lighter_than is not None:
        waiting = waiting.filter(subject_id__in=sessions.filter(account__weight__lt=lighter_than).values("pk"))
    found = Session.objects.select_for_update(of=("self",), skip_locked=True).select_related("account", "guest", "queue", "identity")
    for session_id in waiting.values_list("subject_id", flat=True)[:20]:
        session = found.filter(pk=session_id, state=SessionState.WAITING).first()
        if session is not None:
            return session
    return None


def _candidates(group_id: int, session: Session, *, now: datetime) -> list[Presence]:
    """Ready, present, member of the group, with room for this channel's weight; the best first, locked."""
    room = ExpressionWrapper(F("load") * 1.0 / F("capacity"), output_field=FloatField())
    ready = Presence.objects.filter(
        state=PresenceState.READY,
        seen_at__gte=now - presence.GRACE,
        capacity__gt=0,
        load__lte=F("capacity") - session.account.weight,
        staff__is_active=True,
        staff__memberships__group_id=group_id,
    )
    ordered = ready.annotate(fullness=room).order_by("fullness", "assigned_at", "staff_id")
    return list(ordered.select_for_update(of=("self",), skip_locked=True)[:5])


def _explain(session: Session, group_id: int, candidates: list[Presence], *, now: datetime) -> None:
    chosen = candidates[0]
    explanation = {
        "waited_seconds": round((now - (session.waiting_since or session.last_message_at)).total_seconds()),
        "priority": session.queue.priority,
        "weight": session.account.weight,
        "load_before": f"{chosen.load}/{chosen.capacity}",
        "idle_seconds": round((now - chosen.assigned_at).total_seconds()),
        "next_best": [{"staff_id": other.staff_id, "load": f"{other.load}/{other.capacity}"} for other in candidates[1:]],
    }
    Decision.objects.create(session=session, group_id=group_id, staff_id=chosen.staff_id, at=now, explanation=explanation)


def give_out_for(staff: Staff, *, now: datetime) -> int:
    """Somebody became free or ready: look at the queues of all groups of this person."""
    return sum(give_out(group_id=group, now=now, limit=20) for group in staff.group_ids)


def groups_waiting() -> list[int]:
    """Groups in which a dialogue waits."""
    groups = Queue.objects.filter(is_paused=False).values_list("group_id", flat=True).distinct()
    waiting = Item.objects.waiting().filter(kind=Kind.SESSION)
    return [group for group in groups if waiting.filter(group_id=group).exists()]


def try_give_out(*, group_id: int, now: datetime) -> None:
    """Give out, leaving what was refused at this moment to the sweep."""
    try:
        give_out(group_id=group_id, now=now)
    except Refusal:
        return
