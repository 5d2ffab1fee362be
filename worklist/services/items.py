"""Writing the rows of the work list, in the transaction of the dialogue or case that they show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from core.live import announce
from core.statements import Prepared, insert, update
from customers.models import Guest
from worklist.models import Item
from worklist.states import NO_DUE, ItemState, Kind

# What a row carries to the screen; the same names in the first page's template and in the live event.
ROW_FIELDS = (
    "kind", "subject_id", "session_id", "number", "guest_name", "channel", "title", "preview", "store_id", "at_store", "group_id",
    "owner_id", "state", "priority", "unread", "target_seconds", "waiting_since", "last_at", "snoozed_until", "version",
)  # fmt: skip

_ROW = Prepared(lambda kind, subject: Item.objects.filter(kind=kind, subject_id=subject))


def put(*, kind: Kind, subject_id: int, values: dict[str, Any]) -> Item:
    """Create or change the row of a subject and tell the screens. Call inside the subject's transaction, subject locked.

    `values` are fields of Item; None for `due_at` means that no promise runs.
    """
    if "due_at" in values and values["due_at"] is None:
        values["due_at"] = NO_DUE
    item = _ROW.first(kind=kind, subject=subject_id)
    if item is None:
        item = insert(Item(kind=kind, subject_id=subject_id, **values))
        announce(kind="item", payload=row(item), topics=item.topics)
        return item
    before = set(item.topics)
    for name, value in values.items():
        setattr(item, name, value)
    item.version += 1
    update(item, *values, "version")
    # Who could see it before hears of it too: the row leaves their list.
    announce(kind="item", payload=row(item), topics=before | set(item.topics))
    return item


def count(*, kind: Kind, subject_ids: Sequence[int]) -> int:
    """How many rows these subjects have."""
    return Item.objects.filter(kind=kind, subject_id__in=subject_ids).count()


def give_to_guest(*, kind: Kind, subject_ids: Sequence[int], guest: Guest) -> int:
    """The rows of these locked subjects show another guest from now on; how many. Open ones change on the screens."""
    found = Item.objects.filter(kind=kind, subject_id__in=subject_ids)
    name = {"guest_name": guest.name} if guest.name else {}
    moved = found.update(guest=guest, version=F("version") + 1, **name)
    for item in found.open():
        announce(kind="item", payload=row(item), topics=item.topics)
    return moved


def row(item: Item) -> dict[str, Any]:
    """The row as the screens get it: times in ISO 8601, no promise = null."""
    shown = {name: getattr(item, name) for name in ROW_FIELDS}
    shown["due_at"] = None if item.due_at == NO_DUE else item.due_at
    return shown


def find_due_to_wake(*, now: datetime, limit: int = 200) -> list[tuple[str, int]]:
    """Kind and subject of the rows whose time of being put off is over; their subjects' services wake them, subject locked first."""
    due = Item.objects.filter(state=ItemState.SNOOZED, snoozed_until__lte=now)
    return list(due.order_by("snoozed_until").values_list("kind", "subject_id")[:limit])
