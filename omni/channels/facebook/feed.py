"""From the `changes` of a page's feed to inbound items: comments and visitors' posts (Graph API, page webhooks, field feed).

Names here: a guest of the feed is `feed:<id>` (Messenger knows the same person by another id), answers go to `comment:<id>`.
"""

from dataclasses import dataclass
from datetime import datetime

from omni.channels.contract import AttachmentKind, Inbound, InboundAttachment, InboundKind
from omni.channels.facebook import placeholders as words
from omni.channels.facebook.content import name_in
from omni.channels.json_fields import JsonObject, identifier_at, object_at, text_at
from omni.channels.meta.webhooks import ignored, meta_time

COMMENT, GUEST = "comment:", "feed:"
POSTS = frozenset({"post", "status", "photo", "video", "share"})
VERBS = {"add": InboundKind.MESSAGE, "edit": InboundKind.EDIT, "edited": InboundKind.EDIT, "remove": InboundKind.DELETE}
FILES = {
    "photo": (AttachmentKind.IMAGE, "photo.jpg", "image/jpeg"),
    "video": (AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
}


@dataclass(frozen=True)
class Place:
    """Where a change stands: our page's id, a key in case it has none of its own, its number in the event, the entry's time."""

    page: str
    key: str
    number: int
    happened_at: datetime


def item_of(field: str, value: JsonObject, place: Place) -> Inbound:
    """The item of one change."""
    what, verb = text_at(value, "item"), text_at(value, "verb")
    at = meta_time(value, "created_time", place.happened_at)
    author, own_key = author_of(value), f"{place.key}:{place.number}"
    if field != "feed" or what not in {"comment", *POSTS} or verb not in VERBS:
        told = words_of(field, what, verb)
        return ignored(own_key, words.unused_kind(told), at, guest=guest_key(author) if author else "")
    if author and author == place.page:
        return ignored(own_key, words.OWN_COMMENT, at)
    written = identifier_at(value, "comment_id" if what == "comment" else "post_id")
    if not written:
        return ignored(own_key, words.NO_ID, at)
    guest = guest_key(author or written)
    if VERBS[verb] is InboundKind.DELETE:
        return Inbound(InboundKind.DELETE, written, guest, at, conversation=f"{COMMENT}{written}")
    return said(VERBS[verb], value, written, guest, at, place)


def said(kind: InboundKind, value: JsonObject, written: str, guest: str, at: datetime, place: Place) -> Inbound:
    text, files = text_at(value, "message"), files_of(value)
    post, parent = identifier_at(value, "post_id"), identifier_at(value, "parent_id")
    found = {"permalink": text_at(value, "permalink_url"), "post_id": post, "is_public": True}
    return Inbound(
        kind=kind,
        external_id=written,
        guest_external_id=guest,
        guest_name=text_at(object_at(value, "from"), "name") or text_at(value, "sender_name"),
        sent_at=at,
        text=text if text or files else words.placeholder(text_at(value, "item")),
        attachments=files,
        sequence=place.number,
        reply_to=parent if parent != post else "",
        edited_at=place.happened_at if kind is InboundKind.EDIT else None,
        conversation=f"{COMMENT}{written}",
        extra={name: told for name, told in found.items() if told},
    )


def author_of(value: JsonObject) -> str:
    """Older versions of the API name the author beside the comment, newer ones in `from`; some guests are not named at all."""
    return identifier_at(object_at(value, "from"), "id") or identifier_at(value, "sender_id")


def guest_key(author: str) -> str:
    return f"{GUEST}{author}"


def files_of(value: JsonObject) -> tuple[InboundAttachment, ...]:
    addresses = [(name, text_at(value, name)) for name in FILES]
    link = text_at(value, "link")
    if link and text_at(value, "item") in FILES and not any(url for _, url in addresses):
        addresses.append((text_at(value, "item"), link))
    return tuple(file_of(name, url) for name, url in addresses if url)


def file_of(name: str, url: str) -> InboundAttachment:
    kind, file_name, mime = FILES[name]
    return InboundAttachment(kind, url, name_in(url) or file_name, mime)


def words_of(*names: str) -> str:
    return " ".join(name for name in names if name)[:200]
