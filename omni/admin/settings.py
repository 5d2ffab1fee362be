"""The settings of each kind of channel account as typed form fields: pure data, and their way into and out of JSON."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

Make = Callable[..., forms.Field]


@dataclass(frozen=True)
class Setting:
    """One setting. `path` is its place in the JSON (`imap.host`); `kind` says how it is typed; `choices` belong to a choice."""

    path: str
    label: Any
    kind: str = "text"
    help: Any = ""
    choices: Sequence[tuple[str, Any]] = ()
    initial: Any = None
    required: bool = False

    @property
    def field_name(self) -> str:
        return f"set_{self.path.replace('.', '__')}"


@dataclass(frozen=True)
class Secret:
    """One secret: written, never shown. `made` = we make it when the account is created and nobody gives one."""

    name: str
    label: Any
    help: Any = ""
    made: bool = False

    @property
    def field_name(self) -> str:
        return f"secret_{self.name}"


@dataclass(frozen=True)
class KindForm:
    name: Any
    settings: Sequence[Setting]
    secrets: Sequence[Secret]


_SECURITY = (("tls", _("TLS from the first byte")), ("starttls", _("STARTTLS")), ("none", _("without encryption")))
_HOURS = (("", _("the queue's SLA calendar")), ("always", _("around the clock")))


def _server(name: str, title: Any, port: int) -> tuple[Setting, ...]:
    return (
        Setting(f"{name}.host", _("%(server)s: host") % {"server": title}, required=True),
        Setting(f"{name}.port", _("%(server)s: port") % {"server": title}, kind="number", initial=port),
        Setting(f"{name}.tls", _("%(server)s: encryption") % {"server": title}, kind="choice", choices=_SECURITY, initial="tls"),
        Setting(f"{name}.user", _("%(server)s: user") % {"server": title}),
    )


KINDS: Mapping[str, KindForm] = {
    "telegram": KindForm(
        name="Telegram",
        settings=(
            Setting("api_base", _("Address of the Bot API"), kind="address", help=_("Empty = Telegram's own.")),
            Setting("proxy", _("Proxy"), help=_("For example socks5://host:1080")),
            Setting("read_timeout", _("Time-out, seconds"), kind="number"),
        ),
        secrets=(
            Secret("bot_token", _("Token of the bot"), help=_("BotFather gives it.")),
            Secret("webhook_secret", _("Secret of the webhook"), help=_("1-256 of A-Z, a-z, 0-9, _ and -; made by itself."), made=True),
        ),
    ),
    "email": KindForm(
        name=_("E-mail"),
        settings=(
            Setting("address", _("Our address"), kind="email", required=True),
            Setting("name", _("Name of the sender")),
            Setting("aliases", _("Other addresses of ours"), kind="list", help=_("One a line.")),
            Setting("domain", _("Domain of our message ids"), help=_("Empty = the domain of our address.")),
            *_server("imap", "IMAP", 993),
            Setting("imap.folder", _("IMAP: folder"), initial="INBOX"),
            Setting("imap.move_to", _("IMAP: move read mails to"), help=_("Empty = they stay, marked as read.")),
            *_server("smtp", "SMTP", 465),
            Setting("size_limit", _("Largest mail, bytes"), kind="number", help=_("Larger ones are read by their headers only.")),
            Setting("poll_seconds", _("Look for mails every so many seconds"), kind="number"),
            Setting("ca_file", _("File of an own certificate authority")),
        ),
        secrets=(
            Secret("imap_password", _("IMAP: password")),
            Secret("smtp_password", _("SMTP: password")),
            Secret("thread_key", _("Key of the reply addresses"), help=_("Made by itself; a new one breaks older threads."), made=True),
        ),
    ),
    "webchat": KindForm(
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
    ),
}


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
        "email": lambda: forms.EmailField(widget=text, **common),
        "choice": lambda: forms.ChoiceField(choices=setting.choices, widget=UnfoldAdminSelectWidget, **common),
        "flag": lambda: forms.BooleanField(widget=UnfoldBooleanSwitchWidget, **common),
        "json": lambda: JsonText(widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}), **common),
    }
    return fields[setting.kind]()


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
    for setting in KINDS[kind].settings:
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
    return {secret.name: secrets.token_urlsafe(32) for secret in KINDS[kind].secrets if secret.made}


def check_shape(kind: str, values: Mapping[str, Any]) -> None:
    """Rules between settings. Raises ValidationError."""
    if kind != "webchat":
        return
    if not isinstance(values.get("prechat", []), list):
        raise ValidationError({"set_prechat": _("The questions are a list.")})
    if not isinstance(values.get("limits", {}), dict):
        raise ValidationError({"set_limits": _("The limits are an object.")})
