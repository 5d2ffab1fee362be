"""Reads of points and compensations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from loyalty.limits import Allowed, Given, Window
from loyalty.models import Account, Card, Compensation, CompensationReason, HouseDelta, Lot, Signature, Transfer, Wallet
from loyalty.services import allowances
from loyalty.states import AccountKind, CompensationState


@dataclass(frozen=True)
class Balance:
    """A guest's points. `available` without what is reserved; `next_points` expire at `next_ends_at` (None = nothing expires)."""

    available: int = 0
    reserved: int = 0
    pending: int = 0
    held: int = 0
    owed: int = 0
    next_ends_at: datetime | None = None
    next_points: int = 0


@dataclass(frozen=True)
class Limits:
    """What limits a compensation of this person for this guest now."""

    allowed: Allowed
    given: Given
    windows: Sequence[Window]

    @property
    def without_approval(self) -> int:
        """The most points that need nobody's approval."""
        rest = [self.allowed.per_operation, self.allowed.per_day - self.given.today, self.allowed.per_week - self.given.week]
        return max(0, min([*rest, *(window.points - window.given for window in self.windows)]))


def balance_of(guest_id: int) -> Balance:
    """Of all the guest's cards together."""
    found = {account.kind: account for account in Account.objects.filter(wallet__guest=guest_id)}
    available = found.get(AccountKind.AVAILABLE)
    if available is None:
        return Balance(pending=_of(found, AccountKind.PENDING), owed=-_of(found, AccountKind.OWED))
    ends_at = Lot.objects.filter(account=available, left__gt=0, ends_at__isnull=False).order_by("ends_at").values_list("ends_at", flat=True)
    next_at = ends_at.first()
    ending = Lot.objects.filter(account=available, ends_at=next_at, left__gt=0).aggregate(points=Sum("left"))["points"] if next_at else 0
    return Balance(
        available=available.balance - available.reserved,
        reserved=available.reserved,
        pending=_of(found, AccountKind.PENDING),
        held=_of(found, AccountKind.HOLD),
        owed=-_of(found, AccountKind.OWED),
        next_ends_at=next_at,
        next_points=ending,
    )


def _of(found: dict[str, Account], kind: AccountKind) -> int:
    return found[kind].balance if kind in found else 0


def list_cards(guest_id: int) -> Sequence[Card]:
    return list(Card.objects.filter(wallet__guest=guest_id).select_related("chain").order_by("pk"))


def list_transfers(wallet: Wallet, *, limit: int = 50) -> Sequence[Transfer]:
    """The newest of the wallet's transfers: each leg's index is walked by itself."""
    accounts = list(Account.objects.filter(wallet=wallet).values_list("pk", flat=True))
    legs = [Transfer.objects.filter(**{f"{side}__in": accounts}).order_by("-at")[:limit] for side in ("debit", "credit")]
    found = {transfer.pk: transfer for part in legs for transfer in part}
    return sorted(found.values(), key=lambda transfer: transfer.at, reverse=True)[:limit]


def house_balance(account: Account) -> int:
    """A house account's balance with what is not folded yet."""
    return account.balance + (HouseDelta.objects.filter(account=account).aggregate(all=Sum("amount"))["all"] or 0)


def limits_of(*, staff: Staff, guest_id: int, now: datetime) -> Limits:
    return Limits(allowances.allowed_to(staff), allowances.given_by(staff, now=now), allowances.windows_of(guest_id, now=now))


def list_reasons() -> Sequence[CompensationReason]:
    return list(CompensationReason.objects.filter(is_active=True))


def find_reason(code: str) -> CompensationReason:
    """Raises Refusal (400)."""
    found = CompensationReason.objects.filter(code=code, is_active=True).first()
    if found is None:
        raise Refusal("reason_unknown", _("There is no such reason of compensations."), status=400)
    return found


def visible_compensations(staff: Staff) -> "QuerySet[Compensation]":
    """One's own, those that one's role signs or one has signed, and all of them for who reads the ledger."""
    shown = Compensation.objects.select_related("guest", "reason", "author")
    if staff.has_right(Right.POINTS):
        return shown
    signed = Signature.objects.filter(compensation=OuterRef("pk")).filter(Q(by=staff) | Q(by=None, level__role__staff=staff))
    mine = Q(author=staff)
    return shown.filter(mine | Exists(signed)) if staff.has_right(Right.APPROVE_POINTS) else shown.filter(mine)


def to_be_signed_by(staff: Staff) -> "QuerySet[Compensation]":
    """What waits for this person's signature, the oldest first."""
    roles = Q() if staff.is_superuser else Q(level__role__staff=staff)
    open_ones = Signature.objects.filter(roles, compensation=OuterRef("pk"), by=None)
    own = Signature.objects.filter(compensation=OuterRef("pk"), by=staff)
    waiting = Compensation.objects.filter(Exists(open_ones), ~Exists(own), state=CompensationState.AWAITING).exclude(author=staff)
    return waiting.select_related("guest", "reason", "author").order_by("asked_at", "pk")


def find_compensation(*, staff: Staff, compensation_id: UUID) -> Compensation:
    """Raises Refusal (404) also for what this person may not see."""
    found = visible_compensations(staff).filter(pk=compensation_id).first()
    if found is None:
        raise Refusal("not_found", _("There is no such compensation."), status=404)
    return found


def list_compensations(subject: str) -> Sequence[Compensation]:
    """Those of a case, the newest first."""
    return list(Compensation.objects.filter(subject=subject).select_related("guest", "reason", "author").order_by("-asked_at"))
