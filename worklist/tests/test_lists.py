"""Lists: pages without holes or repeats, only what may be seen, counters equal to counting, indexes used."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.rights import Right
from core.refusal import Refusal
from customers.models import Guest
from stores.models import StoreStaff
from tests import builders as b
from worklist import selectors
from worklist.models import Item
from worklist.querysets import is_visible
from worklist.services import counters
from worklist.states import ItemState, Kind, Sort, Tab

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def make_items(count, groups, owners=(None,), seed=1, **fields):
    chance = random.Random(seed)
    guest = Guest.objects.create(name="Анна", created_at=NOW)
    start = Item.objects.count()
    items = []
    for number in range(start, start + count):
        state = chance.choice([ItemState.WAITING, ItemState.ACTIVE, ItemState.ANSWERED, ItemState.CLOSED])
        items.append(
            Item(
                kind=chance.choice([Kind.CASE, Kind.SESSION]),
                subject_id=number,
                guest=guest,
                channel="telegram",
                group=chance.choice(groups),
                owner=None if state == ItemState.WAITING else chance.choice(owners),
                state=state,
                priority=chance.randint(0, 2),
                due_at=NOW + timedelta(minutes=chance.randint(-50, 50)),
                waiting_since=NOW - timedelta(minutes=chance.randint(0, 9)),
                last_at=NOW - timedelta(minutes=chance.randint(0, 9)),
                **fields,
            )
        )
    return Item.objects.bulk_create(items)


def walk(staff, tab, sort):
    cursor, seen = "", []
    while True:
        page = selectors.list_items(staff=staff, tab=tab, sort=sort, cursor=cursor, limit=7)
        seen += page.items
        if page.next_cursor is None:
            return seen
        cursor = page.next_cursor


@pytest.fixture
def groups():
    return [b.a_group(f"group-{n}", f"Группа {n}") for n in range(3)]


@pytest.mark.parametrize("sort", Sort.values)
def test_pages_hold_everything_once_and_in_order(groups, sort):
    staff = b.a_person(groups=groups[:2])
    make_items(150, groups, owners=(None, staff))
    order = selectors.ORDERS[sort]
    expected = Item.objects.open().filter(group__in=groups[:2])
    in_order = expected.order_by(*[name if ascending else f"-{name}" for name, ascending in order])
    assert [item.pk for item in walk(staff, Tab.GROUP, sort)] == [item.pk for item in in_order]


def test_nobody_sees_foreign_items(groups):
    staff, other = b.a_person(groups=groups[:1]), b.a_person("other", groups=groups[1:2])
    make_items(60, groups, owners=(None, staff, other))
    for tab in Tab.values:
        for item in walk(staff, tab, Sort.NEWEST):
            assert item.group_id == groups[0].pk or item.owner_id == staff.pk
    stranger = b.a_person("stranger", role=b.a_role("nobody", rights=[]), groups=groups)
    assert not Item.objects.visible_to(stranger).exists()
    assert walk(stranger, Tab.ALL, Sort.NEWEST) == []


def test_everything_visible_is_in_the_tab_all(groups):
    staff, store = b.a_person(groups=groups[:1]), b.a_store()
    StoreStaff.objects.create(staff=staff, store=store)
    make_items(60, groups, owners=(None, staff))
    make_items(20, groups, seed=2, store=store, at_store=True)
    listed = [item.pk for item in walk(staff, Tab.ALL, Sort.NEWEST)]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(Item.objects.visible_to(staff).values_list("pk", flat=True))


@pytest.mark.parametrize("rights", [[], [Right.DESK], [Right.CASES_READ], [Right.DESK, Right.EVERYTHING]])
def test_a_row_is_visible_by_the_same_rule_as_a_set(groups, rights):
    staff = b.a_person(role=b.a_role("some", rights=rights), groups=groups[:1])
    other, near, far = b.a_person("other"), b.a_store("1001"), b.a_store("1002")
    StoreStaff.objects.create(staff=staff, store=near)
    make_items(30, groups, owners=(None, staff, other))
    for seed, store in enumerate((near, far), 2):
        make_items(10, groups, seed=seed, store=store, at_store=True)
        make_items(10, groups, seed=seed + 10, store=store, at_store=False)
    seen = {item.pk for item in Item.objects.all() if is_visible(item, staff)}
    assert seen == set(Item.objects.visible_to(staff).values_list("pk", flat=True))


def test_the_open_items_of_ones_stores_are_counted(groups):
    director, store = b.a_person(role=b.a_role("store", rights=[Right.CASES_READ]), groups=()), b.a_store()
    StoreStaff.objects.create(staff=director, store=store)
    make_items(20, groups, seed=2, store=store, at_store=True)
    make_items(20, groups, seed=3)
    seen = Item.objects.open().visible_to(director).count()
    assert selectors.count_tabs(director)[Tab.ALL] == seen > 0


def counted(groups):
    found = {group.pk: {"queue": 0, "taken": 0} for group in groups}
    for item in Item.objects.open():
        bucket = "queue" if item.state == ItemState.WAITING and item.owner_id is None else "taken"
        found[item.group_id][bucket] += 1
    return found


def test_counters_equal_counting_after_any_changes(groups):
    staff, chance = b.a_person(groups=groups), random.Random(7)
    make_items(80, groups, owners=(None, staff))
    for turn in range(60):
        item = chance.choice(list(Item.objects.all()))
        change = chance.choice(["state", "group", "owner", "delete", "many"])
        if change == "delete":
            item.delete()
        elif change == "many":
            Item.objects.filter(group=chance.choice(groups)).update(state=chance.choice(ItemState.values), owner=None)
        else:
            item.state = chance.choice(ItemState.values) if change == "state" else item.state
            item.group = chance.choice(groups) if change == "group" else item.group
            item.owner = chance.choice([None, staff]) if change == "owner" else item.owner
            item.save()
        if turn % 10 == 0:
            counters.fold()
        assert counters.read([group.pk for group in groups]) == counted(groups)
    counters.recount()
    assert counters.read([group.pk for group in groups]) == counted(groups)


def test_a_foreign_cursor_is_refused(groups):
    with pytest.raises(Refusal):
        selectors.list_items(staff=b.a_person(groups=groups), tab=Tab.GROUP, cursor="bm9uc2Vuc2U")


@pytest.mark.parametrize(("tab", "sort"), [(Tab.QUEUE, Sort.DUE), (Tab.GROUP, Sort.DUE), (Tab.GROUP, Sort.NEWEST), (Tab.MINE, Sort.DUE)])
def test_a_page_walks_an_index_and_sorts_no_table(groups, tab, sort, django_assert_max_num_queries):
    staff = b.a_person(groups=groups)
    make_items(20, groups, owners=(None, staff))
    with connection.cursor() as cursor:
        # Twenty rows would be sorted for less: what is asked here is whether an index gives the order at all.
        cursor.execute("set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off")
    plans = []
    for source in selectors._sources(tab, selectors._Looker.of(staff)):
        order = [name if ascending else f"-{name}" for name, ascending in selectors.ORDERS[sort]]
        plans.append(source.order_by(*order)[:50].explain())
    assert all("Index" in plan and "Sort" not in plan for plan in plans), plans
    with django_assert_max_num_queries(4):
        selectors.list_items(staff=staff, tab=tab, sort=sort)


def test_a_supervisor_sees_all_groups(groups):
    boss = b.a_person(role=b.a_role("boss", rights=[Right.DESK, Right.EVERYTHING]))
    make_items(30, groups)
    assert len(walk(boss, Tab.ALL, Sort.DUE)) == 30
