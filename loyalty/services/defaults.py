"""The settings of compensations that come with the product."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from accounts.models import Role
from core import audit
from core.locks import serialise
from core.models import AuditEntry
from loyalty.models import Allowance, ApprovalLevel, Budget, CompensationReason, GuestAllowance, Terms
from loyalty.services import budgets

DATA = Path(__file__).resolve().parent.parent / "data" / "compensations.json"
_ADDED = "defaults.added"
_SPACE = UUID("2c9d3f2e-6f0d-4b0e-8a55-0f3f1a1d7d10")
Facts = Mapping[str, Any]


def load(*, now: datetime) -> Mapping[str, int]:
    """Add the shipped settings that were never added before; how many of each kind are new.

    Each is added once in the life of a base: what a supervisor changed stays changed, what was deleted stays away.
    """
    facts = json.loads(DATA.read_text("utf-8"))
    added: dict[str, int] = {}
    with transaction.atomic():
        serialise("shipped defaults")
        known = set(AuditEntry.objects.filter(action=_ADDED, subject__startswith="default:points").values_list("subject", flat=True))
        new: list[str] = []
        for kind, code, make in _shipped(facts, now):
            subject = f"default:points-{kind}:{code}"
            if subject not in known:
                make()
                new.append(subject)
                added[f"points: {kind}"] = added.get(f"points: {kind}", 0) + 1
        audit.record_all(action=_ADDED, subjects=new, now=now)
    return added


def _shipped(facts: Facts, now: datetime) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Kind, code, and what adds it: roles come before what names them."""
    for row in facts["roles"]:
        yield "role", row["code"], partial(Role.objects.get_or_create, code=row["code"], defaults=row)
    for code, rights in facts["rights"].items():
        yield "rights", code, partial(_give_rights, code, rights)
    yield "terms", "common", partial(Terms.objects.get_or_create, chain=None, defaults=facts["terms"])
    for row in facts["allowances"]:
        yield "allowance", row["role"], partial(_for_role, Allowance, row)
    for row in facts["guest_allowances"]:
        yield "guest", str(row["days"]), partial(GuestAllowance.objects.get_or_create, days=row["days"], defaults=row)
    for row in facts["levels"]:
        yield "level", f"{row['role']}-{row['above']}", partial(_for_role, ApprovalLevel, row)
    for place, row in enumerate(facts["reasons"]):
        yield "reason", row["code"], partial(_add_reason, row, place)
    yield "budget", "common", partial(_add_budget, facts["budget"], now)


def _give_rights(code: str, rights: list[str]) -> None:
    role = Role.objects.filter(code=code).first()
    if role is not None:
        role.rights = sorted({*role.rights, *rights})
        role.save(update_fields=["rights"])


def _for_role(model: Any, row: Facts) -> None:
    """A role that a supervisor removed gets no row."""
    role = Role.objects.filter(code=row["role"]).first()
    if role is not None:
        rest = {name: value for name, value in row.items() if name != "role"}
        own = {"role": role, "above": row["above"]} if "above" in row else {"role": role}
        model.objects.get_or_create(**own, defaults=rest)


def _add_reason(row: Facts, place: int) -> None:
    CompensationReason.objects.get_or_create(code=row["code"], defaults={**row, "position": place})


def _add_budget(facts: Facts, now: datetime) -> None:
    if not Budget.objects.filter(group=None).exists():
        budget = budgets.open_budget(Budget(name=facts["name"]))
        budgets.fund(budget=budget, points=facts["points"], id=uuid5(_SPACE, "first budget"), by=None, now=now)
