"""The settings and secrets of a Mango Office exchange."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.telephony.account import COMMON, HISTORY, VOICE_MENU

FORM = KindForm(
    name="Mango Office",
    known_from=("81.88.80.132", "81.88.80.133", "81.88.82.36", "81.88.82.44", "81.88.82.45"),
    settings=(
        Setting("line_number", _("Number shown when guests are called"), help=_("Digits with the country's code; empty = the exchange's.")),
        *COMMON,
        *VOICE_MENU,
        HISTORY,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the vendor's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("vpbx_api_key", _("Code of the exchange"), help=_("The API's settings in Mango's account show it.")),
        Secret("vpbx_api_salt", _("Key to sign with"), help=_("The API's settings in Mango's account show it.")),
    ),
)
