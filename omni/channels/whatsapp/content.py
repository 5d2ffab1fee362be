"""What a WhatsApp message says: its text and attachments (Cloud API, webhooks, messages object)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni.channels.contract import AttachmentKind, InboundAttachment
from omni.channels.json_fields import JsonObject, identifier_at, number_at, object_at, objects_at, storable, text_at
from omni.channels.phones import international
from omni.channels.whatsapp.placeholders import placeholder

ORDER_LINES = 50
ANSWERS = 50


@dataclass(frozen=True)
class Content:
    """Text for the feed, files in order, what the feed may show besides."""

    text: str = ""
    attachments: tuple[InboundAttachment, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: types not known here become a visible placeholder."""
    kind = text_at(message, "type")
    read = READERS.get(kind)
    found = read(message) if read else Content()
    return found if found.text or found.attachments else Content(placeholder(kind), extra=found.extra)


def text_content(message: JsonObject) -> Content:
    return Content(text_at(object_at(message, "text"), "body"))


def file_reader(key: str, kind: AttachmentKind, name: str, mime: str) -> Callable[[JsonObject], Content]:
    """A reader of the media object at `key`; `name` and `mime` stand in where the object has none."""

    def read(message: JsonObject) -> Content:
        source = object_at(message, key)
        found = file_of(source, kind, name, mime)
        return Content(text_at(source, "caption"), (found,) if found.ref else ())

    return read


def file_of(source: JsonObject, kind: AttachmentKind, name: str, mime: str) -> InboundAttachment:
    # The id, not the address that newer events carry too: the address is good for five minutes only.
    stated = text_at(source, "mime_type").partition(";")[0].strip()
    return InboundAttachment(kind, identifier_at(source, "id"), name=text_at(source, "filename") or name, mime=stated or mime)


def audio_content(message: JsonObject) -> Content:
    if object_at(message, "audio").get("voice") is True:
        return file_reader("audio", AttachmentKind.VOICE, "voice.ogg", "audio/ogg")(message)
    return file_reader("audio", AttachmentKind.AUDIO, "audio.mp3", "audio/mpeg")(message)


def sticker_content(message: JsonObject) -> Content:
    found = file_of(object_at(message, "sticker"), AttachmentKind.STICKER, "sticker.webp", "image/webp")
    return Content(placeholder("sticker"), (found,) if found.ref else ())


def location_content(message: JsonObject) -> Content:
    """A point on the map as a `geo:` address (RFC 5870): there is no file to fetch."""
    source = object_at(message, "location")
    title = ", ".join(part for part in (text_at(source, "name"), text_at(source, "address")) if part)
    latitude, longitude = number_at(source, "latitude"), number_at(source, "longitude")
    if latitude is None or longitude is None:
        return Content(placeholder("location", title))
    point = f"{latitude:.6f},{longitude:.6f}"
    attachment = InboundAttachment(AttachmentKind.LOCATION, f"geo:{point}", title or point)
    return Content(placeholder("location", title or point), (attachment,))


def contacts_content(message: JsonObject) -> Content:
    """Shared cards. Anybody can share anybody's card, so no number in them is attested."""
    cards = [card_of(contact) for contact in objects_at(message, "contacts")]
    text = "\n".join(placeholder("contacts", f"{name} {phone}".strip()) for name, phone in cards)
    files = (InboundAttachment(AttachmentKind.CONTACT, f"tel:{phone}", name or phone, "text/vcard") for name, phone in cards if phone)
    return Content(text, tuple(files))


def card_of(contact: JsonObject) -> tuple[str, str]:
    """Name and first telephone number of a card."""
    first = next(iter(objects_at(contact, "phones")), {})
    number = text_at(first, "phone") or text_at(first, "wa_id")
    digits = "".join(char for char in number if char.isdigit())
    return text_at(object_at(contact, "name"), "formatted_name"), international(digits) or number


def button_content(message: JsonObject) -> Content:
    """A quick reply under a template."""
    source = object_at(message, "button")
    payload = text_at(source, "payload")
    return Content(text_at(source, "text") or payload, extra={"payload": payload} if payload else {})


def interactive_content(message: JsonObject) -> Content:
    source = object_at(message, "interactive")
    if "nfm_reply" in source:
        return form_content(object_at(source, "nfm_reply"))
    chosen = object_at(source, "button_reply") or object_at(source, "list_reply")
    payload = identifier_at(chosen, "id")
    return Content(text_at(chosen, "title") or payload, extra={"payload": payload} if payload else {})


def form_content(reply: JsonObject) -> Content:
    """A filled-in form (Flow): its answers line by line."""
    try:
        answers = json.loads(text_at(reply, "response_json"))
    except (ValueError, RecursionError):
        answers = {}
    answers = answers if isinstance(answers, dict) else {}
    shown = [(key, value) for key, value in answers.items() if key != "flow_token" and isinstance(value, str | int | float)]
    lines = [storable(f"{key}: {value}") for key, value in shown[:ANSWERS]]
    return Content("\n".join([placeholder("form", text_at(reply, "body")), *lines]))


def order_content(message: JsonObject) -> Content:
    order = object_at(message, "order")
    lines = [order_line(item) for item in objects_at(order, "product_items")[:ORDER_LINES]]
    return Content("\n".join([placeholder("order", text_at(order, "text")), *lines]))


def order_line(item: JsonObject) -> str:
    parts = identifier_at(item, "product_retailer_id"), identifier_at(item, "quantity"), number_at(item, "item_price")
    price = "" if parts[2] is None else f" по {parts[2]:g} {text_at(item, 'currency')}"
    return f"• {parts[0]} × {parts[1] or 1}{price}".rstrip()


def unsupported_content(message: JsonObject) -> Content:
    """What WhatsApp itself cannot hand over: its own words why."""
    errors = objects_at(message, "errors")
    said = text_at(object_at(errors[0], "error_data"), "details") or text_at(errors[0], "title") if errors else ""
    return Content(placeholder("unsupported", said))


def reaction_content(message: JsonObject) -> Content:
    return Content(placeholder("reaction", text_at(object_at(message, "reaction"), "emoji")))


def system_content(message: JsonObject) -> Content:
    return Content(placeholder("system", text_at(object_at(message, "system"), "body")))


READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    "text": text_content,
    "image": file_reader("image", AttachmentKind.IMAGE, "photo.jpg", "image/jpeg"),
    "video": file_reader("video", AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
    "document": file_reader("document", AttachmentKind.DOCUMENT, "document", ""),
    "audio": audio_content,
    "sticker": sticker_content,
    "location": location_content,
    "contacts": contacts_content,
    "button": button_content,
    "interactive": interactive_content,
    "order": order_content,
    "reaction": reaction_content,
    "system": system_content,
    "unsupported": unsupported_content,
}
