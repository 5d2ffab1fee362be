"""The settings and secrets of a WhatsApp number (Cloud API)."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="WhatsApp",
    settings=(
        Setting(
            "phone_number_id",
            _("Id of the telephone number"),
            help=_("From the app's WhatsApp page, not the number itself."),
            required=True,
        ),
        Setting("business_account_id", _("Id of the WhatsApp business account"), help=_("Needed to set the webhook from here.")),
        Setting("api_version", _("Version of the Graph API"), help=_("For example v24.0; empty = the version we were tried with.")),
        Setting("api_base", _("Address of the Graph API"), kind="address", help=_("Empty = Meta's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("access_token", _("Access token"), help=_("Of a system user; it does not expire.")),
        Secret("app_secret", _("Secret of the Meta app"), help=_("It signs the webhooks.")),
        Secret("verify_token", _("Verify token of the webhook"), help=_("Meta shows it when it tries our address."), made=True),
    ),
)
