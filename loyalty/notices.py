"""How a guest hears of points: whoever has a way to the guest registers it, in AppConfig.ready."""

from datetime import datetime
from typing import Protocol

from loyalty.models import Compensation


class Notifier(Protocol):
    """A way to the guest."""

    def tell(self, compensation: Compensation, *, now: datetime) -> bool:
        """Queue the notice, in the transaction that marks it as given; False when this way does not lead to the guest.

        An exception means: try again later.
        """


_notifiers: list[Notifier] = []


def register(notifier: Notifier) -> None:
    if not any(type(known) is type(notifier) for known in _notifiers):
        _notifiers.append(notifier)


def notifiers() -> tuple[Notifier, ...]:
    return tuple(_notifiers)
