"""What goes into the ledger and what comes back: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What became of an order."""

    DONE = "done"
    REPEATED = "repeated"
    """The same order was carried out before; nothing happened now."""
    REUSED = "id_reused"
    """The id belongs to a different transfer."""
    SHORT = "not_enough"
    """The payer has less than the amount free."""
    UNKNOWN = "no_account"
    WRONG = "wrong_order"
    """Amount, accounts or references that can never be carried out."""
    CHAIN = "chain_broken"
    """Another order of its chain was refused."""


CARRIED_OUT = frozenset({Outcome.DONE, Outcome.REPEATED})
LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Order:
    """A transfer to be made. `id` is the caller's and is kept by the caller before sending.

    `amount` in whole points; `debit` pays, `credit` gets. `ends_at` is when the points that arrive expire (or ripen, on a pending
    account), None = never. `chain`: orders of one batch with the same chain are all made or none. `refund_of` names the spending whose
    points go back to the lots they came from. `reservation` is the one that this transfer posts.
    """

    id: UUID
    kind: str
    debit: int
    credit: int
    amount: int
    ends_at: datetime | None = None
    subject: str = ""
    reason: str = ""
    by: int | None = None
    approved_by: int | None = None
    chain: int | None = None
    refund_of: UUID | None = None
    reservation: UUID | None = None
    lot: UUID | None = None
    """Take from this lot only (expiry, ripening); None = the one that ends first."""

    @property
    def body(self) -> tuple[str, int, int, int, str, UUID | None, UUID | None]:
        """What must be equal for a repeat to be the same order."""
        return self.kind, self.debit, self.credit, self.amount, self.subject, self.refund_of, self.reservation


@dataclass(slots=True)
class Account:
    """An account as it stands under its lock; a house account has balance 0 here and no lock."""

    id: int
    kind: str
    balance: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        return self.balance - self.reserved


@dataclass(slots=True)
class Lot:
    """Points that arrived together and expire together. `id` is that of the transfer that brought them."""

    id: UUID
    account: int
    left: int
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a lot a spending took; `returned` came back by refunds."""

    transfer: UUID
    lot: UUID
    amount: int
    returned: int = 0


@dataclass(frozen=True)
class Books:
    """Everything that decides about a batch, read under the locks of its accounts."""

    accounts: Mapping[int, Account]
    known: Mapping[UUID, tuple[str, int, int, int, str, UUID | None, UUID | None]] = field(default_factory=dict)
    lots: Sequence[Lot] = ()
    uses: Sequence[Use] = ()


@dataclass
class Entries:
    """What a batch writes. Amounts of accounts are changes, those of lots are what is left."""

    transfers: list[Order] = field(default_factory=list)
    balances: dict[int, int] = field(default_factory=dict)
    house: dict[int, int] = field(default_factory=dict)
    new_lots: dict[UUID, Lot] = field(default_factory=dict)
    lot_amounts: dict[UUID, int] = field(default_factory=dict)
    """What each new lot held at first."""
    changed_lots: dict[UUID, Lot] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    returned: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
