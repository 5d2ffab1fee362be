"""From the body of a page's webhook to inbound items: one body may mix messages and changes of the feed."""

from collections.abc import Sequence
from datetime import datetime

from omni.channels.contract import Inbound
from omni.channels.facebook import feed, messenger
from omni.channels.facebook import placeholders as words
from omni.channels.json_fields import JsonObject, identifier_at, objects_at
from omni.channels.meta.webhooks import changes_of, entries_of, ignored, key_of, meta_time

OBJECT = "page"


def items_of(body: bytes, received_at: datetime, page_id: str) -> Sequence[Inbound]:
    """All items of an event, in their order; `page_id` is ours, empty = any. Raises Unreadable."""
    items: list[Inbound] = []
    digest = key_of(body)
    for entry in entries_of(body, OBJECT):
        items.extend(entry_items(entry, digest, len(items), received_at, page_id))
    return items or [ignored(digest, words.NO_CONTENT, received_at)]


def entry_items(entry: JsonObject, digest: str, number: int, received_at: datetime, page_id: str) -> Sequence[Inbound]:
    page = identifier_at(entry, "id")
    if page_id and page and page != page_id:
        return [ignored(f"{digest}:{number}", words.OTHER_PAGE, received_at, page_id=page)]
    items: list[Inbound] = []
    happened_at = meta_time(entry, "time", received_at)
    for event in objects_at(entry, "messaging"):
        items.extend(messenger.items_of(event, key=digest, number=number + len(items), received_at=received_at))
    for field, value in changes_of(entry):
        place = feed.Place(page_id or page, digest, number + len(items), happened_at)
        items.append(feed.item_of(field, value, place))
    # Another app has the conversation (handover protocol): it is listened to, not answered.
    items.extend(ignored(f"{digest}:standby:{count}", words.STANDBY, happened_at) for count, _ in enumerate(objects_at(entry, "standby")))
    return items
