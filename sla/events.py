"""What SLA clocks tell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClockBreached:
    """A promise was not kept in time."""

    clock_id: int
    subject: str
    metric: str
