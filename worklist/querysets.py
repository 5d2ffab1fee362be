"""Named sets of work items, and who may see them."""

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Q, QuerySet

from accounts.models import Staff
from accounts.rights import Right
from core.statements import Among, Slot
from stores.selectors import list_store_ids
from worklist.states import ItemState

if TYPE_CHECKING:
    from worklist.models import Item

M = TypeVar("M", bound="Item")


def visibility(staff: Staff) -> Q:
    """The condition under which the person sees an item: own, of the own groups, of the own stores; everything by right.

    Fails closed: without the right to read tickets or to work at the desk nothing is visible.
    """
    if staff.has_right(Right.EVERYTHING):
        return Q()
    if not (staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)):
        return Q(pk__in=[])
    stores = list_store_ids(staff)
    seen = Q(owner_id=staff.pk) | Q(group_id__in=staff.group_ids)
    return seen | Q(at_store=True, store_id__in=stores) if stores else seen


def is_visible(item: "Item", staff: Staff) -> bool:
    """The same condition for a row that was read."""
    if staff.has_right(Right.EVERYTHING):
        return True
    if not (staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)):
        return False
    at_stores = item.at_store and item.store_id in list_store_ids(staff)
    return item.owner_id == staff.pk or item.group_id in staff.group_ids or at_stores


def visibility_slots(me: Slot, groups: Slot, stores: Slot) -> Q:
    """The same condition for a prepared statement, of a person who may read tickets or works at the desk (`visibility` says who)."""
    return Q(owner_id=me) | Q(Among("group_id", groups)) | Q(Among("store_id", stores), at_store=True)


class ItemQuerySet(QuerySet["Item"]):
    def visible_to(self, staff: Staff) -> "ItemQuerySet":
        return self.filter(visibility(staff))

    def open(self) -> "ItemQuerySet":
        return self.exclude(state=ItemState.CLOSED)

    def waiting(self) -> "ItemQuerySet":
        """In the queue: nobody has it."""
        return self.filter(state=ItemState.WAITING, owner__isnull=True)
