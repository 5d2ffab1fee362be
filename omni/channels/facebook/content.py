"""What a Messenger message says: its text and attachments (Messenger Platform, webhook reference, messages)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from omni.channels.contract import AttachmentKind, InboundAttachment
from omni.channels.facebook.placeholders import placeholder
from omni.channels.json_fields import JsonObject, number_at, object_at, objects_at, storable, text_at


@dataclass(frozen=True)
class Content:
    """Text for the feed and files in order."""

    text: str = ""
    attachments: tuple[InboundAttachment, ...] = ()


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: kinds not known here become a visible placeholder."""
    pieces = [piece_of(attachment) for attachment in objects_at(message, "attachments")]
    texts = [text_at(message, "text"), *(piece.text for piece in pieces)]
    attachments = tuple(attachment for piece in pieces for attachment in piece.attachments)
    text = "\n".join(part for part in texts if part)
    return Content(text if text or attachments else placeholder(emptiness(message)), attachments)


def emptiness(message: JsonObject) -> str:
    if message.get("is_unsupported") is True:
        return "unsupported"
    return "text" if "text" in message else ""


def piece_of(attachment: JsonObject) -> Content:
    kind, payload = text_at(attachment, "type"), object_at(attachment, "payload")
    if "sticker_id" in payload:
        return sticker(payload)
    piece = READERS[kind](attachment, payload) if kind in READERS else Content()
    if piece.text or piece.attachments:
        return piece
    return Content(placeholder(kind, text_at(payload, "url") or text_at(payload, "title")))


def sticker(payload: JsonObject) -> Content:
    url = text_at(payload, "url")
    return Content(placeholder("sticker"), (InboundAttachment(AttachmentKind.STICKER, url, "sticker.png", "image/png"),) if url else ())


def file_reader(kind: AttachmentKind, name: str, mime: str) -> Callable[[JsonObject, JsonObject], Content]:
    """A reader of a file; its address names it best, `name` stands in where it does not."""

    def read(attachment: JsonObject, payload: JsonObject) -> Content:
        url = text_at(payload, "url")
        return Content(attachments=(InboundAttachment(kind, url, name_in(url) or name, mime),)) if url else Content()

    return read


def name_in(url: str) -> str:
    """The last part of an address's path, if it looks like a file's name."""
    last = storable(unquote(url.partition("?")[0].partition("#")[0].rpartition("/")[2]))
    return last if "." in last.strip(".") and len(last) <= 120 else ""


def location(attachment: JsonObject, payload: JsonObject) -> Content:
    """A point on the map as a `geo:` address (RFC 5870): there is no file to fetch."""
    point, title = object_at(payload, "coordinates"), text_at(attachment, "title")
    latitude, longitude = number_at(point, "lat"), number_at(point, "long")
    if latitude is None or longitude is None:
        return Content(placeholder("location", title))
    place = f"{latitude:.6f},{longitude:.6f}"
    return Content(placeholder("location", title or place), (InboundAttachment(AttachmentKind.LOCATION, f"geo:{place}", title or place),))


def link(attachment: JsonObject, payload: JsonObject) -> Content:
    """A shared page: its title and address."""
    title = text_at(attachment, "title") or text_at(payload, "title")
    url = text_at(attachment, "url") or text_at(payload, "url")
    return Content(" ".join(part for part in (placeholder("fallback", title), url) if part))


def card(attachment: JsonObject, payload: JsonObject) -> Content:
    """A template, such as a product the guest asks about: the titles of its elements."""
    elements = objects_at(payload, "elements") or objects_at(object_at(payload, "product"), "elements")
    titles = [text_at(element, "title") for element in elements] or [text_at(attachment, "title")]
    return Content(placeholder("template", ", ".join(title for title in titles if title)))


READERS: Mapping[str, Callable[[JsonObject, JsonObject], Content]] = {
    "image": file_reader(AttachmentKind.IMAGE, "photo.jpg", "image/jpeg"),
    "video": file_reader(AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
    "audio": file_reader(AttachmentKind.AUDIO, "audio.mp4", "audio/mp4"),
    "file": file_reader(AttachmentKind.DOCUMENT, "document", ""),
    "location": location,
    "fallback": link,
    "share": link,
    "template": card,
}
