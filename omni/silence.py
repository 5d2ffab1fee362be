"""Whether a channel's silence is alarming: what usually comes at this hour of the week against what came. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
HOURS_OF_WEEK = 168
# A thin flow is judged over an hour: in less, chance decides.
WINDOW = HOUR


@dataclass(frozen=True)
class Thresholds:
    """When to raise the alarm (omni.models.SilenceRule). `least_share` is a part of one."""

    least_minutes: int = 10
    least_expected: float = 8
    least_share: float = 0.2


@dataclass(frozen=True)
class Verdict:
    """Too little came since `since`: `seen` instead of the usual `expected`."""

    since: datetime
    expected: float
    seen: int


def hour_of_week(at: datetime, zone: ZoneInfo) -> int:
    """0 = Monday 0:00-1:00 by the local clock."""
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour


def usual(counts: Sequence[int]) -> float:
    """How many usually come in an hour of the week, from the same hour of earlier weeks: the mean, one burst left out."""
    if not counts:
        return 0.0
    kept = sorted(counts)[:-1] if len(counts) > 2 else counts
    return sum(kept) / len(kept)


def learn(hours: Mapping[datetime, int], *, now: datetime, weeks: int, zone: ZoneInfo) -> Mapping[int, float]:
    """The usual number for each hour of the week; `hours` are whole past hours (UTC) with their counts, missing ones brought nothing.

    Only weeks that lie wholly within what is known are looked at.
    """
    if not hours:
        return {}
    first, this = min(hours), _whole_hour(now)
    found: dict[int, list[int]] = {}
    for back in range(1, weeks * HOURS_OF_WEEK + 1):
        hour = this - back * HOUR
        if hour < first:
            break
        found.setdefault(hour_of_week(hour, zone), []).append(hours.get(hour, 0))
    return {hour: usual(counts) for hour, counts in found.items()}


def known_weeks(hours: Mapping[datetime, int], *, now: datetime) -> float:
    """For how many weeks counts are known."""
    return (now - min(hours)) / timedelta(weeks=1) if hours else 0.0


def expected_between(rates: Mapping[int, float], since: datetime, until: datetime, *, zone: ZoneInfo) -> float:
    """How many should have come between the two times."""
    return sum(rates.get(hour_of_week(begin, zone), 0.0) * ((end - begin) / HOUR) for begin, end in _parts(since, until))


def _parts(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    begin = since
    while begin < until:
        end = min(_whole_hour(begin) + HOUR, until)
        yield begin, end
        begin = end


def _whole_hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def judge(
    *, rates: Mapping[int, float], last_at: datetime, seen: int, now: datetime, thresholds: Thresholds, zone: ZoneInfo
) -> Verdict | None:
    """The verdict on an account: nothing since `last_at`, and `seen` events within the last WINDOW; None = nothing is wrong.

    If n events are usual, none at all happens by chance once in e^n times (Poisson): the night's few need hours, noon's many minutes.
    """
    # Whole weeks of silence are told once; adding them up on each look would only cost.
    since = max(last_at, now - timedelta(weeks=1))
    missed = expected_between(rates, since, now, zone=zone)
    if now - last_at >= timedelta(minutes=thresholds.least_minutes) and missed >= thresholds.least_expected:
        return Verdict(last_at, missed, 0)
    usually = expected_between(rates, now - WINDOW, now, zone=zone)
    if usually >= 2 * thresholds.least_expected and seen < usually * thresholds.least_share:
        return Verdict(now - WINDOW, usually, seen)
    return None
