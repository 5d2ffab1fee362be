"""An operator's load: changes together with a session's owner or an offer, under the presence row's lock, so it never lies."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import Among, Prepared, insert, update
from omni.models import ChannelLimit, Holding, Presence, Session
from omni.states import HoldingEnd, SessionState

_LIMIT = Prepared(lambda channel: ChannelLimit.objects.filter(channel=channel))
_OPEN = Prepared(lambda session: Holding.objects.filter(session_id=session, until=None))
_LAST = Prepared(lambda session: Holding.objects.filter(session_id=session).order_by("-since").values_list("until", flat=True)[:1])
_ROW = Prepared(lambda staff: Presence.objects.select_for_update().filter(staff_id=staff))
_PRESENT = Prepared(lambda staff: Presence.objects.filter(staff_id=staff).values_list("pk", flat=True))
_LOCKED = Prepared(
    lambda staff: Presence.objects.select_for_update().filter(Among("staff_id", staff)).order_by("staff_id").values_list("pk", flat=True)
)


def hold(session: Session, *, now: datetime, queued: bool) -> None:
    """Count the active session into its owner's load. Raises Refusal when that would be over the owner's capacity or a channel's limit.

    Somebody who never went on line has no presence row and no capacity to keep (an expert, a supervisor). `queued` = it came
    from the queue.
    """
    if session.state != SessionState.ACTIVE or not session.owner_id:
        return
    weight = session.account.weight
    if reserve(session.owner_id, weight, now=now):
        _check_channel(session)
        _held(session, weight)
    elif _PRESENT.first(staff=session.owner_id) is not None:
        raise Refusal("full", _("This would be more dialogues at a time than allowed. Finish or hand on one first."))
    insert(
        Holding(
            session=session,
            staff_id=session.owner_id,
            queue_id=session.queue_id,
            weight=session.held_weight,
            queued_at=_queued_at(session, now=now) if queued else None,
            since=now,
        )
    )


def _queued_at(session: Session, *, now: datetime) -> datetime:
    """Since when it waited for somebody: with the guest, but not while somebody had it."""
    waited = session.waiting_since or session.last_message_at
    before = _LAST.first(session=session.pk)
    return min(max(waited, before) if before else waited, now)


def _check_channel(session: Session) -> None:
    limit = _LIMIT.first(channel=session.account.kind)
    if limit is None:
        return
    others = Session.objects.filter(owner_id=session.owner_id, state=SessionState.ACTIVE, account__kind=limit.channel)
    if others.exclude(pk=session.pk).count() >= limit.most:
        raise Refusal("channel_full", _("This would be more dialogues of this channel at a time than allowed."))


def release(session: Session, *, end: HoldingEnd, now: datetime) -> None:
    """Take the active session out of its owner's load, by the weight it was taken with; call before the owner changes."""
    if not session.owner_id:
        return
    if session.held_weight:
        unreserve(session.owner_id, session.held_weight)
        _held(session, 0)
    for holding in _OPEN.all(session=session.pk):
        holding.until, holding.end = max(now, holding.since), end
        update(holding, "until", "end")


def _held(session: Session, weight: int) -> None:
    session.held_weight = weight
    update(session, "held_weight")


def reserve(staff_id: int, weight: int, *, now: datetime) -> bool:
    """Take room of a person; False when there is not so much, or the person never was on line."""
    row = _ROW.first(staff=staff_id)
    if row is None or row.load + weight > row.capacity:
        return False
    row.load, row.assigned_at = row.load + weight, now
    update(row, "load", "assigned_at")
    return True


def unreserve(staff_id: int, weight: int) -> None:
    """Give room back."""
    row = _ROW.first(staff=staff_id)
    if row is not None:
        row.load = max(0, row.load - weight)
        update(row, "load")


def lock(*staff_ids: int | None) -> None:
    """Lock the presence rows of everybody whose load is about to change, in one order, so that two hand-overs cannot lock each other."""
    wanted = sorted({staff_id for staff_id in staff_ids if staff_id})
    if wanted:
        _LOCKED.all(staff=wanted)
