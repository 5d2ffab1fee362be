"""Small calls beside messages. They carry nothing that may be lost, so a failed one is only reported as False."""

import httpx

from omni.channels.contract import AccountConfig
from omni.channels.telegram.client import call
from omni.channels.telegram.planning import chat_of


def answer_callback(account: AccountConfig, callback_query_id: str) -> bool:
    """Stop the waiting mark on a pressed button; `callback_query_id` is in the item's `extra`. Whether Telegram took it."""
    return attempt(account, "answerCallbackQuery", {"callback_query_id": callback_query_id})


def show_typing(account: AccountConfig, conversation: str) -> bool:
    """Show "typing" in the guest's chat for five seconds. Whether Telegram took it."""
    return attempt(account, "sendChatAction", {"chat_id": chat_of(conversation), "action": "typing"})


def attempt(account: AccountConfig, method: str, fields: dict[str, int | str]) -> bool:
    try:
        return call(account, method, fields).accepted
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
