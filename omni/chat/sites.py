"""Sites and apps with a chat: channel accounts of the kinds `webchat` and `mobile`, and what their settings say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from core.refusal import Refusal
from omni.models import ChannelAccount
from omni.services.webchat import KINDS
from omni.states import AccountState
from sla.rules import NoWorkingTime, deadline
from sla.services import clocks

# Each is a number per minute; a site's settings may say otherwise under "limits".
LIMITS: Mapping[str, int] = {
    "sessions_per_address": 120,
    "sockets_per_address": 300,
    "messages_per_visitor": 60,
    "messages_per_address": 600,
    "uploads_per_visitor": 20,
    "uploads_per_address": 100,
    "reads_per_visitor": 240,
    "waits_per_visitor": 60,
    "devices_per_visitor": 20,
}
FIELD_TYPES = frozenset({"text", "tel", "email", "choice", "consent"})


@dataclass(frozen=True)
class Field:
    """One question before the chat. `options` belong to a choice; `autocomplete` is HTML's token for the browser's memory."""

    name: str
    type: str
    label: str
    required: bool = False
    options: Sequence[str] = ()
    autocomplete: str = ""


@dataclass(frozen=True)
class Site:
    """What a site's settings say, in the reader's language."""

    account: ChannelAccount
    key: str
    origins: Sequence[str]
    title: str
    greeting: str
    only_identified: bool
    consent_version: str
    fields: Sequence[Field] = ()
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_app(self) -> bool:
        """An app of ours, not a site."""
        return self.account.kind == "mobile"

    def limit(self, name: str) -> int:
        return int(self.limits.get(name, LIMITS[name]))


@dataclass(frozen=True)
class Hours:
    """Whether operators work now; `opens_at` (UTC) is when they begin, None while they work."""

    working: bool
    opens_at: datetime | None


def find_site(site_key: str) -> Site:
    """The site of a public key. Raises Refusal (404)."""
    accounts = ChannelAccount.objects.select_related("queue__policy__calendar", "queue__group").exclude(state=AccountState.DISABLED)
    account = accounts.filter(kind__in=KINDS, settings__site_key=site_key).first() if site_key else None
    if account is None:
        raise Refusal("site_unknown", gettext_lazy("There is no chat for this site."), status=404)
    return site_of(account)


def site_of(account: ChannelAccount) -> Site:
    """The account's settings, read with mercy: what is missing or of a wrong shape has a plain default."""
    settings: dict[str, Any] = account.settings
    version = str(settings.get("consent_version") or "")
    return Site(
        account=account,
        key=str(settings.get("site_key") or ""),
        origins=tuple(found for origin in settings.get("origins") or () if (found := origin_of(str(origin)))),
        title=_worded(settings.get("title")) or _("Support"),
        greeting=_worded(settings.get("greeting")) or _("Hello! Write to us, a person will answer."),
        only_identified=bool(settings.get("only_identified")),
        consent_version=version,
        fields=tuple(_field(given) for given in settings.get("prechat") or () if isinstance(given, dict) and given.get("field")),
        limits={name: int(value) for name, value in (settings.get("limits") or {}).items() if name in LIMITS},
    )


def _field(given: dict[str, Any]) -> Field:
    name, kind = str(given["field"]), str(given.get("type") or "text")
    return Field(
        name=name,
        type=kind if kind in FIELD_TYPES else "text",
        label=_worded(given.get("label")) or name,
        required=bool(given.get("required")),
        options=tuple(_worded(option) or str(option) for option in given.get("options") or ()),
        autocomplete={"name": "name", "phone": "tel", "email": "email"}.get(name, "off"),
    )


def _worded(texts: Any) -> str:
    """A text given as {"ru": ..., "en": ...} in the reader's language, else in the first one there is."""
    if isinstance(texts, str):
        return texts
    if not isinstance(texts, dict) or not texts:
        return ""
    return str(texts.get((get_language() or "ru")[:2]) or next(iter(texts.values())))


def origin_of(address: str) -> str:
    """scheme://host[:port] of an address, as browsers write origins (RFC 6454); empty when it has none."""
    parts = urlsplit(address.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    try:
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def check_origin(site: Site, *, origin: str, own: str) -> None:
    """`origin` as the browser sent it; empty = an app or a server, which has none. Raises Refusal for a foreign one."""
    if origin and origin != own and origin not in site.origins:
        raise Refusal("origin_unknown", gettext_lazy("The chat is not open for this site."), status=403)


def hours_of(site: Site, *, now: datetime) -> Hours:
    """The hours of the queue's SLA calendar; a site whose settings say "hours": "always" has no closing time."""
    if site.account.settings.get("hours") == "always":
        return Hours(working=True, opens_at=None)
    hours = clocks.hours_of(site.account.queue.policy.calendar, now=now)
    try:
        first = deadline(hours, now, 1) - timedelta(seconds=1)
    except NoWorkingTime:
        return Hours(working=False, opens_at=None)
    return Hours(working=True, opens_at=None) if first <= now else Hours(working=False, opens_at=first)
