"""The settings and secrets of a UIS exchange."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret
from omni.channels.telephony.account import COMMON, TIME_ZONE, zone_fault

FORM = KindForm(
    name="UIS (CoMagic)",
    settings=(*COMMON, TIME_ZONE),
    secrets=(
        Secret(
            "webhook_secret",
            _("Secret of the notices"),
            help=_(
                "UIS signs nothing: put it into the notice's header X-Otklik-Secret, or as the password of its address; made by itself."
            ),
            made=True,
        ),
    ),
    shape=zone_fault,
)
