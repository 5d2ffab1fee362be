"""Reading a marketplace's chats: its list says which have changed, then each one's history is read from where we stopped.

The position is plain JSON: `page` of the list, `pending` chats [id, mark, from], `known` {id: [mark, last message]},
`every`, `every_at` and `pages` (`in_turn`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from omni.channels.asking import RefusedPage
from omni.channels.contract import Polled, PollFault, RawEvent

log = structlog.get_logger(__name__)
# Histories read in one step: a step is kept in one transaction.
BATCH = 10
EVERY_SECONDS = 60
PAGE_SECONDS = 2
"""A list of every chat grows with each chat that nobody closes: so long after each of its pages until the next such list. It then takes
1800 questions an hour at most, whatever their number, of the 5000 that Yandex Market allows (partner API, resource limits)."""
KNOWN = 2000
"""Chats remembered, those read last: a chat that is forgotten is read from its first unread message again, which changes nothing."""


@dataclass(frozen=True)
class Chat:
    """A chat of the list. `mark` changes when it does; `first` is the message to begin with when the chat is new to us."""

    id: str
    mark: str
    first: str = ""


@dataclass(frozen=True)
class ChatPage:
    """A page of the list; `next` asks for the following one, empty = this was the last."""

    chats: Sequence[Chat]
    next: str = ""


@dataclass(frozen=True)
class History:
    """What a chat said after a message: the event, None when nothing is new; `last` message read; `more` = there is more after it."""

    event: RawEvent | None
    last: str
    more: bool = False


ListChats = Callable[[str], ChatPage]
ReadHistory = Callable[[str, str], History]


def in_turn(cursor: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
    """The position, at the beginning of a list with `every` said anew: whether this list is to be of every chat, not of the unread alone.

    Our answer takes a chat off the list of those that wait for us, and with it a word of the buyer that stood there by then. Of a list
    of every chat only those count that we have read before.
    """
    if cursor.get("page") or cursor.get("pending"):
        return cursor
    last = float(cursor.get("every_at", now.timestamp()))
    is_due = now.timestamp() - last >= max(EVERY_SECONDS, int(cursor.get("pages") or 0) * PAGE_SECONDS)
    if is_due:
        return {**cursor, "every": True, "every_at": now.timestamp(), "pages": 0}
    return {**cursor, "every": False, "every_at": last}


def step(cursor: Mapping[str, Any], list_chats: ListChats, read: ReadHistory) -> Polled:
    """One step from `cursor`: a page of the list, or the histories of some chats. Raises PollFault when nothing at all was read."""
    if not cursor.get("pending"):
        return _listed(cursor, list_chats)
    pending, known, events = list(cursor["pending"]), dict(cursor.get("known", {})), list[RawEvent]()
    for done in range(min(BATCH, len(pending))):
        chat, mark, start = pending[0]
        try:
            history = read(chat, start)
        except PollFault as fault:
            if not isinstance(fault, RefusedPage) or not fault.gone:
                if not done:
                    raise
                break  # what was read is kept first; the next step meets the fault again
            log.warning("a chat cannot be read", chat=chat, reason=str(fault))
            history = History(None, start)
        events += [history.event] if history.event else []
        if history.more and history.last != start:
            pending[0] = [chat, mark, history.last]
            continue
        pending.pop(0)
        known.pop(chat, None)
        known[chat] = [mark, history.last or start]
    return Polled(events, {**cursor, "pending": pending, "known": _newest(known)}, more=bool(pending or cursor.get("page")))


def _listed(cursor: Mapping[str, Any], list_chats: ListChats) -> Polled:
    known = cursor.get("known", {})
    page = list_chats(str(cursor.get("page") or ""))
    # A list of every chat brings nothing that was settled before we came.
    chats = [chat for chat in page.chats if chat.id in known or not cursor.get("every")]
    pending = [[chat.id, chat.mark, _start(known, chat)] for chat in chats if known.get(chat.id, [None])[0] != chat.mark]
    following = page.next if page.next != cursor.get("page") else ""
    counted = {"pages": int(cursor.get("pages") or 0) + 1} if cursor.get("every") else {}
    return Polled((), {**cursor, **counted, "page": following, "pending": pending}, more=bool(pending or following))


def _start(known: Mapping[str, Any], chat: Chat) -> str:
    return str(known[chat.id][1] or chat.first) if chat.id in known else chat.first


def _newest(known: dict[str, Any]) -> dict[str, Any]:
    """Dictionaries come back from JSONB in another order, so the order of age cannot be theirs: marks grow with time."""
    if len(known) <= KNOWN:
        return known
    return dict(sorted(known.items(), key=lambda one: _age(one[1][0]))[-KNOWN:])


def _age(mark: str) -> tuple[int, str]:
    """Numbers by size, moments of ISO 8601 by their text."""
    return len(mark) if mark.isdecimal() else 0, mark
