"""Connecting a bot: its subscription and the check of the connection (https://dev.max.ru/docs-api/methods/POST/subscriptions)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.http import unanswered
from omni.channels.json_fields import objects_at, text_at
from omni.channels.max.client import call
from omni.channels.max.content import person_name
from omni.channels.max.errors import words
from omni.channels.max.updates import HANDLERS

SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}")


def subscribe(account: AccountConfig, address: str) -> None:
    """Have updates delivered to `address` with the account's secret. Raises ConnectFault."""
    secret = account.secrets.get("webhook_secret", "")
    if not SECRET.fullmatch(secret):
        raise ConnectFault(_("The secret of the webhook must be 5-256 of A-Z, a-z, 0-9, _ and -."))
    _ask(account, "POST", "/subscriptions", {"url": address, "update_types": sorted(HANDLERS), "secret": secret})


def renew(account: AccountConfig, address: str) -> bool:
    """Subscribe anew if the bot has no subscription of ours any more; whether it had not. Raises ConnectFault."""
    if address in _subscribed(account):
        return False
    subscribe(account, address)
    return True


def _subscribed(account: AccountConfig) -> list[str]:
    return [text_at(found, "url") for found in objects_at(_ask(account, "GET", "/subscriptions"), "subscriptions")]


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The bot's name and where its subscriptions lead; faults are findings."""
    try:
        bot = _ask(account, "GET", "/me")
        addresses = _subscribed(account)
    except ConnectFault as fault:
        return [Finding(False, str(fault))]
    found = [Finding(True, _("The bot @%(name)s answers.") % {"name": text_at(bot, "username") or person_name(bot)})]
    others = [other for other in addresses if other != address]
    if address in addresses:
        found.append(Finding(True, _("Events come to our address.")))
    else:
        found.append(Finding(False, _("No webhook is set: nothing comes in.")))
    if others:
        found.append(Finding(False, _("Events go to another address too: %(url)s") % {"url": ", ".join(others)}))
    return found


def _ask(account: AccountConfig, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The answer's object. Raises ConnectFault."""
    try:
        answer = call(account, method, path, body=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(f"{path}: {unanswered(error).text}") from error
    if not answer.accepted or answer.body is None:
        raise ConnectFault(f"{path}: {words(answer)}")
    return answer.body
