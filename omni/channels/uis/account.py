"""The settings and secrets of a UIS exchange."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.telephony.account import COMMON, HISTORY, TIME_ZONE, zone_fault

FORM = KindForm(
    name="UIS (CoMagic)",
    settings=(
        *COMMON,
        TIME_ZONE,
        HISTORY,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the vendor's own.")),
    ),
    secrets=(
        Secret(
            "webhook_secret",
            _("Secret of the notices"),
            help=_(
                "UIS signs nothing: put it into the notice's header X-Otklik-Secret, or as the password of its address; made by itself."
            ),
            made=True,
        ),
        Secret(
            "data_api_token", _("Key of the Data API"), help=_("For the calls that we did not hear of; empty = they are not asked for.")
        ),
    ),
    shape=zone_fault,
)
