"""What an imported record says."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from omni.channels.contract import Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import JsonObject, text_at, time_at
from omni.channels.reviews import bounded, review_item, review_text
from omni.channels.reviews_import.records import records_of


def items_of(event: RawEvent, source: str) -> Sequence[Inbound]:
    """Each record as a message and as its edit: whether it was there in other words, the feed knows. Raises Unreadable."""
    return [item for record in records_of(event) for item in versions(record, event, source)]


def versions(record: JsonObject, event: RawEvent, source: str) -> Iterator[Inbound]:
    """The message; the edit after it changes nothing unless the words differ."""
    own = text_at(record, "source") or source
    number = key_of(record, own)
    if not number or not (text_at(record, "text") or text_at(record, "rating") or text_at(record, "title")):
        raise Unreadable("a record without text and rating")
    parent = text_at(record, "parent_id")
    link, author, rating = text_at(record, "url"), text_at(record, "author"), rating_of(record)
    text = review_text(rating, text_at(record, "title"), text_at(record, "text"))
    if parent and author:  # several people write under one review
        text = f"{author}: {text}"
    item = review_item(
        event,
        review=number,
        author="" if parent else author,
        text="\n".join(part for part in (text, link) if part),
        at=time_at(record, "published_at", event.received_at),
        rating=rating,
        extra={"url": link, "source": own},
    )
    if parent:
        root = bounded(f"{own}:{parent}")
        item = replace(item, guest_external_id=root, conversation=root, reply_to=root)
    yield replace(item, kind=InboundKind.MESSAGE, edited_at=None)
    yield replace(item, kind=InboundKind.EDIT, edited_at=changed_at(record, event))


def changed_at(record: JsonObject, event: RawEvent) -> datetime:
    """When the review was changed, else when we were told."""
    return time_at(record, "updated_at", event.received_at)


def key_of(record: JsonObject, source: str) -> str:
    """`<source>:<external_id>`; without an id the address, without an address who wrote what and when."""
    known = text_at(record, "external_id") or text_at(record, "url")
    if not known:
        words = "\n".join(text_at(record, name) for name in ("author", "published_at", "title", "text"))
        known = f"sha256:{hashlib.sha256(words.encode('utf-8', 'replace')).hexdigest()}"
    return bounded(f"{source}:{known}")


def rating_of(record: JsonObject) -> float | None:
    """0-5, a decimal comma allowed; None for anything else."""
    try:
        rating = float(text_at(record, "rating").replace(",", "."))
    except ValueError:
        return None
    return rating if 0 <= rating <= 5 else None
