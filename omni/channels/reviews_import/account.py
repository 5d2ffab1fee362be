"""The settings and secrets of a monitoring vendor that hands us what it finds."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

FORM = KindForm(
    name=_("Import of reviews"),
    settings=(Setting("source", _("Name of the source"), help=_("For reviews that do not name theirs.")),),
    secrets=(Secret("secret", _("Secret of the signature"), help=_("The vendor signs with it: X-Signature: sha256=<HMAC of the body>.")),),
)
