"""Names of time zones (https://www.iana.org/time-zones)."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """Those that this machine knew at their first use: looking for them opens hundreds of files."""
    return frozenset(available_timezones())
