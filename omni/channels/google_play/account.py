"""The settings and secrets of an app in Google Play."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Google Play",
    settings=(
        Setting("package", _("Name of the app's package"), help=_("For example ru.lukoshko.app"), required=True),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 1800. The store allows 200 questions an hour.")),
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("token_address", _("Address that gives keys"), kind="address", help=_("Empty = as the service account says.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret(
            "service_account", _("Service account (JSON)"), help=_("The whole file of the key; it needs the right to reply to reviews.")
        ),
    ),
    has_webhook=False,
)
