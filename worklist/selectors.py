"""Reads of the work list: pages by keyset (a page far down costs what the first costs) and counters."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from accounts.rights import Right
from core.refusal import Refusal
from stores.selectors import list_store_ids
from worklist.models import Item
from worklist.services import counters
from worklist.states import ItemState, Kind, Sort, Tab

PAGE = 50
# The sort's columns, each with its direction; the id makes the order total.
ORDERS: Mapping[str, Sequence[tuple[str, bool]]] = {
    Sort.DUE: (("due_at", True), ("id", True)),
    Sort.NEWEST: (("last_at", False), ("id", False)),
    Sort.LONGEST: (("waiting_since", True), ("id", True)),
    Sort.PRIORITY: (("priority", False), ("due_at", True), ("id", True)),
}


@dataclass(frozen=True)
class Filters:
    """What narrows a list; empty = no narrowing."""

    kind: str = ""
    channel: str = ""
    store_id: int | None = None
    group_id: int | None = None


@dataclass(frozen=True)
class Page:
    items: Sequence[Item]
    next_cursor: str | None


def _after(order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> Q:
    """Rows behind the cursor: (a, b) > (x, y) spelt out for mixed directions."""
    behind = Q()
    for position, (name, ascending) in enumerate(order):
        equal = Q(**{field: value for (field, _asc), value in zip(order[:position], values, strict=False)})
        behind |= equal & Q(**{f"{name}__{'gt' if ascending else 'lt'}": values[position]})
    # The leading column's bound lets the index start at the cursor.
    first, ascending = order[0]
    return Q(**{f"{first}__{'gte' if ascending else 'lte'}": values[0]}) & behind


def _write_cursor(item: Item, order: Sequence[tuple[str, bool]]) -> str:
    values = [getattr(item, name) for name, _ascending in order]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: Sequence[tuple[str, bool]]) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(order):
            raise ValueError(cursor)
        return [datetime.fromisoformat(value) if isinstance(value, str) else int(value) for value in values]
    except (ValueError, TypeError):
        raise Refusal("bad_cursor", _("The list cannot go on from there; please load it again."), status=400) from None


def list_items(
    *, staff: Staff, tab: str, sort: str = Sort.DUE, filters: Filters | None = None, cursor: str = "", limit: int = PAGE
) -> Page:
    """One page of a tab, only what the person may see. Raises Refusal for an unknown tab, sort or cursor."""
    order = ORDERS.get(sort)
    if order is None or tab not in Tab.values:
        raise Refusal("bad_list", _("There is no such list."), status=400)
    sources = _sources(staff, tab)
    behind = _after(order, _read_cursor(cursor, order)) if cursor else Q()
    ordering = [name if ascending else f"-{name}" for name, ascending in order]
    narrowed = [_narrow(source, filters or Filters()).filter(behind).order_by(*ordering)[: limit + 1] for source in sources]
    found = _merge(narrowed, order, limit + 1)
    more = len(found) > limit
    items = found[:limit]
    return Page(items=items, next_cursor=_write_cursor(items[-1], order) if more else None)


def _merge(parts: "Sequence[QuerySet[Item]]", order: Sequence[tuple[str, bool]], limit: int) -> list[Item]:
    if not parts:
        return []
    if len(parts) == 1:
        return list(parts[0])
    # One index walk per group, merged by the database: it never sorts more than groups x page rows.
    ids = parts[0].values("pk").union(*[part.values("pk") for part in parts[1:]], all=True)
    ordering = [name if ascending else f"-{name}" for name, ascending in order]
    return list(Item.objects.filter(pk__in=ids).order_by(*ordering)[:limit])


def _sources(staff: Staff, tab: str) -> "Sequence[QuerySet[Item]]":
    """The sets whose union the tab shows; each is served by one index. Disjoint, so that nothing is listed twice."""
    if tab == Tab.MINE:
        return [Item.objects.open().filter(owner_id=staff.pk).exclude(state=ItemState.SNOOZED)]
    if tab == Tab.SNOOZED:
        return [Item.objects.filter(owner_id=staff.pk, state=ItemState.SNOOZED)]
    if not (staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ) or staff.has_right(Right.EVERYTHING)):
        return []
    if staff.has_right(Right.EVERYTHING) and tab == Tab.ALL:
        return [Item.objects.all()]
    groups = staff.group_ids
    if tab == Tab.QUEUE:
        return [Item.objects.waiting().filter(group_id=group) for group in groups]
    if tab == Tab.GROUP:
        return [Item.objects.open().filter(group_id=group) for group in groups]
    stores = list_store_ids(staff)
    own = [Item.objects.filter(owner_id=staff.pk).exclude(group_id__in=groups)]
    of_groups = [Item.objects.filter(group_id=group) for group in groups]
    of_stores = [Item.objects.filter(at_store=True, store_id=s).exclude(group_id__in=groups).exclude(owner_id=staff.pk) for s in stores]
    return own + of_groups + of_stores


def _narrow(items: "QuerySet[Item]", filters: Filters) -> "QuerySet[Item]":
    wanted: dict[str, Any] = {"kind": filters.kind, "channel": filters.channel, "store_id": filters.store_id, "group_id": filters.group_id}
    return items.filter(**{name: value for name, value in wanted.items() if value})


def count_tabs(staff: Staff) -> dict[str, int]:
    """Numbers on the tabs. `all` is everything open that the person may see (own items in foreign groups left out)."""
    own = Item.objects.open().filter(owner_id=staff.pk)
    states = list(own.values_list("state", flat=True)[:1000])
    snoozed = states.count(ItemState.SNOOZED)
    groups = counters.read(_counted_groups(staff))
    mine = set(staff.group_ids)
    queue = sum(found["queue"] for group, found in groups.items() if group in mine)
    in_groups = sum(sum(found.values()) for group, found in groups.items() if group in mine)
    everything = sum(sum(found.values()) for found in groups.values())
    return {
        Tab.MINE.value: len(states) - snoozed,
        Tab.QUEUE.value: queue,
        Tab.GROUP.value: in_groups,
        Tab.SNOOZED.value: snoozed,
        Tab.ALL.value: everything,
    }


def _counted_groups(staff: Staff) -> Sequence[int]:
    if staff.has_right(Right.EVERYTHING):
        return list(Group.objects.values_list("pk", flat=True))
    return staff.group_ids if staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ) else ()


def find_item(*, staff: Staff, kind: str, subject_id: int) -> Item:
    """The row if the person may see it. Raises Refusal (404) alike for what is hidden and what does not exist."""
    item = Item.objects.visible_to(staff).filter(kind=kind, subject_id=subject_id).first()
    if item is None:
        raise Refusal("not_found", _("There is no such dialogue or ticket, or you may not see it."), status=404)
    return item


def list_guest_items(*, staff: Staff, guest_id: int, limit: int = 20) -> Sequence[Item]:
    """What the guest has and had, newest first: cases only, visible ones."""
    found = Item.objects.visible_to(staff).filter(guest_id=guest_id, kind=Kind.CASE)
    return list(found.order_by("-last_at")[:limit])
