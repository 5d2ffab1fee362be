"""The settings and secrets of an Asterisk exchange."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.telephony.account import COMMON, EXTENSION_DIGITS, VOICE_MENU

ARI, AMI = "ari", "ami"


def shape(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Each interface needs its own address."""
    if values.get("interface", ARI) == AMI:
        return {} if _part(values, "ami").get("host") else {"ami.host": _("AMI needs the exchange's host.")}
    return {} if _part(values, "ari").get("address") else {"ari.address": _("ARI needs the exchange's address.")}


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = values.get(name)
    return part if isinstance(part, dict) else {}


FORM = KindForm(
    name="Asterisk",
    settings=(
        Setting("interface", _("Interface"), kind="choice", choices=((ARI, "ARI"), (AMI, "AMI")), initial=ARI, required=True),
        Setting("user", _("User"), required=True),
        Setting("ari.address", _("ARI: address"), kind="address", help=_("For example http://pbx.local:8088")),
        Setting("ari.app", _("ARI: application"), help=_("Empty = otklik. Set channelvars=CHANNEL(linkedid) in ari.conf.")),
        Setting("ari.all", _("ARI: hear channels outside the application too"), kind="flag"),
        Setting("ami.host", _("AMI: host")),
        Setting("ami.port", _("AMI: port"), kind="number", help=_("Empty = 5038.")),
        Setting("ami.tls", _("AMI: encrypted"), kind="flag"),
        Setting("recordings", _("Address of recordings"), help=_("With {name} in it, for calls heard by AMI; empty = none are fetched.")),
        *COMMON,
        EXTENSION_DIGITS,
        *VOICE_MENU,
    ),
    secrets=(
        Secret("password", _("Password")),
        Secret(
            "ivr_key", _("Key of the voice menu"), help=_("The dialplan signs in with it (CURLOPT userpwd); made by itself."), made=True
        ),
    ),
    shape=shape,
    has_webhook=False,
)
