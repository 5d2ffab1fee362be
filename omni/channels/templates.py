"""What a provider tells of the texts that it has approved, or not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from omni.channels.contract import AccountConfig


class TemplateFate(StrEnum):
    """What became of a text at the provider."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"


@dataclass(frozen=True)
class ListedTemplate:
    """One text of the provider's list. `body` has its places as `{{1}}`, `{{2}}` …"""

    name: str
    language: str
    fate: TemplateFate
    body: str
    reason: str = ""


@runtime_checkable
class Templating(Protocol):
    """A provider that can be asked for its list of texts."""

    def list_templates(self, account: AccountConfig) -> Sequence[ListedTemplate]:
        """All texts that we could send: those that want more than values for the places of a text are left out. Raises PollFault."""
