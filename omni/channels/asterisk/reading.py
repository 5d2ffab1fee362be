"""What both interfaces share: numbers, who is who, the step."""

from dataclasses import dataclass
from datetime import datetime

from omni.channels.contract import AccountConfig, CallKind, CallStep
from omni.channels.telephony.account import extension_digits, region_of
from omni.channels.telephony.items import micros
from omni.channels.telephony.numbers import bare, e164, is_extension


@dataclass(frozen=True)
class Reading:
    """How an account's events are read, and when this one came."""

    key: str
    received_at: datetime
    region: str
    extension_digits: int

    @classmethod
    def of(cls, account: AccountConfig, key: str, received_at: datetime) -> "Reading":
        return cls(key, received_at, region_of(account), extension_digits(account))

    def is_ours(self, number: str) -> bool:
        """Whether the number is a telephone inside the exchange."""
        return is_extension(number, self.extension_digits)

    def is_outside(self, number: str) -> bool:
        """Whether the number is somebody's outside; a withheld one is."""
        return not self.is_ours(number)

    def number(self, written: str) -> str:
        return "" if self.is_ours(written) else e164(written, self.region)

    def extension(self, *candidates: str) -> str:
        """The first of these that is a telephone of ours: a number, or a channel like SIP/101-0000002a."""
        for written in candidates:
            part = bare(written.rpartition("/")[2].partition("-")[0].partition("@")[0])
            if self.is_ours(part):
                return part
        return ""


def step(kind: CallKind, call_key: str, leg_key: str, at: datetime, **values: object) -> CallStep:
    """A step numbered by its own time: the exchange numbers nothing."""
    return CallStep(kind=kind, call_key=call_key or leg_key, leg_key=leg_key, sequence=micros(at), at=at, **values)  # type: ignore[arg-type]
