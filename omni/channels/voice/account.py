"""The settings and secrets of an exchange that posts our own form."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.telephony.account import COMMON, HISTORY, VOICE_MENU

FORM = KindForm(
    name=_("Telephone: signed events"),
    settings=(
        *COMMON,
        *VOICE_MENU,
        HISTORY,
        Setting(
            "voximplant_account",
            _("Voximplant: number of the account"),
            help=_("For the calls that we did not hear of; the scenario's call_key must be the number of its session."),
        ),
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the vendor's own.")),
    ),
    secrets=(
        Secret("signing_key", _("Signing key"), help=_("The exchange signs each event with it (X-Signature); made by itself."), made=True),
        Secret("voximplant_api_key", _("Voximplant: key of the Management API")),
    ),
)
