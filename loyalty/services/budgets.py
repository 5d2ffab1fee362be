"""Budgets of compensations: opened with an account of their own, funded by the house."""

import uuid
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from loyalty.models import Account, Budget
from loyalty.services import accounts
from loyalty.services.ledger import post_one
from loyalty.states import AccountKind, TransferKind
from loyalty.types import LARGEST, Order, Outcome


def open_budget(budget: Budget) -> Budget:
    """Save a new budget with its empty account."""
    with transaction.atomic():
        budget.account = Account.objects.create(kind=AccountKind.BUDGET, code=f"budget:{uuid.uuid4().hex[:16]}")
        budget.save()
    return budget


def fund(*, budget: Budget, points: int, id: UUID, by: Staff | None, now: datetime) -> Outcome:
    """Put points into the budget, once for each id. Raises Refusal `wrong_points`, `id_reused`."""
    if not 0 < points <= LARGEST:
        raise Refusal("wrong_points", _("Say how many points are added."), status=400)
    source = accounts.house("issue:compensations")
    with transaction.atomic():
        order = Order(id, TransferKind.FUNDING, source, budget.account_id, points, subject=f"budget:{budget.pk}", by=by.pk if by else None)
        outcome = post_one(order, now=now)
        if outcome is Outcome.DONE:
            audit.record(action="points_budget.funded", by=by, subject=budget, now=now, details={"points": points})
    return outcome
