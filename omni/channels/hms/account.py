"""The settings and secrets of an app in Huawei's Push Kit."""

from django.utils.translation import gettext_lazy as _

from omni.channels import quiet
from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Huawei Push",
    settings=(
        Setting("app_id", _("Number of the app"), help=_("As AppGallery Connect shows it."), required=True),
        Setting("click_action", _("Action of the app"), help=_("What a touch on the notice starts; empty = the app itself.")),
        *quiet.SETTINGS,
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = the provider's own.")),
        Setting("token_address", _("Address that gives keys"), kind="address", help=_("Empty = the provider's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(Secret("app_secret", _("Secret of the app")),),
    shape=quiet.shape,
    has_webhook=False,
)
