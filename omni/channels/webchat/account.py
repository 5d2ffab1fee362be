"""The settings and secrets of a site with a chat."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm, Secret, Setting

_HOURS = (("", _("the queue's SLA calendar")), ("always", _("around the clock")))


def _shape(values: Mapping[str, Any]) -> dict[str, Any]:
    wrong: dict[str, Any] = {}
    if not isinstance(values.get("prechat", []), list):
        wrong["prechat"] = _("The questions are a list.")
    if not isinstance(values.get("limits", {}), dict):
        wrong["limits"] = _("The limits are an object.")
    return wrong


FORM = KindForm(
    name=_("Web chat"),
    settings=(
        Setting("site_key", _("Key of the site"), help=_("Public; stands in the page that shows the chat."), required=True),
        Setting("origins", _("Sites that may show the chat"), kind="list", help=_("One a line, for example https://shop.example")),
        Setting("title.ru", _("Title in Russian")),
        Setting("title.en", _("Title in English")),
        Setting("greeting.ru", _("Greeting in Russian"), kind="long"),
        Setting("greeting.en", _("Greeting in English"), kind="long"),
        Setting("hours", _("Working hours"), kind="choice", choices=_HOURS),
        Setting("only_identified", _("Only guests whom the site vouches for"), kind="flag"),
        Setting("consent_version", _("Version of the consent"), help=_("Empty = no consent is asked.")),
        Setting("prechat", _("Questions before the chat"), kind="json", help=_("A JSON list of {field, type, label, required}.")),
        Setting("limits", _("Limits per minute"), kind="json", help=_("A JSON object; empty = the usual ones.")),
    ),
    secrets=(
        Secret("identity_key", _("Key for vouching"), help=_("The site signs its guests' names with it; made by itself."), made=True),
    ),
    shape=_shape,
    has_webhook=False,
)
