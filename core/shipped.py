"""Settings that come with the product, of apps that `load_defaults` does not know by name: each is added once in the life of a base."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from core import audit
from core.locks import serialise
from core.models import AuditEntry

_ADDED = "defaults.added"


@dataclass
class Shipment:
    """One loading. What a supervisor changed stays changed, what was deleted stays away; `added` counts what is new, by kind."""

    now: datetime
    known: set[str]
    added: dict[str, int] = field(default_factory=dict)
    _new: list[str] = field(default_factory=list)

    def add(self, kind: str, code: str, make: Callable[[], object]) -> None:
        """Have the thing made, unless it was added at some time before. `write_down` comes after the last one."""
        subject = f"default:{kind}:{code}"
        if subject in self.known:
            return
        make()
        self._new.append(subject)
        self.known.add(subject)
        self.added[kind] = self.added.get(kind, 0) + 1

    def write_down(self) -> None:
        """Remember for the life of the base what was added. In the transaction of the loading."""
        audit.record_all(action=_ADDED, subjects=self._new, now=self.now)
        self._new.clear()


Load = Callable[[Shipment], None]
_loads: list[Load] = []


def register(load: Load) -> None:
    """Have `load` called by `load_all`; the order is that of the apps."""
    if load not in _loads:
        _loads.append(load)


def load_all(*, now: datetime) -> Mapping[str, int]:
    """Add what was never added before; how many of each kind are new."""
    with transaction.atomic():
        serialise("shipped defaults")
        known = set(AuditEntry.objects.filter(action=_ADDED, subject__startswith="default:").values_list("subject", flat=True))
        shipment = Shipment(now=now, known=known)
        for load in _loads:
            load(shipment)
        shipment.write_down()
        return shipment.added
