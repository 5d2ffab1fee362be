"""Asking Google Play for reviews, and what a review says (https://developers.google.com/android-publisher/reply-to-reviews)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omni.channels.asking import needs_settings, page
from omni.channels.contract import AccountConfig, Inbound, Polled, RawEvent, Unreadable
from omni.channels.google_play.client import call
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    integer_at,
    moment_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
)
from omni.channels.polled_events import event_of
from omni.channels.reviews import Seen, review_item, review_text, version_key

AT_ONCE = 100
# The store tells of a week; at a thousand reviews a day none of its reviews is forgotten.
REMEMBERED = 10_000


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of the reviews of the last week: those that are new or have changed. Raises PollFault."""
    needs_settings(account, "package")
    asked: dict[str, Any] = {"maxResults": AT_ONCE, **({"token": cursor["token"]} if cursor.get("token") else {})}
    body = page(lambda: call(account, "GET", "", params=asked))
    seen = Seen(dict(cursor.get("seen", {})), limit=REMEMBERED)
    events = []
    for review in objects_at(body, "reviews"):
        change = seen.note(identifier_at(review, "reviewId"), version(review), now=now) if version(review) else None
        if change is not None:
            events.append(event_of(review, now=now, query=change))
    following = text_at(object_at(body, "tokenPagination"), "nextPageToken")
    return Polled(events, {"token": following, "seen": seen.kept()}, more=bool(following) and following != cursor.get("token"))


def comment_of(review: JsonObject) -> JsonObject:
    """The guest's own comment among those of the review."""
    return next((found for one in objects_at(review, "comments") if (found := object_at(one, "userComment"))), {})


def version(review: JsonObject) -> str:
    """When the guest changed the review last, in Unix seconds; empty if it has no comment of his."""
    return identifier_at(object_at(comment_of(review), "lastModified"), "seconds") or ("0" if comment_of(review) else "")


def key_of(event: RawEvent) -> str:
    """`review:<reviewId>:<seconds>`, else a digest. Never raises."""
    review = read_object_or_none(event.body) or {}
    number = identifier_at(review, "reviewId")
    return version_key(event, f"review:{number}", version(review)) if number else digest_key(event.body)


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The review's message or its edit. Raises Unreadable."""
    review = read_object(event.body)
    number, comment = identifier_at(review, "reviewId"), comment_of(review)
    if not number or not comment:
        raise Unreadable("not a review: no reviewId or no userComment")
    # The title and the words stand in one field with a tabulator between them.
    title, _tab, words = text_at(comment, "text").strip().partition("\t")
    seconds = {"seconds": int(version(review))} if version(review).isdecimal() and len(version(review)) < 12 else {}
    at = moment_at(seconds, "seconds", event.received_at)
    details = {
        "language": text_at(comment, "reviewerLanguage"),
        "device": text_at(object_at(comment, "deviceMetadata"), "productName") or text_at(comment, "device"),
        "app_version": text_at(comment, "appVersionName"),
        "original_text": text_at(comment, "originalText"),
    }
    rating = integer_at(comment, "starRating")
    text = review_text(rating, title if words else "", words or title)
    author = text_at(review, "authorName")
    return [review_item(event, review=number, author=author, text=text, at=at, edited_at=at, rating=rating, extra=details)]
