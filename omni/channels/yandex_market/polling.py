"""Asking Yandex Market: which chats wait for us, then what was said in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.asking import needs, page
from omni.channels.chat_sweep import Chat, ChatPage, History, in_turn, step
from omni.channels.contract import AccountConfig, Polled, PollFault
from omni.channels.json_fields import identifier_at, object_at, objects_at, text_at
from omni.channels.polled_events import event_of
from omni.channels.yandex_market.client import business_of, call
from omni.channels.yandex_market.events import CHAT, newest, result_of

WAITING = ["NEW", "WAITING_FOR_PARTNER", "WAITING_FOR_ARBITER", "WAITING_FOR_MARKET"]
"""States of a chat in which the buyer may have said something that nobody has answered."""
EVERY = [*WAITING, "WAITING_FOR_CUSTOMER"]
"""With those that we have answered."""
CHATS_AT_ONCE, MESSAGES_AT_ONCE = 20, 100


def ready(account: AccountConfig) -> None:
    """Raises PollFault for an account that lacks its key or its number."""
    needs(account, "api_key")
    if not business_of(account):
        raise PollFault(_("The number of the business is missing."), refused=True)


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of the list, or some histories. Raises PollFault."""
    ready(account)
    place = in_turn(cursor, now=now)
    statuses = EVERY if place.get("every") else WAITING
    return step(place, lambda place: listed(account, place, statuses), lambda chat, start: history(account, chat, start, now=now))


def listed(account: AccountConfig, place: str, statuses: Sequence[str] = WAITING) -> ChatPage:
    """A page of the chats in these states; `place` is the token of the page."""
    asked: dict[str, Any] = {"limit": CHATS_AT_ONCE, **({"page_token": place} if place else {})}
    result = result_of(page(lambda: call(account, "POST", "", params=asked, json={"statuses": list(statuses)})))
    found = [(identifier_at(chat, "chatId"), text_at(chat, "updatedAt")) for chat in objects_at(result, "chats")]
    return ChatPage([Chat(number, mark) for number, mark in found if number], text_at(object_at(result, "paging"), "nextPageToken"))


def history(account: AccountConfig, chat: str, start: str, *, now: datetime) -> History:
    """What was said in the chat from message `start` on, which may be among it."""
    asked: dict[str, Any] = {"chatId": chat, "limit": MESSAGES_AT_ONCE}
    body = {"messageIdFrom": int(start)} if start.isdecimal() else {}
    answer = page(lambda: call(account, "POST", "/history", params=asked, json=body))
    messages = objects_at(result_of(answer), "messages")
    last = newest(messages) or start
    event = event_of(answer, now=now, query={CHAT: chat}) if messages and last != start else None
    return History(event, last, more=bool(text_at(object_at(result_of(answer), "paging"), "nextPageToken")))
