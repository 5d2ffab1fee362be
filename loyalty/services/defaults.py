"""The settings of compensations that come with the product."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
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

        def add(kind: str, code: str, make: Callable[[], object]) -> None:
            subject = f"default:points-{kind}:{code}"
            if subject not in known:
                make()
                audit.record(action=_ADDED, by=None, subject=subject, now=now)
                added[kind] = added.get(kind, 0) + 1

        _load(facts, add, now)
    return added


def _load(facts: Facts, add: Callable[[str, str, Callable[[], object]], None], now: datetime) -> None:
    for role in facts["roles"]:
        add("role", role["code"], lambda role=role: Role.objects.get_or_create(code=role["code"], defaults=role))
    for code, rights in facts["rights"].items():
        add("rights", code, lambda code=code, rights=rights: _give_rights(code, rights))
    add("terms", "common", lambda: Terms.objects.get_or_create(chain=None, defaults=facts["terms"]))
    for row in facts["allowances"]:
        add("allowance", row["role"], lambda row=row: _for_role(Allowance, row))
    for row in facts["guest_allowances"]:
        add("guest", str(row["days"]), lambda row=row: GuestAllowance.objects.get_or_create(days=row["days"], defaults=row))
    for row in facts["levels"]:
        add("level", f"{row['role']}-{row['above']}", lambda row=row: _for_role(ApprovalLevel, row))
    for place, row in enumerate(facts["reasons"]):
        add("reason", row["code"], lambda row=row, place=place: _add_reason(row, place))
    add("budget", "common", lambda: _add_budget(facts["budget"], now))


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
