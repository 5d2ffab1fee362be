"""Signing in with a key that lasts an hour instead of a password: SASL XOAUTH2, the keys by refresh (RFC 6749 6).

The words on the wire: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol, the same with Microsoft
(https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from omni.channels import kept_secrets
from omni.channels.asking import Answer, ask
from omni.channels.bearer import Bearer, Bearers
from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import number_at, text_at

MECHANISM = "XOAUTH2"
PASSWORD, OAUTH = "", "oauth2"
REFRESH_SECRET, CLIENT_SECRET = "oauth_refresh_token", "oauth_client_secret"
HOUR = 3600
LONGEST = 240


class NoKey(Exception):
    """There is no key to sign in with. The text is a sentence for the administrator; `refused` = it will not become better by itself."""

    def __init__(self, text: str, *, refused: bool) -> None:
        super().__init__(text)
        self.refused = refused


@dataclass(frozen=True)
class KeySource:
    """Where a mailbox's connections get their key. `get(fresh=True)` asks for a new one: the remembered one was refused."""

    get: Callable[[bool], str] = field(repr=False)


def key_source(account: AccountConfig) -> KeySource | None:
    """None for a mailbox that signs in with a password. The source's `get` raises NoKey."""
    if account.settings.get("sign_in") != OAUTH:
        return None
    return KeySource(lambda fresh: _key(account, fresh=fresh))


class Conversation:
    """The client's side of SASL XOAUTH2, for one try: its first words, and the empty answer that a refusal must be given."""

    def __init__(self, user: str, key: str) -> None:
        self._first = f"user={user}\x01auth=Bearer {key}\x01\x01".encode()
        self._begun = False
        self.refusal = ""
        """What the server said against the key, empty until it did."""

    def __call__(self, challenge: bytes) -> bytes:
        if not self._begun:
            self._begun = True
            return self._first
        self.refusal = said_in(challenge)
        return b""


def said_in(challenge: bytes) -> str:
    """The refusal that a server puts into a challenge, JSON with `status`; its words as they are if it is something else."""
    text = " ".join(challenge.decode("utf-8", "replace").split())
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text[:LONGEST]
    return f"status {found['status']}"[:LONGEST] if isinstance(found, dict) and found.get("status") else text[:LONGEST]


def _key(account: AccountConfig, *, fresh: bool) -> str:
    if missing := next((name for name in ("oauth.token_address", "oauth.client_id") if not _setting(account, name)), ""):
        raise NoKey(f"The mailbox has no {missing}: nobody can be asked for a key.", refused=True)
    try:
        found = _keys.key(account, fresh=fresh)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoKey(f"The address for keys does not answer: {type(error).__name__}.", refused=False) from error
    if isinstance(found, str):
        return found
    if found.status in (400, 401, 403):
        text = f"The mail provider does not give a key any more ({found.said}): the mailbox must be allowed anew."
        raise NoKey(text[:LONGEST], refused=True)
    raise NoKey(f"The address for keys does not answer as it should: HTTP {found.status}.", refused=False)


_newer: dict[tuple[str, str], str] = {}
_lock = threading.Lock()
# A forked worker begins with its parent's: they are good for it too.


def _ask_for_key(account: AccountConfig) -> Bearer | Answer:
    """One refresh. A provider may give a new refresh token with it: that is the only good one from then on (RFC 6749 6)."""
    address = httpx.URL(_setting(account, "oauth.token_address"))
    at = replace(account, settings={**account.settings, "api_base": f"{address.scheme}://{address.netloc.decode()}"})
    given = _newest(account)
    form = {"grant_type": "refresh_token", "refresh_token": given, "client_id": _setting(account, "oauth.client_id")}
    form |= {"client_secret": secret} if (secret := account.secrets.get(CLIENT_SECRET, "")) else {}
    form |= {"scope": scope} if (scope := _setting(account, "oauth.scope")) else {}
    client = client_for(at, connection_of(at, base=""), name="keys")
    answer = ask(client, "POST", address.raw_path.decode(), data=form)
    key = text_at(answer.object, "access_token")
    if not answer.accepted or not key:
        return replace(answer, status=502) if answer.accepted else answer
    _remember(account, text_at(answer.object, "refresh_token"), given)
    return Bearer(key, number_at(answer.object, "expires_in") or HOUR)


def _newest(account: AccountConfig) -> str:
    """The refresh token, or its successor where this process still holds the account as it was."""
    given = account.secrets.get(REFRESH_SECRET, "")
    with _lock:
        return _newer.get((account.id, given), given)


def _remember(account: AccountConfig, new: str, old: str) -> None:
    if not new or new == old:
        return
    with _lock:
        for known in (old, account.secrets.get(REFRESH_SECRET, "")):
            _newer[account.id, known] = new
    kept_secrets.keep(account.id, {REFRESH_SECRET: new})


def _setting(account: AccountConfig, path: str) -> str:
    group, _dot, name = path.partition(".")
    values = account.settings.get(group)
    return str(values.get(name) or "").strip() if isinstance(values, dict) else ""


_keys = Bearers(_ask_for_key)
