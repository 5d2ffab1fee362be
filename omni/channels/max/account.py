"""The settings and secrets of a MAX bot."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="MAX",
    known_from=("5.101.42.200/31", "31.177.104.200/31", "89.221.230.200/31"),
    settings=(
        Setting("api_base", _("Address of the MAX API"), kind="address", help=_("Empty = the vendor's own.")),
        Setting(
            "ca_file",
            _("File of an own certificate authority"),
            help=_(
                "MAX has its certificate from the Ministry of Digital Development: download the authority's file (PEM) and name it here."
            ),
        ),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("bot_token", _("Token of the bot"), help=_("The platform for partners gives it under Integration.")),
        Secret("webhook_secret", _("Secret of the webhook"), help=_("5-256 of A-Z, a-z, 0-9, _ and -; made by itself."), made=True),
    ),
)
