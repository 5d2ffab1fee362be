"""The settings and secrets of a VK community."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name="VK",
    settings=(
        Setting("group_id", _("Number of the community"), help=_("The digits of its address, without club or public."), required=True),
        Setting("confirmation", _("Confirmation string"), help=_("Empty = asked from VK whenever it makes sure of our address.")),
        Setting("api_base", _("Address of the VK API"), kind="address", help=_("Empty = VK's own.")),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret(
            "access_token", _("Access token of the community"), help=_("With the rights for messages, photos, documents and management.")
        ),
        Secret("secret", _("Secret key of the Callback API"), help=_("Up to 50 characters; made by itself."), made=True),
    ),
)
