"""Reads of the work list: pages by keyset (a page far down costs what the first costs) and counters."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from accounts.rights import Right
from core.refusal import Refusal
from core.statements import Among, Prepared, Slot
from stores.selectors import list_store_ids
from worklist.models import Item
from worklist.querysets import visibility_slots
from worklist.services import counters
from worklist.states import ItemState, Kind, Sort, Tab

PAGE = 50
# Whoever is in more groups than this asks without a prepared statement: there would be too many shapes of it.
PREPARED_GROUPS = 8
# Own items and those of stores are counted one by one, up to here.
MOST_COUNTED = 1000
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
    if cursor or (filters and filters != Filters()) or limit != PAGE or len(staff.group_ids) > PREPARED_GROUPS:
        behind = _after(order, _read_cursor(cursor, order)) if cursor else Q()
        found = list(_page(_sources(tab, _Looker.of(staff)), order, filters or Filters(), behind, limit))
    else:
        found = _first_page(staff, tab, sort)
    more = len(found) > limit
    items = found[:limit]
    return Page(items=items, next_cursor=_write_cursor(items[-1], order) if more else None)


def _page(
    sources: "Sequence[QuerySet[Item]]", order: Sequence[tuple[str, bool]], filters: Filters, behind: Q, limit: int
) -> "QuerySet[Item]":
    """One row more than a page, so that the caller knows whether the list goes on."""
    ordering = [name if ascending else f"-{name}" for name, ascending in order]
    narrowed = [_narrow(source, filters).filter(behind).order_by(*ordering)[: limit + 1] for source in sources]
    return _merge(narrowed, order, limit + 1)


def _first_page(staff: Staff, tab: str, sort: str) -> list[Item]:
    """The page that every desk opens with, by a prepared statement for each number of groups and stores."""
    looker = _Looker.of(staff)
    values = {"me": looker.me, "groups": looker.groups}
    values |= {f"group{at}": group for at, group in enumerate(looker.groups)}
    values |= {f"store{at}": store for at, store in enumerate(looker.stores)}
    shape = (tab, sort, looker.reads, looker.everything, len(looker.groups), len(looker.stores))
    statement = _first_page_of(*shape)
    return statement.all(**values) if statement else []


@cache
def _first_page_of(tab: str, sort: str, reads: bool, everything: bool, groups: int, stores: int) -> "Prepared[Item] | None":
    def build(**slots: Slot) -> "QuerySet[Item]":
        looker = _Looker(
            me=slots["me"],
            groups=[slots[f"group{at}"] for at in range(groups)],
            among_groups=Q(Among("group_id", slots["groups"])),
            stores=[slots[f"store{at}"] for at in range(stores)],
            reads=reads,
            everything=everything,
        )
        return _page(_sources(tab, looker), ORDERS[sort], Filters(), Q(), PAGE)

    names = ["me", "groups", *(f"group{at}" for at in range(groups)), *(f"store{at}" for at in range(stores))]
    nothing = _Looker(me=0, groups=[0] * groups, among_groups=Q(), stores=[0] * stores, reads=reads, everything=everything)
    return Prepared(build, names=names) if _sources(tab, nothing) else None


def _merge(parts: "Sequence[QuerySet[Item]]", order: Sequence[tuple[str, bool]], limit: int) -> "QuerySet[Item]":
    if not parts:
        return Item.objects.none()
    if len(parts) == 1:
        return parts[0]
    # One index walk per group, merged by the database: it never sorts more than groups x page rows.
    ids = parts[0].values("pk").union(*[part.values("pk") for part in parts[1:]], all=True)
    ordering = [name if ascending else f"-{name}" for name, ascending in order]
    return Item.objects.filter(pk__in=ids).order_by(*ordering)[:limit]


@dataclass(frozen=True)
class _Looker:
    """Who looks at a list: values, or the slots of a prepared statement. `among_groups` = the row is of one of the groups."""

    me: Any
    groups: Sequence[Any]
    among_groups: Q
    stores: Sequence[Any]
    reads: bool
    everything: bool

    @classmethod
    def of(cls, staff: Staff) -> "_Looker":
        reads = staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)
        everything = staff.has_right(Right.EVERYTHING)
        groups, among = list(staff.group_ids), Q(group_id__in=staff.group_ids)
        return cls(me=staff.pk, groups=groups, among_groups=among, stores=list_store_ids(staff), reads=reads, everything=everything)


def _sources(tab: str, looker: _Looker) -> "Sequence[QuerySet[Item]]":
    """The sets whose union the tab shows; each is served by one index. Disjoint, so that nothing is listed twice."""
    if tab == Tab.MINE:
        return [Item.objects.open().filter(owner_id=looker.me).exclude(state=ItemState.SNOOZED)]
    if tab == Tab.SNOOZED:
        return [Item.objects.filter(owner_id=looker.me, state=ItemState.SNOOZED)]
    if not (looker.reads or looker.everything):
        return []
    if looker.everything and tab == Tab.ALL:
        return [Item.objects.all()]
    if tab == Tab.QUEUE:
        return [Item.objects.waiting().filter(group_id=group) for group in looker.groups]
    if tab == Tab.GROUP:
        return [Item.objects.open().filter(group_id=group) for group in looker.groups]
    own = [Item.objects.filter(~looker.among_groups, owner_id=looker.me)]
    of_groups = [Item.objects.filter(group_id=group) for group in looker.groups]
    of_stores = [Item.objects.filter(~looker.among_groups, ~Q(owner_id=looker.me), at_store=True, store_id=s) for s in looker.stores]
    return own + of_groups + of_stores


def _narrow(items: "QuerySet[Item]", filters: Filters) -> "QuerySet[Item]":
    wanted: dict[str, Any] = {"kind": filters.kind, "channel": filters.channel, "store_id": filters.store_id, "group_id": filters.group_id}
    return items.filter(**{name: value for name, value in wanted.items() if value})


_OWN = Prepared(lambda me: Item.objects.open().filter(owner_id=me).values_list("state", "unread")[:MOST_COUNTED])


UNREAD = "unread"


def count_tabs(staff: Staff) -> dict[str, int]:
    """Numbers on the tabs. `all` is everything open that the person may see (own items in foreign groups left out).

    And `unread`: how many own items hold something new.
    """
    own = _OWN.all(me=staff.pk)
    states = [state for state, _unread in own]
    snoozed = states.count(ItemState.SNOOZED)
    groups = counters.read(_counted_groups(staff))
    mine = set(staff.group_ids)
    queue = sum(found["queue"] for group, found in groups.items() if group in mine)
    in_groups = sum(sum(found.values()) for group, found in groups.items() if group in mine)
    everything = sum(sum(found.values()) for found in groups.values()) + _count_at_stores(staff)
    return {
        Tab.MINE.value: len(states) - snoozed,
        Tab.QUEUE.value: queue,
        Tab.GROUP.value: in_groups,
        Tab.SNOOZED.value: snoozed,
        Tab.ALL.value: everything,
        UNREAD: sum(1 for _state, unread in own if unread),
    }


_AT_STORES = Prepared(
    lambda me, groups, stores: (
        Item.objects.open()
        .filter(Among("store_id", stores), ~Q(Among("group_id", groups)), ~Q(owner_id=me), at_store=True)
        .values_list("pk", flat=True)[:MOST_COUNTED]
    )
)


def _count_at_stores(staff: Staff) -> int:
    """Open items of the person's stores that the groups' counters do not hold."""
    stores = list_store_ids(staff)
    if not stores or staff.has_right(Right.EVERYTHING) or not (staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)):
        return 0
    return len(_AT_STORES.all(me=staff.pk, groups=list(staff.group_ids), stores=list(stores)))


def _counted_groups(staff: Staff) -> Sequence[int]:
    if staff.has_right(Right.EVERYTHING):
        return list(Group.objects.values_list("pk", flat=True))
    return staff.group_ids if staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ) else ()


def find_item(*, staff: Staff, kind: str, subject_id: int) -> Item:
    """The row if the person may see it. Raises Refusal (404) alike for what is hidden and what does not exist."""
    item = _visible_item(staff, kind, subject_id)
    if item is None:
        raise Refusal("not_found", _("There is no such dialogue or ticket, or you may not see it."), status=404)
    return item


_ITEM = Prepared(lambda kind, subject: Item.objects.filter(kind=kind, subject_id=subject))
_SEEN_ITEM = Prepared(
    lambda kind, subject, me, groups, stores: Item.objects.filter(visibility_slots(me, groups, stores), kind=kind, subject_id=subject)
)


def _visible_item(staff: Staff, kind: str, subject_id: int) -> Item | None:
    """As `visible_to`, prepared."""
    if staff.has_right(Right.EVERYTHING):
        return _ITEM.first(kind=kind, subject=subject_id)
    if not (staff.has_right(Right.DESK) or staff.has_right(Right.CASES_READ)):
        return None
    stores = list(list_store_ids(staff))
    return _SEEN_ITEM.first(kind=kind, subject=subject_id, me=staff.pk, groups=list(staff.group_ids), stores=stores)


GUEST_CASES = 20
_CASES = Prepared(
    lambda guest: Item.objects.select_related("group").filter(guest_id=guest, kind=Kind.CASE).order_by("-last_at")[:GUEST_CASES]
)


def list_guest_items(guest_id: int) -> Sequence[Item]:
    """The tickets that the guest has and had, newest first, whoever may open them (`worklist.querysets.is_visible`)."""
    return _CASES.all(guest=guest_id)
