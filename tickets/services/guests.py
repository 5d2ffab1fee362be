"""What tickets keep of a guest hangs on the identity of their dialogue: they go where the dialogue goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.text import searchable
from customers.models import Guest
from tickets.models import Case
from worklist.services import items
from worklist.states import Kind


class CaseHolder:
    """Registered with customers: moves tickets and their rows inside a merge, after the dialogues."""

    place = 20

    def count(self, identity_ids: Sequence[int]) -> Mapping[str, int]:
        ids = list(Case.objects.filter(session__identity__in=identity_ids).values_list("pk", flat=True))
        return {"cases": len(ids), "case_rows": items.count(kind=Kind.CASE, subject_ids=ids)}

    def move(self, identity_ids: Sequence[int], *, guest: Guest, now: datetime) -> Mapping[str, int]:
        held = Case.objects.select_for_update(of=("self",)).filter(session__identity__in=identity_ids).order_by("pk")
        ids = list(held.values_list("pk", flat=True))
        Case.objects.filter(pk__in=ids).update(guest=guest)
        return {"cases": len(ids), "case_rows": items.give_to_guest(kind=Kind.CASE, subject_ids=ids, guest=guest)}

    def namesakes(self, guest: Guest, *, limit: int) -> Mapping[int, str]:
        """Guests with the same first and second name who have a ticket about one of this guest's stores."""
        if len(guest.name.split()) < 2:
            return {}
        mine = Case.objects.filter(guest=guest, store__isnull=False).values("store")
        near = Case.objects.filter(store__in=mine, guest__name__iexact=guest.name, guest__merged_into=None).exclude(guest=guest)
        found = near.order_by("-opened_at").values_list("guest_id", "guest__name", "store__name", "store__number")[:limit]
        same = searchable(guest.name)
        return {guest_id: f"{store} ({number})" for guest_id, name, store, number in found if searchable(name) == same}
