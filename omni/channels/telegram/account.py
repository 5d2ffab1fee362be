"""The settings and secrets of a Telegram bot."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Telegram",
    settings=(
        Setting("api_base", _("Address of the Bot API"), kind="address", help=_("Empty = Telegram's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("bot_token", _("Token of the bot"), help=_("BotFather gives it.")),
        Secret("webhook_secret", _("Secret of the webhook"), help=_("1-256 of A-Z, a-z, 0-9, _ and -; made by itself."), made=True),
    ),
)
