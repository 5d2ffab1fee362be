"""The settings and secrets of a business's cabinet at Yandex Market."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name=_("Yandex Market"),
    known_from=("5.45.207.0/25", "141.8.142.0/25", "5.255.253.0/25"),
    settings=(
        Setting("business_id", _("Number of the business"), kind="number", help=_("The cabinet shows it in its settings."), required=True),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 30.")),
        Setting("api_base", _("Address of the partner API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(Secret("api_key", _("API key"), help=_("Made in the cabinet with the right to communication with buyers.")),),
)
