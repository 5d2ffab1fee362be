"""The settings of channel accounts as typed form fields, and their way into and out of JSON."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from omni.channels.account_form import ALLOWED_FROM, Secret, Setting
from omni.channels.http import proxy_at
from omni.channels.registry import adapter_for
from omni.channels.sources import unreadable

Make = Callable[..., forms.Field]


class JsonText(forms.JSONField):
    """JSON in which nothing is written as nothing, not as null."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


def form_field(setting: Setting) -> forms.Field:
    """The form field in which a person types the setting."""
    common: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "required": setting.required, "initial": setting.initial}
    text = UnfoldAdminTextInputWidget
    fields: dict[str, Callable[[], forms.Field]] = {
        "text": lambda: forms.CharField(max_length=400, widget=text, **common),
        "long": lambda: forms.CharField(max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **common),
        "list": lambda: forms.CharField(max_length=8000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **common),
        "number": lambda: forms.IntegerField(min_value=1, widget=UnfoldAdminIntegerFieldWidget, **common),
        "address": lambda: forms.URLField(assume_scheme="https", widget=text, **common),
        "proxy": lambda: forms.CharField(max_length=400, widget=text, validators=[check_proxy], **common),
        "email": lambda: forms.EmailField(widget=text, **common),
        "choice": lambda: forms.ChoiceField(choices=setting.choices, widget=UnfoldAdminSelectWidget, **common),
        "flag": lambda: forms.BooleanField(widget=UnfoldBooleanSwitchWidget, **common),
        "json": lambda: JsonText(widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}), **common),
    }
    return fields[setting.kind]()


def check_proxy(address: str) -> None:
    """Raises ValidationError for an address that no proxy of ours can have."""
    try:
        proxy_at(address)
    except httpx.UnsupportedProtocol as fault:
        raise ValidationError(_("A proxy is written as http://host:3128 or socks5://host:1080.")) from fault


def secret_field(secret: Secret, *, is_set: bool) -> forms.CharField:
    """A field that shows nothing; empty = what is kept stays."""
    kept = _("A value is kept; type another one to replace it.") if is_set else _("No value yet.")
    help_text = f"{secret.help} {kept}" if secret.help else kept
    return forms.CharField(
        label=secret.label,
        help_text=help_text,
        required=False,
        strip=True,
        max_length=4000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )


def shown(setting: Setting, values: Mapping[str, Any]) -> Any:
    """The setting's value as its field shows it; None = not set."""
    value: Any = values
    for part in setting.path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "\n".join(str(one) for one in value) if setting.kind == "list" and isinstance(value, list) else value


def taken_over(kind: str, cleaned: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The account's settings with what was typed; empty ones are left out, and what the form does not know stays."""
    found: dict[str, Any] = {name: dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    for setting in adapter_for(kind).form.all_settings:
        *above, last = setting.path.split(".")
        place = found
        for part in above:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        value = cleaned.get(setting.field_name)
        if setting.kind == "list":
            value = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        if value in (None, "", [], {}, False):
            place.pop(last, None)
        else:
            place[last] = value
    return {name: value for name, value in found.items() if value != {}}


def made_secrets(kind: str) -> dict[str, str]:
    """Fresh values of the secrets that we make ourselves."""
    return {secret.name: secrets.token_urlsafe(32) for secret in adapter_for(kind).form.secrets if secret.made}


def check_shape(kind: str, values: Mapping[str, Any]) -> None:
    """Rules between settings. Raises ValidationError."""
    wrong = dict(adapter_for(kind).form.shape(values))
    if strange := unreadable(values.get(ALLOWED_FROM) or ()):
        wrong[ALLOWED_FROM] = _("This is no network: %(text)s.") % {"text": ", ".join(strange)[:200]}
    if wrong:
        raise ValidationError({f"set_{path.replace('.', '__')}": text for path, text in wrong.items()})
