"""Asking Wildberries: events of all chats in their order, then the reviews and the questions nobody has answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from omni.channels.asking import needs, page
from omni.channels.contract import AccountConfig, Polled
from omni.channels.json_fields import identifier_at, integer_at, object_at, objects_at
from omni.channels.polled_events import event_of
from omni.channels.reviews import Seen, version_of
from omni.channels.wildberries.client import call, chats, feedbacks
from omni.channels.wildberries.events import CHANGING

EVENTS_PATH, CHATS_PATH, FEEDBACKS_PATH = "/api/v1/seller/events", "/api/v1/seller/chats", "/api/v1/feedbacks"
QUESTIONS_PATH = "/api/v1/questions"
TAKE = 200
FIRST_LOOK = timedelta(days=1)
"""How far back a new account is read: what is older was answered in the cabinet."""


@dataclass(frozen=True)
class Kind:
    """What is asked for page by page: its setting, path and list; where the position keeps the page and what was seen."""

    setting: str
    path: str
    rows: str
    skip: str
    seen: str
    changing: Sequence[str]


KINDS = (
    Kind("reviews", FEEDBACKS_PATH, "feedbacks", "skip", "seen", CHANGING),
    Kind("questions", QUESTIONS_PATH, "questions", "skip_questions", "seen_questions", ("text",)),
)


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of events, or, when there are no more, a page of reviews, then of questions. Raises PollFault."""
    needs(account, "token")
    for kind in KINDS:
        if cursor.get(kind.skip) is not None and account.settings.get(kind.setting):
            return _unanswered(account, cursor, kind, now=now)
    return _events(account, cursor, now=now)


def _events(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    after = cursor.get("next") or int((now - FIRST_LOOK).timestamp() * 1000)
    result = object_at(page(lambda: call(chats(account), "GET", EVENTS_PATH, params={"next": after})), "result")
    events = [event_of(event, now=now) for event in objects_at(result, "events")]
    following = integer_at(result, "next") or after
    position: dict[str, Any] = {**cursor, "next": following}
    # Asked until nothing comes; a position that stands still would ask for the same page for ever.
    if integer_at(result, "totalEvents") and following != after:
        return Polled(events, position, more=True)
    following_kinds = {kind.skip: 0 for kind in KINDS if account.settings.get(kind.setting)}
    return Polled(events, {**position, **following_kinds}, more=bool(following_kinds))


def _unanswered(account: AccountConfig, cursor: Mapping[str, Any], kind: Kind, *, now: datetime) -> Polled:
    """The unanswered ones, newest first, page by page until a page brings nothing new."""
    skip = int(cursor[kind.skip])
    asked = {"isAnswered": "false", "take": TAKE, "skip": skip, "order": "dateDesc"}
    data = object_at(page(lambda: call(feedbacks(account), "GET", kind.path, params=asked)), "data")
    seen = Seen(dict(cursor.get(kind.seen, {})))
    found = objects_at(data, kind.rows)
    events = []
    for row in found:
        change = seen.note(identifier_at(row, "id"), version_of(row, *kind.changing), now=now)
        if change is not None:
            events.append(event_of(row, now=now, query=change))
    more = bool(events) and len(found) == TAKE
    position = {**cursor, kind.seen: seen.kept(), kind.skip: skip + TAKE if more else None}
    waiting = any(position.get(other.skip) is not None and account.settings.get(other.setting) for other in KINDS)
    return Polled(events, position, more=waiting)
