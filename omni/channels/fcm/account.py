"""The settings and secrets of a project in Firebase Cloud Messaging."""

from django.utils.translation import gettext_lazy as _

from omni.channels import quiet
from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Firebase Cloud Messaging",
    settings=(
        Setting("project", _("Project"), help=_("Empty = as the service account says.")),
        *quiet.SETTINGS,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("token_address", _("Address that gives keys"), kind="address", help=_("Empty = as the service account says.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(Secret("service_account", _("Service account (JSON)"), help=_("The whole file of the key.")),),
    shape=quiet.shape,
    has_webhook=False,
)
