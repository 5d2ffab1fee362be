"""The settings and secrets of a Facebook page."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="Facebook",
    settings=(
        Setting("page_id", _("Id of the page"), required=True),
        Setting(
            "human_agent",
            _("Answer up to 7 days"),
            kind="flag",
            help=_("Only with Meta's permission “Human Agent”; without it answers go out within 24 hours."),
            initial=False,
        ),
        Setting("api_version", _("Version of the Graph API"), help=_("For example v24.0; empty = the version we were tried with.")),
        Setting("api_base", _("Address of the Graph API"), kind="address", help=_("Empty = Meta's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("access_token", _("Access token of the page")),
        Secret("app_secret", _("Secret of the Meta app"), help=_("It signs the webhooks.")),
        Secret("verify_token", _("Verify token of the webhook"), help=_("Of your choice; the same goes into the app's settings.")),
    ),
)
