"""Short-lived keys that a provider gives or that we sign: asked for once, kept in the process until shortly before they end."""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from omni.channels.asking import Answer
from omni.channels.contract import AccountConfig

EARLY = 60.0
"""Seconds before its end from which on a key is not used any more."""


class Bearer(NamedTuple):
    """A key and for how many seconds it is good."""

    token: str
    seconds: float


class Bearers:
    """The keys of a channel's accounts. Thread-safe; another secret or address is another key."""

    def __init__(self, make: Callable[[AccountConfig], Bearer | Answer]) -> None:
        """`make` gets a new key, or the answer that says why there is none; it may raise httpx.HTTPError, httpx.InvalidURL."""
        self._make = make
        self._known: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def with_token(self, account: AccountConfig, call: Callable[[str], Answer]) -> Answer:
        """The answer of `call` with the account's key; a remembered key that is refused is asked for once more."""
        remembered = self._remembered(account)
        if remembered:
            answer = call(remembered)
            if answer.status != 401:
                return answer
        made = self._make(account)
        if isinstance(made, Answer):
            return made
        self._remember(account, made)
        return call(made.token)

    def key(self, account: AccountConfig, *, fresh: bool = False) -> str | Answer:
        """The account's key, or the answer that says why there is none; `fresh` = a remembered one was refused.

        Raises what `make` raises.
        """
        if not fresh and (remembered := self._remembered(account)):
            return remembered
        made = self._make(account)
        if isinstance(made, Answer):
            return made
        self._remember(account, made)
        return made.token

    def _remember(self, account: AccountConfig, made: Bearer) -> None:
        with self._lock:
            self._known[_name(account)] = (made.token, time.monotonic() + made.seconds - EARLY)

    def _remembered(self, account: AccountConfig) -> str:
        with self._lock:
            token, until = self._known.get(_name(account), ("", 0.0))
        return token if time.monotonic() < until else ""


def _name(account: AccountConfig) -> str:
    closed: Any = sorted((*account.settings.items(), *account.secrets.items()), key=str)
    return f"{account.id}:{hashlib.sha256(repr(closed).encode('utf-8', 'replace')).hexdigest()}"
