"""The settings and secrets of a seller's cabinet at Ozon."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Ozon",
    settings=(
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 30.")),
        Setting("api_base", _("Address of the seller API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("client_id", _("Client-Id"), help=_("The number of the cabinet.")),
        Secret("api_key", _("API key"), help=_("Made in the cabinet with the right to chats.")),
        Secret(
            "push_key",
            _("Key of the notifications"),
            help=_("Of your own making: our address in the cabinet ends with ?key= and this. Without it no notification counts."),
        ),
    ),
)
