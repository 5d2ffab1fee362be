"""The settings of a source of reviews that publishes RSS or Atom."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Setting

FORM = KindForm(
    name="RSS",
    settings=(
        Setting("feed", _("Address of the feed"), kind="address", required=True),
        Setting("source", _("Name of the source"), help=_("Empty = the feed's own title.")),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 900.")),
        Setting(
            "inner_host",
            _("Host in our own network"),
            kind="address",
            help=_("Only if the feed lies there."),
        ),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    has_webhook=False,
)
