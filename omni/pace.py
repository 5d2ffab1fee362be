"""How fast we may send: a token bucket kept as one time, the moment when it would be full again (GCRA, ITU-T I.371). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """`rate` sends per second in the long run, `burst` of them at once."""

    rate: float
    burst: int = 1

    @classmethod
    def of(cls, rate: float) -> "Limit":
        """The limit of a provider that allows so many per second: a second's worth may go at once, at least one."""
        return cls(rate, max(1, int(rate)))

    def slower(self, share: float) -> "Limit":
        return Limit.of(self.rate * share)


def reserve(full_at: float, limit: Limit, *, now: float) -> tuple[float, float]:
    """The next free moment (seconds, not before `now`), and when the bucket is full again after it. Times in seconds of any one clock."""
    interval = 1 / limit.rate
    begins = max(full_at, now)
    return max(now, begins - (limit.burst - 1) * interval), begins + interval
