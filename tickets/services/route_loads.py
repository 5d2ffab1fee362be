"""How much groups and people have at this moment: for rules that give a ticket to the least loaded."""

from collections.abc import Mapping, Sequence

from django.db.models import Count, Sum

from accounts.models import Membership
from omni.models import Presence
from omni.states import PresenceState
from tickets.rules import Load
from worklist.models import Item
from worklist.services import counters
from worklist.states import ItemState, Kind

# Somebody who was never on line has no number of their own yet.
USUAL_CAPACITY = 5


def of_groups(group_ids: Sequence[int]) -> list[Load]:
    """Open tickets and dialogues of each group against what its active people may have together; in the given order."""
    counts = counters.read(group_ids)
    able = _capacities(group_ids)
    return [Load(group_id, sum(counts[group_id].values()), able.get(group_id, 0)) for group_id in group_ids]


def _capacities(group_ids: Sequence[int]) -> Mapping[int, int]:
    people = Membership.objects.filter(group__in=group_ids, staff__is_active=True)
    known = people.filter(staff__presence__isnull=False).values_list("group_id").annotate(Sum("staff__presence__capacity"))
    found = dict(known)
    for group_id, number in people.filter(staff__presence__isnull=True).values_list("group_id").annotate(Count("pk")):
        found[group_id] = found.get(group_id, 0) + number * USUAL_CAPACITY
    return found


def of_people(group_id: int) -> list[Load]:
    """Open tickets of each person of the group who is on line and has room; whoever got work longest ago comes first."""
    ready = Presence.objects.filter(staff__memberships__group=group_id, staff__is_active=True, state=PresenceState.READY)
    people = list(ready.order_by("assigned_at", "pk").values_list("pk", "capacity"))
    owned = Item.objects.filter(kind=Kind.CASE, owner__in=[pk for pk, _capacity in people]).exclude(state=ItemState.CLOSED)
    counts = dict(owned.values_list("owner_id").annotate(Count("pk")))
    loads = [Load(pk, counts.get(pk, 0), capacity) for pk, capacity in people]
    return [load for load in loads if load.open < load.capacity]
