"""Connecting a bot: its webhook and the check of the connection (https://developers.viber.com/docs/api/rest-bot-api/#webhooks)."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.http import unanswered
from omni.channels.json_fields import JsonObject, text_at
from omni.channels.viber.client import call

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""What can be left out; `webhook` and `message` always come."""


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The bot's name and where its webhook leads (ours is `address`); faults are findings."""
    try:
        told = ask(account, "get_account_info", {})
    except ConnectFault as fault:
        return [Finding(False, str(fault))]
    found = [Finding(True, _("The bot “%(name)s” answers.") % {"name": text_at(told, "name")})]
    url = text_at(told, "webhook")
    if url == address:
        found.append(Finding(True, _("The webhook is ours.")))
    elif url:
        found.append(Finding(False, _("The webhook leads elsewhere: %(url)s") % {"url": url}))
    else:
        found.append(Finding(False, _("No webhook is set: nothing comes in.")))
    return found


def connect(account: AccountConfig, address: str) -> None:
    """Have callbacks delivered to `address` (https); Viber tries it at once. Raises ConnectFault."""
    ask(account, "set_webhook", {"url": address, "event_types": list(EVENTS), "send_name": True, "send_photo": False})


def ask(account: AccountConfig, method: str, fields: Mapping[str, Any]) -> JsonObject:
    """The answer of a call. Raises ConnectFault."""
    try:
        answer = call(account, method, fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectFault(f"{method}: {unanswered(error).text}") from error
    if not answer.accepted or answer.body is None:
        raise ConnectFault(f"{method}: {answer.said}")
    return answer.body
