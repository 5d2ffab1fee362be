"""The settings and secrets of an exchange that posts our own form."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret
from omni.channels.telephony.account import COMMON, VOICE_MENU

FORM = KindForm(
    name=_("Telephone: signed events"),
    settings=(*COMMON, *VOICE_MENU),
    secrets=(
        Secret("signing_key", _("Signing key"), help=_("The exchange signs each event with it (X-Signature); made by itself."), made=True),
    ),
)
