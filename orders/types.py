"""What a source tells of an order: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    name: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class Told:
    """One order as its source tells of it at `changed_at`. `phone` in E.164, empty = not told; `store` is the store's number."""

    source: str
    number: str
    status: str
    placed_at: datetime
    changed_at: datetime
    phone: str = ""
    store: str = ""
    total: Decimal | None = None
    expected_from: datetime | None = None
    expected_until: datetime | None = None
    lines: Sequence[Line] | None = None
    """None = nothing is said of the goods: those known stay."""


@dataclass
class Loaded:
    """What a batch has done. `unknown` are the statuses that no rule explains, each as `source:status`."""

    added: int
    changed: int
    stale: int
    unknown: list[str]
