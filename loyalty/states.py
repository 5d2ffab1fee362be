"""States and kinds of the ledger and of compensations, with who may go where."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """`available` to `budget` never go below zero; `owed` never goes above it; a house account has no live row and no floor."""

    AVAILABLE = "available", _("available points")
    PENDING = "pending", _("points that are not ripe yet")
    HOLD = "hold", _("frozen by anti-fraud")
    BUDGET = "budget", _("budget")
    OWED = "owed", _("owed by the guest")
    HOUSE = "house", _("house account")


FLOORED = frozenset({AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.HOLD, AccountKind.BUDGET})
WITH_LOTS = frozenset({AccountKind.AVAILABLE, AccountKind.PENDING})


class TransferKind(models.TextChoices):
    OPENING = "opening", _("opening balance")
    ACCRUAL = "accrual", _("accrual")
    RIPENED = "ripened", _("became available")
    SPEND = "spend", _("spent")
    REFUND = "refund", _("refund")
    REVERSAL = "reversal", _("accrual taken back")
    REPAID = "repaid", _("debt repaid")
    EXPIRY = "expiry", _("points expired")
    COMPENSATION = "compensation", _("compensation")
    FUNDING = "funding", _("budget funded")
    JOINING = "joining", _("cards joined")
    FREEZE = "freeze", _("frozen")
    BURN = "burn", _("burnt")


class ReservationState(models.TextChoices):
    OPEN = "open", _("open")
    POSTED = "posted", _("posted")
    VOIDED = "voided", _("voided")
    EXPIRED = "expired", _("expired")


class CardState(models.TextChoices):
    ACTIVE = "active", _("active")
    BLOCKED = "blocked", _("blocked")


class CompensationState(models.TextChoices):
    AWAITING = "awaiting", _("waits for approval")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    EXPIRED = "expired", _("nobody decided in time")


COMPENSATION_TRANSITIONS: Mapping[str, frozenset[str]] = {
    CompensationState.AWAITING: frozenset(
        {CompensationState.GRANTED, CompensationState.REFUSED, CompensationState.WITHDRAWN, CompensationState.EXPIRED}
    ),
    CompensationState.GRANTED: frozenset(),
    CompensationState.REFUSED: frozenset(),
    CompensationState.WITHDRAWN: frozenset(),
    CompensationState.EXPIRED: frozenset(),
}
# What counts against limits: given, or about to be.
COUNTED = (CompensationState.AWAITING, CompensationState.GRANTED)


class NoticeState(models.TextChoices):
    NONE = "none", _("not due")
    WAITING = "waiting", _("waits")
    GIVEN = "given", _("given")
    NO_WAY = "no_way", _("no way to tell")


class ImportKind(models.TextChoices):
    BALANCES = "balances", _("opening balances")
    ACCRUAL = "accrual", _("accrual for a past period")


class ImportState(models.TextChoices):
    NEW = "new", _("uploaded")
    CHECKING = "checking", _("being checked")
    CHECKED = "checked", _("checked")
    LOADING = "loading", _("being loaded")
    DONE = "done", _("done, totals proved")
    WRONG = "wrong", _("totals differ")
    STOPPED = "stopped", _("stopped")


IMPORT_TRANSITIONS: Mapping[str, frozenset[str]] = {
    ImportState.NEW: frozenset({ImportState.CHECKING, ImportState.STOPPED}),
    ImportState.CHECKING: frozenset({ImportState.CHECKED, ImportState.STOPPED}),
    ImportState.CHECKED: frozenset({ImportState.LOADING, ImportState.STOPPED}),
    ImportState.LOADING: frozenset({ImportState.DONE, ImportState.WRONG, ImportState.STOPPED}),
    # What was stopped goes on where it was: the rows that are in stay in.
    ImportState.STOPPED: frozenset({ImportState.CHECKING, ImportState.LOADING}),
    ImportState.WRONG: frozenset(),
    ImportState.DONE: frozenset(),
}


class OperationState(models.TextChoices):
    """An operation at the outer processing."""

    QUEUED = "queued", _("waits to be sent")
    UNKNOWN = "unknown", _("sent, no answer: asked about again")
    PENDING = "pending", _("accepted, not yet booked there")
    CONFIRMED = "confirmed", _("confirmed")
    REFUSED = "refused", _("refused")


class AlarmCheck(models.TextChoices):
    SUM_ZERO = "sum_zero", _("all balances together are zero")
    BALANCE = "balance", _("a balance equals its entries")
    RESERVED = "reserved", _("what is reserved equals the open reservations")
    RESOLVED_ONCE = "resolved_once", _("a reservation is resolved once")
    LOTS = "lots", _("lots equal the balance")
    LOT_USES = "lot_uses", _("what is gone from a lot equals its uses")
    IMPORT_TOTALS = "import_totals", _("an import's totals are equal")
    PROCESSING = "processing", _("the outer processing agrees")
