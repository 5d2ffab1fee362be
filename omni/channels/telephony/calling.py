"""An exchange that can be told to call."""

from typing import Protocol, runtime_checkable

from omni.channels.contract import AccountConfig, Failed, Retry, Sent


@runtime_checkable
class CallingBack(Protocol):
    """An adapter whose exchange rings an operator's telephone and then a guest's."""

    def call_back(self, account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
        """Order the call. `number` in E.164, `key` names the order. Never raises for the exchange's faults."""
