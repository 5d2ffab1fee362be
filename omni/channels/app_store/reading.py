"""Asking the App Store for reviews, and what a review says (App Store Connect API, Customer Reviews).

The event of a review is {"data": the review, "included": [our response to it]}, both as the answer holds them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from omni.channels.app_store.client import call, setting
from omni.channels.asking import needs_settings, page
from omni.channels.contract import AccountConfig, DeliveryState, Inbound, InboundKind, Polled, RawEvent, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    identifier_at,
    integer_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    text_at,
    time_at,
)
from omni.channels.polled_events import event_of
from omni.channels.reviews import Seen, review_item, review_text, version_key, version_of

AT_ONCE = 200
REMEMBERED = 6000
# Of a new account only what is younger comes in: the rest was answered in the store's own pages.
FIRST_LOOK = timedelta(days=7)
# Guests change old reviews, too: so often all of the last DEEP_PAGES pages are looked through.
DEEP_EVERY, DEEP_PAGES = timedelta(hours=24), 10
WORDS = ("rating", "title", "body", "reviewerNickname")
NEEDED = ("app_id", "issuer_id", "key_id")


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """A page of reviews, newest first: those that are new or have changed. Raises PollFault."""
    needs_settings(account, *NEEDED)
    place, number = str(cursor.get("page") or ""), int(cursor.get("number") or 0)
    deep = bool(cursor.get("deep")) if place else now.timestamp() - (cursor.get("deep_at") or 0) > DEEP_EVERY.total_seconds()
    since = float(cursor.get("since") or (now - FIRST_LOOK).timestamp())
    body = asked(account, AT_ONCE, place)
    seen = Seen(dict(cursor.get("seen", {})), limit=REMEMBERED)
    events = events_of(body, seen, since=since, now=now)
    following = next_page(body)
    more = bool(following) and following != place and number + 1 < DEEP_PAGES and (deep or bool(events))
    position: dict[str, Any] = {"seen": seen.kept(), "deep_at": cursor.get("deep_at") or 0, "since": since}
    if more:
        return Polled(events, {**position, "page": following, "number": number + 1, "deep": deep}, more=True)
    return Polled(events, {**position, "deep_at": int(now.timestamp())} if deep else position)


def asked(account: AccountConfig, limit: int, place: str = "") -> JsonObject:
    """A page of the app's reviews with our responses. Raises PollFault."""
    query: dict[str, Any] = {"limit": limit, "sort": "-createdDate", "include": "response"}
    query |= {"filter[territory]": setting(account, "territory")} if setting(account, "territory") else {}
    query |= {"cursor": place} if place else {}
    path = f"/v1/apps/{setting(account, 'app_id')}/customerReviews"
    return page(lambda: call(account, "GET", path, params=query))


def next_page(body: JsonObject) -> str:
    """The cursor of the next page: of the link only this is taken, so that no answer leads us elsewhere."""
    try:
        query = parse_qs(urlsplit(text_at(object_at(body, "links"), "next")).query)
    except ValueError:
        return ""
    return query.get("cursor", [""])[0]


def events_of(body: JsonObject, seen: Seen, *, since: float, now: datetime) -> list[RawEvent]:
    responses = {identifier_at(one, "id"): one for one in objects_at(body, "included")}
    events = []
    for review in objects_at(body, "data"):
        number = identifier_at(review, "id")
        ours = responses.get(response_id(review))
        value: JsonObject = {"data": review, "included": [ours] if ours else []}
        change = seen.note(number, version(value), now=now)
        # An edited review may come back under another id: the same words of the same person are the same review.
        is_copy = change == {} and seen.note(f"words:{words_of(review)}", number, now=now) not in (None, {})
        is_old = change == {} and time_at(object_at(review, "attributes"), "createdDate", now).timestamp() < since
        if number and change is not None and not is_copy and not is_old:
            events.append(event_of(value, now=now, query=change))
    return events


def response_id(review: JsonObject) -> str:
    return identifier_at(object_at(object_at(object_at(review, "relationships"), "response"), "data"), "id")


def words_of(review: JsonObject) -> str:
    return version_of(object_at(review, "attributes"), *WORDS, "territory")


def version(value: JsonObject) -> str:
    """The words of the review and the state of our response; the store tells no time of a change."""
    states = "+".join(text_at(object_at(one, "attributes"), "state") for one in objects_at(value, "included"))
    return f"{version_of(object_at(object_at(value, 'data'), 'attributes'), *WORDS)}.{states}"


def key_of(event: RawEvent) -> str:
    """`review:<id>:<version>`, else a digest. Never raises."""
    value = read_object_or_none(event.body) or {}
    number = identifier_at(object_at(value, "data"), "id")
    return version_key(event, f"review:{number}", version(value)) if number else digest_key(event.body)


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The review's message or its edit, and the fate of our response. Raises Unreadable."""
    value = read_object(event.body)
    review = object_at(value, "data")
    number, attributes = identifier_at(review, "id"), object_at(review, "attributes")
    if not number or not attributes:
        raise Unreadable("not a review: no data.id or no data.attributes")
    rating = integer_at(attributes, "rating")
    item = review_item(
        event,
        review=number,
        author=text_at(attributes, "reviewerNickname"),
        text=review_text(rating, text_at(attributes, "title"), text_at(attributes, "body")),
        at=time_at(attributes, "createdDate", event.received_at),
        rating=rating,
        extra={"territory": text_at(attributes, "territory")},
    )
    return [item, *(published for one in objects_at(value, "included") if (published := fate_of(one, item)))]


def fate_of(response: JsonObject, review: Inbound) -> Inbound | None:
    """Our response has been published, which takes the store hours."""
    number, attributes = identifier_at(response, "id"), object_at(response, "attributes")
    if not number or text_at(attributes, "state") != "PUBLISHED":
        return None
    return Inbound(
        kind=InboundKind.STATUS,
        external_id=f"response:{number}",
        guest_external_id=review.guest_external_id,
        sent_at=time_at(attributes, "lastModifiedDate", review.sent_at),
        state=DeliveryState.DELIVERED,
    )
