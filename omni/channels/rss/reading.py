"""What a feed says (RSS 2.0, Atom RFC 4287), entry by entry, and what an entry says.

The event of an entry is JSON: {"id", "link", "title", "author", "text", "rating", "published_at", "source"}, all texts.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import inscriptis
from django.utils.translation import gettext as _
from lxml.etree import LxmlError  # type: ignore[import-untyped]

from omni.channels.contract import AccountConfig, Inbound, Polled, PollFault, RawEvent, Unreadable
from omni.channels.json_fields import JsonObject, digest_key, read_object, read_object_or_none, storable, text_at, time_at
from omni.channels.polled_events import event_of
from omni.channels.reviews import Seen, bounded, review_item, review_text, version_key, version_of
from omni.channels.rss.fetching import Fetched, fetch_feed

FIRST_LOOK = timedelta(days=7)
"""Of a new feed only what is younger comes in."""
ENTRIES, TEXT = 500, 20_000
RATINGS = ("im_rating", "rating", "g_rating", "review_rating", "stars")
WORDS = ("title", "text", "rating")


def poll(account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
    """The entries that are new or have changed. Raises PollFault."""
    fetched = fetch_feed(account, etag=str(cursor.get("etag") or ""), modified=str(cursor.get("modified") or ""))
    if fetched is None:
        return Polled((), cursor)
    seen, since = Seen(dict(cursor.get("seen", {}))), now - FIRST_LOOK
    events = []
    # The oldest first, as they were written.
    for entry in reversed(entries_of(fetched, str(account.settings.get("source") or ""))):
        change = seen.note(entry["id"], version_of(entry, *WORDS), now=now)
        is_old = "seen" not in cursor and time_at(entry, "published_at", now) < since
        if change is not None and not is_old:
            events.append(event_of(entry, now=now, query=change))
    return Polled(events, {"etag": fetched.etag, "modified": fetched.modified, "seen": seen.kept()})


def entries_of(fetched: Fetched, source: str) -> list[dict[str, str]]:
    """The feed's entries in their order. Raises PollFault for what is no feed."""
    # What the document says of its letters is right more often than the site's header.
    kind = fetched.content_type.partition(";")[0] if b"encoding=" in fetched.data[:200] else fetched.content_type
    headers = {"content-type": kind} if kind else {}
    try:
        found = feedparser.parse(io.BytesIO(fetched.data), response_headers=headers)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError) as fault:
        raise PollFault(_("The feed cannot be read.")) from fault
    # Small faults of its XML do no harm; without a single entry and a known form it is something else.
    if not found.entries and not found.get("version"):
        raise PollFault(_("The feed cannot be read."))
    title = source or string(found.feed.get("title"))
    return [entry_of(entry, title) for entry in found.entries[:ENTRIES]]


def entry_of(entry: Mapping[str, Any], source: str) -> dict[str, str]:
    """The entry's fields as texts; an entry without id and address is known by its title, date and author."""
    title, author, published = (string(entry.get(name)) for name in ("title", "author", "published"))
    link = string(entry.get("link"))
    digest = hashlib.sha256("\n".join((title, published, author)).encode("utf-8", "replace")).hexdigest()
    return {
        "id": bounded(string(entry.get("id")) or link or f"sha256:{digest}"),
        "link": link,
        "title": plain(title),
        "author": author,
        "text": plain(longest(entry)),
        "rating": next((string(entry.get(name)) for name in RATINGS if string(entry.get(name))), ""),
        "published_at": moment(entry),
        "source": source,
    }


def longest(entry: Mapping[str, Any]) -> str:
    """The fullest of the forms in which a feed gives an entry's words."""
    contents = entry.get("content")
    parts = [string(part.get("value")) for part in contents if isinstance(part, Mapping)] if isinstance(contents, list) else []
    return max([string(entry.get("summary")), *parts], key=len)


def string(value: Any) -> str:
    return storable(value).strip()[:TEXT] if isinstance(value, str) else ""


def plain(text: str) -> str:
    """The words without their HTML."""
    if "<" not in text and "&" not in text:
        return text
    try:
        return storable(inscriptis.get_text(text)).strip()
    except (LxmlError, ValueError, RecursionError, AssertionError):
        return text


def moment(entry: Mapping[str, Any]) -> str:
    """When it was published, by ISO 8601; empty if the feed does not tell."""
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        year, month, day, hour, minute, second = parsed[:6] if parsed else (0,) * 6
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).isoformat() if parsed else ""
    except (ValueError, TypeError):
        return ""


def key_of(event: RawEvent) -> str:
    """`entry:<id>:<version>`, else a digest. Never raises."""
    entry = read_object_or_none(event.body) or {}
    number = text_at(entry, "id")
    return version_key(event, f"entry:{bounded(number)[:100]}", version_of(entry, *WORDS)) if number else digest_key(event.body)


def rating_of(entry: JsonObject) -> float | None:
    try:
        rating = float(text_at(entry, "rating").replace(",", "."))
    except ValueError:
        return None
    return rating if 0 <= rating <= 5 else None


def items_of(event: RawEvent) -> Sequence[Inbound]:
    """The entry's message or its edit. Raises Unreadable."""
    entry = read_object(event.body)
    number, link = bounded(text_at(entry, "id")), text_at(entry, "link")
    if not number:
        raise Unreadable("not an entry of a feed: no id")
    rating = rating_of(entry)
    text = review_text(rating, text_at(entry, "title"), text_at(entry, "text"))
    item = review_item(
        event,
        review=number,
        author=text_at(entry, "author"),
        text="\n".join(part for part in (text, link) if part),
        at=time_at(entry, "published_at", event.received_at),
        rating=rating,
        extra={"url": link, "source": text_at(entry, "source")},
    )
    return [item]
