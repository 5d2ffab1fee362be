"""Handing an item to a colleague, or back to its queue."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core.live import announce, staff_topic
from core.refusal import Refusal
from omni.models import Queue
from omni.services import conversations, distribution, transfers
from tickets.services import handing as case_handing
from worklist.models import Item
from worklist.states import Kind


@transaction.atomic
def hand_to(*, item: Item, to: Staff, note: str, by: Staff, now: datetime) -> None:
    """Give the item to a colleague, with a note in the feed; the colleague is told. Raises Refusal."""
    if to.pk == by.pk and item.owner_id == by.pk:
        raise Refusal("yours", _("You have it already."))
    if item.kind == Kind.CASE:
        case_handing.hand_to(case_id=item.subject_id, to=to, note=note, by=by, now=now)
    else:
        conversations.transfer(session_id=item.subject_id, to=to, by=by, note=note, now=now)
    announce(kind="given", payload={"kind": item.kind, "subject_id": item.subject_id, "by": by.full_name}, topics=[staff_topic(to.pk)])


def pass_on(*, item: Item, place: str, note: str, by: Staff, now: datetime) -> None:
    """Let a dialogue wait for a group (`place` = group:7) or in a queue (queue:7), with a note in the feed. Raises Refusal."""
    kind, _colon, number = place.partition(":")
    model = {"group": Group, "queue": Queue}.get(kind)
    found = model._default_manager.filter(pk=int(number)).first() if model and number.isdecimal() else None
    if isinstance(found, Queue):
        session = transfers.to_queue(session_id=item.subject_id, queue=found, by=by, note=note, now=now)
    elif isinstance(found, Group):
        session = transfers.to_group(session_id=item.subject_id, group=found, by=by, note=note, now=now)
    else:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    distribution.try_give_out(group_id=session.serving_group_id, now=now)


def give_back(*, item: Item, reason: str, by: Staff, now: datetime) -> None:
    """Return the item to its queue; its place there is by the guest's waiting time. Raises Refusal."""
    if item.kind == Kind.CASE:
        case_handing.give_back(case_id=item.subject_id, reason=reason, by=by, now=now)
    else:
        conversations.give_back(session_id=item.subject_id, by=by, reason=reason, now=now)
