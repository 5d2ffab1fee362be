"""What the admin panel asks for about an account of a channel: pure data, declared by each channel for its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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
