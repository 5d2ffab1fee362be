"""The settings and secrets of a seller's cabinet at Wildberries."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Wildberries",
    settings=(
        Setting("reviews", _("Reviews of goods come in too"), kind="flag"),
        Setting("questions", _("Questions about goods come in too"), kind="flag"),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 30.")),
        Setting("api_base", _("Address of the chat API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("feedbacks_base", _("Address of the reviews API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret(
            "token", _("API token"), help=_("Made in the cabinet with the rights to chats, and to reviews and questions if they come in.")
        ),
    ),
    has_webhook=False,
)
