"""The settings and secrets of an app in the App Store."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="App Store",
    settings=(
        Setting("app_id", _("Number of the app"), help=_("Its Apple ID in App Store Connect."), required=True),
        Setting("issuer_id", _("Issuer ID"), required=True),
        Setting("key_id", _("Key ID"), required=True),
        Setting("territory", _("Country"), help=_("For example RUS; empty = all countries.")),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 900.")),
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(Secret("private_key", _("Private key (.p8)"), help=_("The whole file; the key's role must include Customer Support.")),),
    has_webhook=False,
)
