"""When nobody wants a notice: hours of the night by the guest's own clock. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import Setting

FROM, UNTIL = time(21), time(9)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

SETTINGS = (
    Setting("quiet_from", _("Quiet from"), help=_("By the guest's own clock, for example 21:00 (also if empty).")),
    Setting("quiet_until", _("Quiet until"), help=_("For example 09:00 (also if empty). The same time twice = never quiet.")),
)


def shape(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with the two times of an account's settings."""
    names = ("quiet_from", "quiet_until")
    return {name: _("A time is written as 21:00.") for name in names if values.get(name) and not _TIME.fullmatch(str(values[name]))}


def hours_of(settings: Mapping[str, Any]) -> tuple[time, time]:
    """From when until when an account is quiet; what is no time counts as not set."""
    return _time_of(settings.get("quiet_from"), FROM), _time_of(settings.get("quiet_until"), UNTIL)


def _time_of(written: Any, fallback: time) -> time:
    found = _TIME.fullmatch(str(written or ""))
    return time(int(found[1]), int(found[2])) if found else fallback


def allowed_at(now: datetime, zone: ZoneInfo, quiet_from: time, until: time) -> datetime:
    """`now`, or when the quiet hours around it end (UTC)."""
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    over_midnight = quiet_from > until
    is_quiet = quiet_from <= clock < until if not over_midnight else clock >= quiet_from or clock < until
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=1 if over_midnight and clock >= quiet_from else 0)
    end = datetime.combine(day, until, tzinfo=zone).astimezone(UTC)
    return max(now, end)
