"""Connecting a group: its subscription and the check (https://apiok.ru/dev/graph_api/methods/graph.user/graph.user.subscribe/post)."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.http import unanswered
from omni.channels.json_fields import objects_at, text_at
from omni.channels.ok.client import call
from omni.channels.ok.errors import words

SECRET_FIELD = "secret"  # noqa: S105 - the field's name in the address


def address_with_secret(account: AccountConfig, address: str) -> str:
    """The address the group gets: the vendor signs nothing, so only who knows all of it is believed."""
    return f"{address}?{urlencode({SECRET_FIELD: account.secrets.get('webhook_secret', '')})}"


def subscribe(account: AccountConfig, address: str) -> None:
    """Have the group's events delivered to `address`; repeating it is harmless. Raises ConnectFault."""
    if not account.secrets.get("webhook_secret"):
        raise ConnectFault(_("A secret of the webhook is needed: Odnoklassniki does not sign its events."))
    _ask(account, "POST", "me/subscribe", {"url": address_with_secret(account, address)})


def renew(account: AccountConfig, address: str) -> bool:
    """Subscribe anew if the group has no subscription of ours any more; whether it had not. Raises ConnectFault."""
    if address_with_secret(account, address) in _subscribed(account):
        return False
    subscribe(account, address)
    return True


def _subscribed(account: AccountConfig) -> list[str]:
    return [text_at(one, "url") for one in objects_at(_ask(account, "GET", "me/subscriptions"), "subscriptions")]


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """Whether the key is good and events come to our address; faults are findings."""
    try:
        addresses = _subscribed(account)
    except ConnectFault as fault:
        return [Finding(False, str(fault))]
    works = Finding(True, _("The key of the group is accepted."))
    if address_with_secret(account, address) in addresses:
        return [works, Finding(True, _("Events come to our address."))]
    if any(one.partition("?")[0] == address for one in addresses):
        return [works, Finding(False, _("Our address is registered with another secret: nothing is believed."))]
    return [works, Finding(False, _("No webhook is set: nothing comes in."))]


def _ask(account: AccountConfig, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The answer's object. Raises ConnectFault."""
    try:
        answer = call(account, method, path, body=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(f"{path}: {unanswered(error).text}") from error
    if not answer.accepted or answer.body is None:
        raise ConnectFault(f"{path}: {words(answer)}")
    return answer.body
