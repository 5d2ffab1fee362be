"""The settings and secrets of an app in AppGallery."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FIELDS_HELP = _('Only if the store names them otherwise: {"text": "content", ...} for id, text, title, rating, author, date.')

FORM = KindForm(
    name="AppGallery",
    settings=(
        Setting("app_id", _("Number of the app"), required=True),
        Setting("countries", _("Countries"), help=_("For example RU; empty = RU.")),
        Setting("poll_seconds", _("Ask every, seconds"), kind="number", help=_("Empty = 900.")),
        Setting("api_base", _("Address of the API"), kind="address", help=_("Empty = connect-api-dre.cloud.huawei.com.")),
        Setting("reviews_path", _("Path of the reviews"), help=_("Apps of HarmonyOS have their own.")),
        Setting("fields", _("Names of the fields"), kind="json", help=FIELDS_HELP),
        Setting("proxy", _("Proxy"), kind="proxy", help=_("For example socks5://host:1080")),
        Setting("read_timeout", _("Time-out, seconds"), kind="number"),
    ),
    secrets=(
        Secret("client_id", _("Client ID"), help=_("Of an API client made in AppGallery Connect.")),
        Secret("client_secret", _("Client secret")),
    ),
    has_webhook=False,
)
