"""Tickets whose clocks get other terms because a policy or a calendar has changed (registered with sla)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from core.refusal import Refusal
from sla.services import clocks
from sla.subjects import FOUND
from stores.models import Store
from tickets.models import Case
from tickets.services import cases
from tickets.states import Step
from worklist.services import items
from worklist.states import Kind


class CaseClocks:
    """The ticket is locked first, its row in the lists follows, its history says so."""

    kind = "case"

    def carry_out(self, subject_id: int, deed: Callable[[str], int], *, policy: str, now: datetime) -> int:
        try:
            case = cases.lock(subject_id)
        except Refusal:
            return 0
        changed = deed(cases.zone_of(case))
        if changed:
            cases.note_step(case, Step.TERMS, by=None, now=now, details={"to": policy, "changed": True})
            due = next((clock for clock in clocks.running(case.clock_subject) if clock.paused_at is None), None)
            values = {"due_at": due.due_at if due else None, "target_seconds": due.target_seconds if due else 0}
            items.put(kind=Kind.CASE, subject_id=case.pk, values=values)
        return changed

    def names(self, ids: Sequence[int]) -> Mapping[int, str]:
        return {pk: f"№ {number}" for pk, number in Case.objects.filter(pk__in=ids).values_list("pk", "number")}

    def find(self, words: str) -> Sequence[int]:
        """By the ticket's number or the number of its store."""
        own = Case.objects.filter(number=words).values_list("pk", flat=True)
        of_store = Case.objects.filter(store__in=Store.objects.filter(number=words)).order_by("-pk").values_list("pk", flat=True)
        return list(dict.fromkeys([*own, *of_store[:FOUND]]))
