"""The settings and secrets of a Viber bot."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Viber",
    settings=(
        Setting("sender_name", _("Name of the sender"), help=_("At most 28 characters, shown above our answers."), required=True),
        Setting("sender_avatar", _("Picture of the sender"), kind="address", help=_("A public address; empty = the bot's own.")),
        Setting("welcome", _("Greeting"), kind="long", help=_("Shown when a guest opens the chat for the first time; empty = none.")),
        Setting("file_days", _("Files can be fetched for so many days"), kind="number", help=_("Viber fetches our files by address.")),
        Setting("api_base", _("Address of the bot API"), kind="address", help=_("Empty = Viber's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(Secret("auth_token", _("Token of the bot"), help=_("It also signs the webhooks.")),),
)
