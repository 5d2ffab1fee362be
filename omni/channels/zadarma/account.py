"""The settings and secrets of a Zadarma exchange."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.telephony.account import COMMON, EXTENSION_DIGITS, HISTORY, TIME_ZONE, VOICE_MENU, zone_fault

FORM = KindForm(
    name="Zadarma",
    known_from=("185.45.152.42",),
    settings=(
        *COMMON,
        *VOICE_MENU,
        HISTORY,
        EXTENSION_DIGITS,
        TIME_ZONE,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the vendor's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("api_key", _("Key of the API"), help=_("Zadarma's account shows it under Integrations and API.")),
        Secret("api_secret", _("Secret of the API"), help=_("Signs the exchange's notices as well.")),
    ),
    shape=zone_fault,
)
