"""The settings and secrets of an Odnoklassniki group."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name=_("Odnoklassniki"),
    known_from=("217.20.145.192/28", "217.20.151.160/28", "217.20.153.48/28"),
    settings=(
        Setting("api_base", _("Address of the Odnoklassniki API"), kind="address", help=_("Empty = the vendor's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
        Setting("upload_pause", _("Seconds between a file's upload and its message"), kind="number", help=_("Empty = 2.")),
        Setting("group_id", _("Number of the group"), help=_("For comments under its topics; the digits of its address.")),
        Setting("application_key", _("Public key of the application"), help=_("For comments: of an application with GROUP_CONTENT.")),
        Setting("poll_seconds", _("Ask for comments every, seconds"), kind="number", help=_("Empty = 120.")),
    ),
    secrets=(
        Secret(
            "access_token", _("Access key of the group"), help=_("Group settings, Messages, Work with the API; a new key ends the old one.")
        ),
        Secret("webhook_secret", _("Secret of the webhook"), help=_("Part of the address that the group gets; made by itself."), made=True),
        Secret(
            "comments_token",
            _("Access key for comments"),
            help=_("Of an administrator of the group, for VALUABLE_ACCESS and GROUP_CONTENT; empty = comments are not read."),
        ),
        Secret("application_secret", _("Secret key of the application"), help=_("Signs the questions for comments.")),
    ),
)
