"""Connecting a bot: its webhook and the check of the connection (https://core.telegram.org/bots/api#setwebhook)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, ConnectFault, Finding
from omni.channels.json_fields import integer_at, object_at, text_at
from omni.channels.telegram.client import call
from omni.channels.telegram.errors import said, unanswered

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""Always sent along: Telegram keeps the previous list when it is left out."""

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class BotApiError(ConnectFault):
    """The Bot API refused the call or could not be reached; the text is fit for the administrator."""


@dataclass(frozen=True)
class WebhookInfo:
    """State of the webhook. `pending` updates wait for delivery; `last_error` with its time is empty when there was none."""

    url: str
    pending: int
    last_error: str
    last_error_at: datetime | None
    bot_name: str


def set_webhook(account: AccountConfig, url: str) -> None:
    """Have updates delivered to `url` (https) with the account's `webhook_secret`. Raises BotApiError."""
    secret = account.secrets.get("webhook_secret", "")
    if not SECRET.fullmatch(secret):
        raise BotApiError("webhook_secret must be 1-256 of A-Z, a-z, 0-9, _ and -")
    ask(account, "setWebhook", {"url": url, "secret_token": secret, "allowed_updates": list(ALLOWED_UPDATES)})


def delete_webhook(account: AccountConfig) -> None:
    """Stop deliveries; waiting updates are kept by Telegram for a day. Raises BotApiError."""
    ask(account, "deleteWebhook", {})


def webhook_info(account: AccountConfig) -> WebhookInfo:
    """The bot's name and its webhook's state for "check the connection". Raises BotApiError."""
    bot = ask(account, "getMe", {})
    info = ask(account, "getWebhookInfo", {})
    failed_at = integer_at(info, "last_error_date")
    return WebhookInfo(
        url=text_at(info, "url"),
        pending=integer_at(info, "pending_update_count") or 0,
        last_error=text_at(info, "last_error_message"),
        last_error_at=datetime.fromtimestamp(failed_at, UTC) if failed_at else None,
        bot_name=text_at(bot, "username"),
    )


def findings(account: AccountConfig, address: str) -> Sequence[Finding]:
    """The bot's name, where its webhook leads (ours is `address`), how the last delivery went; faults are findings."""
    try:
        info = webhook_info(account)
    except BotApiError as fault:
        return [Finding(False, str(fault))]
    found = [Finding(True, _("The bot @%(name)s answers.") % {"name": info.bot_name})]
    if info.url == address:
        found.append(Finding(True, _("The webhook is ours; %(count)d updates wait.") % {"count": info.pending}))
    elif info.url:
        found.append(Finding(False, _("The webhook leads elsewhere: %(url)s") % {"url": info.url}))
    else:
        found.append(Finding(False, _("No webhook is set: nothing comes in.")))
    if info.last_error and info.last_error_at:
        when = date_format(localtime(info.last_error_at), "SHORT_DATETIME_FORMAT")
        found.append(Finding(False, _("The last delivery failed at %(when)s: %(error)s") % {"when": when, "error": info.last_error}))
    return found


def ask(account: AccountConfig, method: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result object of a call. Raises BotApiError."""
    try:
        answer = call(account, method, fields)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BotApiError(f"{method}: {unanswered(error).text}") from error
    if not answer.accepted:
        raise BotApiError(f"{method}: {said(answer)}")
    return object_at({"result": answer.result}, "result")
