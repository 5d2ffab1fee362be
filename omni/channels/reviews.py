"""Reviews as messages: the stars before the words, edits by what changed, and which versions have been seen.

A review is a conversation of its own: stores name its author, but give nobody an identity that would join two reviews.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from omni.channels.contract import Inbound, InboundAttachment, InboundKind, RawEvent
from omni.channels.json_fields import JsonObject
from omni.channels.polled_events import octets

STARS = 5
LONGEST_ID = 180
MICROSECONDS = 1_000_000
NO_WORDS = "[отзыв без текста]"
CHANGED = "changed"
"""The query of an event whose review we had seen before in another version: when we saw the new one, in microseconds of Unix time."""


def stars(rating: int | float | None) -> str:
    """`★★★☆☆`; empty for a rating that is none of 0-5."""
    if rating is None or not 0 <= rating <= STARS:
        return ""
    full = round(rating)
    return "★" * full + "☆" * (STARS - full)


def review_text(rating: int | float | None, title: str, words: str) -> str:
    """The stars and the title on the first line, then the words."""
    shown, title, words = stars(rating), title.strip(), words.strip()
    if words.startswith(title):  # stores make a title of the first words
        title = ""
    lines = [title, words] if title else [words]
    return " ".join(part for part in (shown, "\n".join(line for line in lines if line) or NO_WORDS) if part)


def review_item(
    event: RawEvent,
    *,
    review: str,
    author: str,
    text: str,
    at: datetime,
    edited_at: datetime | None = None,
    attachments: Sequence[InboundAttachment] = (),
    rating: int | float | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Inbound:
    """The message of a review, or its edit when the event says that another version was seen before."""
    is_edit = bool(event.query.get(CHANGED))
    details = {"rating": rating, **(extra or {})}
    return Inbound(
        kind=InboundKind.EDIT if is_edit else InboundKind.MESSAGE,
        external_id=review,
        guest_external_id=review,
        guest_name=author,
        sent_at=at,
        edited_at=(edited_at or changed_at(event)) if is_edit else None,
        text=text,
        attachments=attachments,
        conversation=review,
        extra={key: value for key, value in details.items() if value not in (None, "")},
    )


def changed_at(event: RawEvent) -> datetime:
    """When we saw the new version."""
    written = event.query.get(CHANGED, "")
    seen = written.isascii() and written.isdecimal() and len(written) < 17
    return datetime.fromtimestamp(int(written) / MICROSECONDS, UTC) if seen else event.received_at


def version_key(event: RawEvent, review: str, version: str) -> str:
    """The key of an event: a review that goes back to an earlier version is another event."""
    return ":".join(part for part in (review, version, event.query.get(CHANGED, "")) if part)


def bounded(identifier: str) -> str:
    """The id as it is, or a digest of one that is too long for the feed's key."""
    return identifier if len(identifier) <= LONGEST_ID else f"sha256:{hashlib.sha256(identifier.encode('utf-8', 'replace')).hexdigest()}"


def version_of(review: JsonObject, *keys: str) -> str:
    """A digest of the values at `keys`: equal for equal versions."""
    return hashlib.sha256(octets([review.get(key) for key in keys])).hexdigest()[:12]


def short(review: str) -> str:
    """The review's id as it is remembered: thousands of them stay in the position of a poll."""
    return hashlib.sha256(review.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass
class Seen:
    """The versions seen, {short id: [version, when]}; plain JSON in `rows`. The oldest go when there are more than `limit`."""

    rows: dict[str, Any] = field(default_factory=dict)
    limit: int = 5000

    def note(self, review: str, version: str, *, now: datetime) -> dict[str, str] | None:
        """What the version is: None = known, {} = a new review, {CHANGED: when} = another version of one that was seen."""
        key = short(review)
        before = self.rows.get(key)
        if before is not None and before[0] == version:
            before[1] = int(now.timestamp())
            return None
        self.rows[key] = [version, int(now.timestamp())]
        return {} if before is None else {CHANGED: str(int(now.timestamp() * MICROSECONDS))}

    def kept(self) -> dict[str, Any]:
        """What to remember."""
        if len(self.rows) <= self.limit:
            return self.rows
        return dict(sorted(self.rows.items(), key=lambda row: row[1][1])[-self.limit :])
