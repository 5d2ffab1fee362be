"""Settings that every exchange's account has."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from core.zones import zone_names
from omni.channels.account_form import Setting
from omni.channels.contract import AccountConfig
from omni.channels.telephony.numbers import LONGEST_EXTENSION

COMMON = (
    Setting(
        "missed",
        _("A call counts as missed"),
        kind="choice",
        choices=(("", _("whenever nobody took it")), ("people", _("only if the guest had got to a queue or an operator"))),
        help=_("A missed call waits in the list until the guest is called back."),
    ),
    Setting("lost_minutes", _("A call without any news counts as ended after, minutes"), kind="number", help=_("Empty = 180.")),
    Setting("region", _("Country of national numbers"), help=_("Two letters; empty = RU.")),
)
VOICE_MENU = (
    Setting("ivr.transfer", _("Voice menu: people are found at"), help=_("A number or queue of the exchange; for whoever wants a person.")),
    Setting(
        "ivr.numbers",
        _("Voice menu: other queues are found at"),
        kind="list",
        help=_("One per line: code of our queue = number in the exchange."),
    ),
    Setting("ivr.wait_seconds", _("Voice menu: wait for a key, seconds"), kind="number", help=_("Empty = 7.")),
    Setting(
        "ivr.trust_caller",
        _("Voice menu: the caller's number is believed"),
        kind="flag",
        help=_("Numbers can be forged: only if the telephone company vouches for them. Otherwise nobody is told balances or orders."),
    ),
)
"""Of exchanges that let us say what a caller hears."""
HISTORY = Setting(
    "history",
    _("Ask the exchange for calls that we did not hear of"),
    kind="flag",
    initial=True,
    help=_("Every quarter of an hour: a lost notice leaves a call unknown or without its end."),
)
EXTENSION_DIGITS = Setting("extension_digits", _("Most digits of an extension"), kind="number", help=_("Empty = 6."))
TIME_ZONE = Setting("time_zone", _("Time zone of the exchange's clock"), help=_("Empty = Europe/Moscow."))
NEAR = timedelta(hours=1)


def region_of(account: AccountConfig) -> str:
    return str(account.settings.get("region") or "RU").upper()


def extension_digits(account: AccountConfig) -> int:
    value = account.settings.get("extension_digits")
    return value if isinstance(value, int) and 0 < value < 12 else LONGEST_EXTENSION


def zone_of(account: AccountConfig) -> tzinfo:
    try:
        return ZoneInfo(str(account.settings.get("time_zone") or "Europe/Moscow"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def zone_fault(values: object) -> dict[str, object]:
    """What is wrong with the account's time zone, by its setting."""
    name = values.get("time_zone") if isinstance(values, dict) else None
    return {"time_zone": _("There is no such time zone.")} if name and name not in zone_names() else {}


def local_time(written: str, zone: tzinfo, received_at: datetime) -> datetime:
    """A local time `YYYY-MM-DD HH:MM:SS`; one that is over an hour from the arrival is in another zone, so the arrival counts."""
    try:
        moment = datetime.fromisoformat(written.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return received_at
    return moment if abs(moment - received_at) <= NEAR else received_at
