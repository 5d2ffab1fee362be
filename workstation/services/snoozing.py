"""Putting an item off until a time; the guest's next message always brings it back at once (any change rewrites its row)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from omni.models import Session
from omni.services import conversations
from omni.services import rows as session_rows
from tickets.models import Case
from tickets.services import cases
from tickets.services import rows as case_rows
from worklist.models import Item
from worklist.services import items
from worklist.states import ItemState, Kind

LONGEST = timedelta(days=60)


@transaction.atomic
def put_off(*, item: Item, until: datetime, by: Staff, now: datetime) -> Item:
    """Hide the person's own item until `until`. Raises Refusal: not the own one, closed, a time in the past or too far."""
    if not now < until <= now + LONGEST:
        raise Refusal("bad_time", _("Choose a time within the next 60 days."), status=400)
    _lock(item.kind, item.subject_id)
    current = Item.objects.get(pk=item.pk)
    if current.owner_id != by.pk or current.state == ItemState.CLOSED:
        raise Refusal("not_yours", _("Only your own open dialogues and tickets can be put off."))
    values = {"state": ItemState.SNOOZED, "snoozed_until": until}
    audit.record(action="item.put_off", by=by, subject=f"{item.kind}:{item.subject_id}", now=now, details={"until": until.isoformat()})
    return items.put(kind=Kind(item.kind), subject_id=item.subject_id, values=values)


def wake_due(*, now: datetime) -> int:
    """Bring back the items whose time has come; returns how many. Safe to run twice and in parallel."""
    return sum(wake(kind=kind, subject_id=subject, now=now) for kind, subject in items.find_due_to_wake(now=now))


@transaction.atomic
def wake(*, kind: str, subject_id: int, now: datetime, early: bool = False) -> bool:
    """Show the item again; False when it is not put off any more, or its time is yet to come (unless `early`)."""
    subject = _lock(kind, subject_id)
    asleep = Item.objects.filter(kind=kind, subject_id=subject_id, state=ItemState.SNOOZED)
    if not (asleep if early else asleep.filter(snoozed_until__lte=now)).exists():
        return False
    _show(subject, now=now)
    return True


def _lock(kind: str, subject_id: int) -> Session | Case:
    return cases.lock(subject_id) if kind == Kind.CASE else conversations.lock(subject_id)


def _show(subject: Session | Case, *, now: datetime) -> None:
    if isinstance(subject, Case):
        case_rows.show(subject, now=now)
    else:
        session_rows.show(subject, now=now)
