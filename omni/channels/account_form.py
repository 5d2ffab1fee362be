"""What the admin panel asks for about an account of a channel: pure data, declared by each channel for its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

ALLOWED_FROM = "allowed_from"


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
    """One kind of account. `shape` checks rules between settings: field path -> sentence of what is wrong; empty = all right."""

    name: Any
    settings: Sequence[Setting] = ()
    secrets: Sequence[Secret] = ()
    shape: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(default=lambda values: {})
    has_webhook: bool = True
    """Whether the provider delivers to an address of ours that an administrator may have to give it."""
    is_ours: bool = False
    """Accounts of the kind are made by the product, not by an administrator."""
    known_from: Sequence[str] = ()
    """The networks that the provider says it delivers from; shown, never taken for granted: they change."""

    @property
    def all_settings(self) -> Sequence[Setting]:
        """With the one that every kind has to which somebody delivers."""
        return (*self.settings, self._allowed_from()) if self.has_webhook else self.settings

    def _allowed_from(self) -> Setting:
        text = _("One network a line, for example 217.20.145.192/28; an event from elsewhere is refused. Empty = from everywhere.")
        known = _("By the provider's word: %(networks)s.") % {"networks": ", ".join(self.known_from)} if self.known_from else ""
        return Setting(ALLOWED_FROM, _("Events only from these addresses"), kind="list", help=f"{text} {known}".strip())
