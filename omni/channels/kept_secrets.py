"""Secrets that a provider replaces by itself: an adapter has no database, so who keeps them is registered here."""

from collections.abc import Callable, Mapping

Keeper = Callable[[str, Mapping[str, str]], None]
_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Whoever keeps secrets: it gets the account's id (`AccountConfig.id`) and the secrets that are new."""
    _keepers.append(keeper)


def keep(account_id: str, secrets: Mapping[str, str]) -> None:
    """Hand them over; nothing else of the account changes."""
    for keeper in _keepers:
        keeper(account_id, secrets)
