"""The settings and secrets of an account of SMSC.ru."""

from django.utils.translation import gettext_lazy as _

from omni.channels import quiet
from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="SMSC",
    settings=(
        Setting("sender", _("Name of the sender"), help=_("As it is registered with the provider; empty = the provider's own.")),
        Setting("login", _("Login"), help=_("Only without a key of the API.")),
        Setting("most_parts", _("SMS for one notice at most"), kind="number", help=_("A longer text is refused. Empty = 4.")),
        *quiet.SETTINGS,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("api_key", _("Key of the API")),
        Secret("password", _("Password"), help=_("Only without a key of the API.")),
        Secret(
            "callback_secret",
            _("Secret of the status callback"),
            help=_("The same text as in the provider's settings of callbacks."),
            made=True,
        ),
    ),
    shape=quiet.shape,
)
