"""Asking AppGallery for reviews, and what a review says. The vendor publishes no schema of the answer, so several names are tried."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from omni.channels.appgallery.client import NAMES, call, reviews_path
from omni.channels.asking import needs, needs_settings, page
from omni.channels.contract import AccountConfig, Inbound, Polled, RawEvent, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    moment_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
    time_at,
)
from omni.channels.polled_events import event_of
from omni.channels.reviews import Seen, bounded, review_item, review_text, version_key, version_of

AT_ONCE, PAGES = 100, 50
FIRST_LOOK = timedelta(days=7)
# Reviews changed since the last question have an older date in some answers: so far back each question looks.
OVERLAP = timedelta(days=3)
KNOWN_NAMES: Mapping[str, Sequence[str]] = {
    "id": ("reviewId", "commentId", "id"),
    "text": ("comment", "content", "reviewContent", "commentInfo", "text", "review"),
    "title": ("title", "reviewTitle"),
    "rating": ("rating", "score", "starRating", "stars", "grade"),
    "author": ("nickName", "nickname", "userName", "author", "accountName"),
    "date": ("operTime", "updateTime", "reviewTime", "createTime", "commentTime", "date"),
}
LISTS = ("data", "reviews", "list", "reviewList", "comments")


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of reviews: those that are new or have changed. Raises PollFault."""
    needs(account, *NAMES)
    needs_settings(account, "app_id")
    number = int(cursor.get("page") or 1)
    begin = int(cursor.get("begin") or (now - FIRST_LOOK).timestamp() * 1000)
    found = reviews_in(asked(account, begin, int(now.timestamp() * 1000), number))
    seen, names = Seen(dict(cursor.get("seen", {}))), names_of(account)
    events = []
    for review in found:
        review_id = field(review, "id", names)
        change = seen.note(review_id, version(review, names), now=now) if review_id else None
        if change is not None:
            events.append(event_of(review, now=now, query=change))
    position: dict[str, Any] = {"begin": begin, "seen": seen.kept()}
    if len(found) >= AT_ONCE and number < PAGES:
        return Polled(events, {**position, "page": number + 1}, more=True)
    return Polled(events, {**position, "begin": int((now - OVERLAP).timestamp() * 1000)})


def asked(account: AccountConfig, begin: int, end: int, number: int) -> JsonObject:
    """A page of the reviews between two moments in milliseconds. Raises PollFault."""
    countries = str(account.settings.get("countries") or "RU")
    query = {"appid": str(account.settings["app_id"]), "countries": countries, "language": "ru"}
    span = {"beginTime": begin, "endTime": end, "page": number, "limit": AT_ONCE}
    return page(lambda: call(account, "GET", reviews_path(account), params={**query, **span}))


def reviews_in(body: JsonObject, depth: int = 2) -> Sequence[JsonObject]:
    """The list of reviews, at the top or under one more name."""
    for name in LISTS:
        if isinstance(body.get(name), list):
            return objects_at(body, name)
    inner = (object_at(body, name) for name in ("data", "result", "value"))
    return next((found for one in inner if one and depth and (found := reviews_in(one, depth - 1))), [])


def names_of(account: AccountConfig) -> Mapping[str, Sequence[str]]:
    """The names to try, those of the account's settings first."""
    own = account.settings.get("fields")
    own = own if isinstance(own, dict) else {}
    return {name: ((own[name], *known) if isinstance(own.get(name), str) else known) for name, known in KNOWN_NAMES.items()}


def field(review: JsonObject, name: str, names: Mapping[str, Sequence[str]] = KNOWN_NAMES) -> str:
    """The first of the names that has a text or a number."""
    return next((found for one in names[name] if (found := value_at(review, one))), "")


def value_at(review: JsonObject, name: str) -> str:
    value = review.get(name)
    return str(value) if isinstance(value, float) else identifier_at(review, name)


def version(review: JsonObject, names: Mapping[str, Sequence[str]]) -> str:
    return version_of({name: field(review, name, names) for name in ("text", "title", "rating")}, "text", "title", "rating")


def key_of(event: RawEvent) -> str:
    """`review:<id>:<digest of all of it>`, else a digest. Never raises."""
    review = read_object_or_none(event.body) or {}
    number = field(review, "id")
    return version_key(event, f"review:{bounded(number)[:100]}", digest_key(event.body)) if number else digest_key(event.body)


def rating_of(written: str) -> float | None:
    try:
        rating = float(written.replace(",", "."))
    except ValueError:
        return None
    return rating if 0 <= rating <= 5 else None


def items_of(event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
    """The review's message or its edit. Raises Unreadable."""
    review, names = read_object(event.body), names_of(account)
    number = bounded(field(review, "id", names))
    if not number:
        raise Unreadable(f"not a review: none of {', '.join(names['id'])}")
    rating = rating_of(field(review, "rating", names))
    text = review_text(rating, field(review, "title", names), field(review, "text", names))
    at = date_of(review, names["date"], event.received_at)
    return [review_item(event, review=number, author=field(review, "author", names), text=text, at=at, rating=rating)]


def date_of(review: JsonObject, names: Sequence[str], fallback: datetime) -> datetime:
    """Milliseconds of Unix time as a number or digits, or ISO 8601."""
    for name in names:
        written = identifier_at(review, name)
        if written.isascii() and written.isdecimal() and len(written) < 15:
            return moment_at({"at": int(written)}, "at", fallback, per_second=1000)
        if text_at(review, name):
            return time_at(review, name, fallback)
    return fallback
