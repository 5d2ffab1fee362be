"""Asking Wildberries: events of all chats in their order, then the reviews nobody has answered."""

from collections.abc import Mapping
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
TAKE = 200
FIRST_LOOK = timedelta(days=1)
"""How far back a new account is read: what is older was answered in the cabinet."""


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of events, or, when there are no more, a page of reviews. Raises PollFault."""
    needs(account, "token")
    skip = cursor.get("skip")
    if skip is not None and account.settings.get("reviews"):
        return _reviews(account, cursor, int(skip), now=now)
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
    if account.settings.get("reviews"):
        return Polled(events, {**position, "skip": 0}, more=True)
    return Polled(events, position)


def _reviews(account: AccountConfig, cursor: Mapping[str, Any], skip: int, *, now: datetime) -> Polled:
    """The unanswered reviews, newest first, page by page until a page brings nothing new."""
    asked = {"isAnswered": "false", "take": TAKE, "skip": skip, "order": "dateDesc"}
    data = object_at(page(lambda: call(feedbacks(account), "GET", FEEDBACKS_PATH, params=asked)), "data")
    seen = Seen(dict(cursor.get("seen", {})))
    found = objects_at(data, "feedbacks")
    events = []
    for review in found:
        change = seen.note(identifier_at(review, "id"), version_of(review, *CHANGING), now=now)
        if change is not None:
            events.append(event_of(review, now=now, query=change))
    more = bool(events) and len(found) == TAKE
    return Polled(events, {**cursor, "seen": seen.kept(), "skip": skip + TAKE if more else None}, more=more)
