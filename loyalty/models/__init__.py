"""The ledger, compensations, imports and the outer processing."""

from loyalty.models.compensation import (
    Allowance,
    ApprovalLevel,
    Budget,
    Campaign,
    Compensation,
    CompensationReason,
    GuestAllowance,
    Signature,
)
from loyalty.models.imports import Import, ImportReject, ImportRow
from loyalty.models.ledger import Account, Alarm, HouseDelta, Lot, LotUse, Reservation, Transfer
from loyalty.models.processing import Operation, Processing
from loyalty.models.wallet import Card, Terms, Wallet, WalletJoin

__all__ = [
    "Account",
    "Alarm",
    "Allowance",
    "ApprovalLevel",
    "Budget",
    "Campaign",
    "Card",
    "Compensation",
    "CompensationReason",
    "GuestAllowance",
    "HouseDelta",
    "Import",
    "ImportReject",
    "ImportRow",
    "Lot",
    "LotUse",
    "Operation",
    "Processing",
    "Reservation",
    "Signature",
    "Terms",
    "Transfer",
    "Wallet",
    "WalletJoin",
]
