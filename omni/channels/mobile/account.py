"""The settings and secrets of a mobile app with a chat."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.webchat import account as webchat

OWN = frozenset({"site_key", "origins"})

FORM = KindForm(
    name=_("Mobile app"),
    settings=(
        Setting("site_key", _("Key of the app"), help=_("Public; the app names it when it opens the chat."), required=True),
        *(setting for setting in webchat.FORM.settings if setting.path not in OWN),
        Setting("push_accounts", _("Accounts of push notices"), kind="list", help=_("Their names, one a line; empty = all there are.")),
        Setting(
            "push_seconds", _("Push an answer after, seconds"), kind="number", help=_("If the app has not fetched it by then. Empty = 20.")
        ),
        Setting("push_hides_text", _("A push does not show the text of the answer"), kind="flag"),
        Setting("never_pushes", _("No push for answers"), kind="flag"),
    ),
    secrets=(Secret("identity_key", _("Key for vouching"), help=_("The app's own server signs its guests' names with it."), made=True),),
    shape=webchat.FORM.shape,
    has_webhook=False,
)
