"""What a Viber message says: its text and attachments (Viber REST API, receive message from user)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omni.channels.contract import AttachmentKind, InboundAttachment
from omni.channels.json_fields import JsonObject, identifier_at, integer_at, number_at, object_at, text_at
from omni.channels.phones import international
from omni.channels.viber.placeholders import placeholder


@dataclass(frozen=True)
class Content:
    """Text for the feed and files in order."""

    text: str = ""
    attachments: tuple[InboundAttachment, ...] = ()


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: types not known here become a visible placeholder with its text."""
    kind = text_at(message, "type")
    found = READERS[kind](message) if kind in READERS else Content()
    return found if found.text or found.attachments else Content(placeholder(kind, text_at(message, "text")))


def text_content(message: JsonObject) -> Content:
    return Content(text_at(message, "text"))


def file_reader(kind: AttachmentKind, name: str, mime: str) -> Callable[[JsonObject], Content]:
    """A reader of a file; `name` stands in where the message has none."""

    def read(message: JsonObject) -> Content:
        url = text_at(message, "media")
        size = integer_at(message, "size")
        found = InboundAttachment(kind, url, text_at(message, "file_name") or name, mime, size if size and size > 0 else None)
        return Content(text_at(message, "text") if url else "", (found,) if url else ())

    return read


def url_content(message: JsonObject) -> Content:
    """A link the guest sent: the address is in `media`, sometimes with a text."""
    media, text = text_at(message, "media"), text_at(message, "text")
    return Content("\n".join(part for part in (text if text != media else "", media) if part))


def sticker_content(message: JsonObject) -> Content:
    number = identifier_at(message, "sticker_id")
    url = text_at(message, "media")
    files = (InboundAttachment(AttachmentKind.STICKER, url, "sticker.png", "image/png"),) if url else ()
    return Content(placeholder("sticker", f"№ {number}" if number and not url else ""), files)


def location_content(message: JsonObject) -> Content:
    """A point on the map as a `geo:` address (RFC 5870): there is no file to fetch."""
    place = object_at(message, "location")
    latitude, longitude = number_at(place, "lat"), number_at(place, "lon")
    if latitude is None or longitude is None:
        return Content(placeholder("location", text_at(place, "address")))
    point = f"{latitude:.6f},{longitude:.6f}"
    title = text_at(place, "address") or point
    return Content(placeholder("location", title), (InboundAttachment(AttachmentKind.LOCATION, f"geo:{point}", title),))


def contact_content(message: JsonObject) -> Content:
    """A shared card. Nothing in it says whose it is, so its number is not attested."""
    card = object_at(message, "contact")
    name, number = text_at(card, "name"), identifier_at(card, "phone_number")
    phone = international(number) or number
    text = placeholder("contact", f"{name} {phone}".strip())
    return Content(text, (InboundAttachment(AttachmentKind.CONTACT, f"tel:{phone}", name or phone, "text/vcard"),) if phone else ())


READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    "text": text_content,
    "picture": file_reader(AttachmentKind.IMAGE, "photo.jpg", "image/jpeg"),
    "video": file_reader(AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
    "file": file_reader(AttachmentKind.DOCUMENT, "document", ""),
    "url": url_content,
    "sticker": sticker_content,
    "location": location_content,
    "contact": contact_content,
}
