"""Asking Ozon: which chats have unread messages, then what was said in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omni.channels.asking import needs, page
from omni.channels.chat_sweep import Chat, ChatPage, History, in_turn, step
from omni.channels.contract import AccountConfig, Polled
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, text_at
from omni.channels.ozon.client import NAMES, call
from omni.channels.ozon.content import newest
from omni.channels.ozon.events import CHAT
from omni.channels.ozon.words import is_with_buyer
from omni.channels.polled_events import event_of

LIST_PATH, HISTORY_PATH = "/v3/chat/list", "/v3/chat/history"
CHATS_AT_ONCE, MESSAGES_AT_ONCE = 100, 100


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of the list, or some histories. Raises PollFault."""
    needs(account, *NAMES)
    position = in_turn(cursor, now=now)
    unread_only = not position.get("every")
    return step(
        position, lambda place: listed(account, place, unread_only=unread_only), lambda chat, start: history(account, chat, start, now=now)
    )


def listed(account: AccountConfig, place: str, *, unread_only: bool = True) -> ChatPage:
    """A page of open chats, of those with unread messages alone if wished; `place` is the provider's cursor."""
    asked = {
        "filter": {"chat_status": "OPENED", "unread_only": unread_only},
        "limit": CHATS_AT_ONCE,
        **({"cursor": place} if place else {}),
    }
    body = page(lambda: call(account, LIST_PATH, asked))
    chats = [found for entry in objects_at(body, "chats") if (found := chat_of(entry))]
    return ChatPage(chats, text_at(body, "cursor") if body.get("has_next") is True else "")


def chat_of(entry: JsonObject) -> Chat | None:
    """The chat of a list's entry, None when it is not one with a buyer."""
    chat = object_at(entry, "chat") or entry
    number, last = identifier_at(chat, "chat_id"), identifier_at(entry, "last_message_id")
    if not number or not is_with_buyer(text_at(chat, "chat_type")):
        return None
    return Chat(number, last, identifier_at(entry, "first_unread_message_id"))


def history(account: AccountConfig, chat: str, start: str, *, now: datetime) -> History:
    """What was said in the chat from message `start` on, which may be among it."""
    asked: dict[str, Any] = {"chat_id": chat, "direction": "Forward", "limit": MESSAGES_AT_ONCE}
    if start.isdecimal():
        asked["from_message_id"] = int(start)
    body = page(lambda: call(account, HISTORY_PATH, asked))
    messages = objects_at(body, "messages")
    last = newest(messages) or start
    is_news = bool(messages) and (last != start or len(messages) == 1)
    event = event_of(body, now=now, query={CHAT: chat}) if is_news else None
    return History(event, last, more=body.get("has_next") is True)
