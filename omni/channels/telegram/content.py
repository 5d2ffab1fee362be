"""What a Telegram message says: its text, attachments and an attested telephone number (Bot API, type Message)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from omni.channels.contract import AttachmentKind, InboundAttachment
from omni.channels.json_fields import JsonObject, integer_at, number_at, object_at, objects_at, storable, text_at
from omni.channels.phones import international
from omni.channels.telegram.placeholders import EMPTY, placeholder


@dataclass(frozen=True)
class Content:
    """Text for the feed, files in order, and the guest's own number (E.164) if Telegram vouches for it."""

    text: str = ""
    attachments: tuple[InboundAttachment, ...] = ()
    phone: str = ""


ENVELOPE_FIELDS = """
    message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot sender_tag date
    business_connection_id chat forward_origin forward_from forward_from_chat forward_from_message_id forward_signature
    forward_sender_name forward_date is_topic_message is_automatic_forward reply_to_message external_reply quote reply_to_story
    reply_to_checklist_task_id via_bot edit_date has_protected_content is_from_offline is_paid_post media_group_id
    author_signature paid_star_count entities link_preview_options suggested_post_info effect_id caption caption_entities
    show_caption_above_media has_media_spoiler reply_markup
"""
ENVELOPE = frozenset(ENVELOPE_FIELDS.split())
"""Fields around the content; every other field of a message is content."""

COPIES = {"animation": "document", "venue": "location"}
"""A field that comes along for old clients and repeats the one before it."""


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: kinds not known here become a visible placeholder."""
    copied = {COPIES[kind] for kind in message if kind in COPIES}
    pieces = [piece_of(kind, message) for kind in message if kind not in ENVELOPE | copied]
    texts = [*(piece.text for piece in pieces), text_at(message, "caption"), *hidden_links(message)]
    attachments = tuple(attachment for piece in pieces for attachment in piece.attachments)
    text = "\n".join(part for part in texts if part)
    phone = next((piece.phone for piece in pieces if piece.phone), "")
    return Content(text if text or attachments else EMPTY, attachments, phone)


def piece_of(kind: str, message: JsonObject) -> Content:
    """The part of the content under one field of the message."""
    piece = READERS[kind](message) if kind in READERS else Content()
    return piece if piece.text or piece.attachments else Content(placeholder(storable(kind)))


def text_piece(message: JsonObject) -> Content:
    return Content(text_at(message, "text"))


def photo_piece(message: JsonObject) -> Content:
    """All sizes are the same picture; the largest is kept."""
    sizes = [size for size in objects_at(message, "photo") if text_at(size, "file_id")]
    if not sizes:
        return Content()
    return Content(attachments=(file_of(max(sizes, key=extent), AttachmentKind.IMAGE, "photo.jpg", "image/jpeg"),))


def extent(size: JsonObject) -> tuple[int, int]:
    area = (integer_at(size, "width") or 0) * (integer_at(size, "height") or 0)
    return area, integer_at(size, "file_size") or 0


def file_reader(key: str, kind: AttachmentKind, name: str, mime: str = "") -> Callable[[JsonObject], Content]:
    """A reader of the file object at `key`; `name` and `mime` stand in where the object has none."""

    def read(message: JsonObject) -> Content:
        source = object_at(message, key)
        return Content(attachments=(file_of(source, kind, name, mime),)) if text_at(source, "file_id") else Content()

    return read


def file_of(source: JsonObject, kind: AttachmentKind, name: str, mime: str) -> InboundAttachment:
    return InboundAttachment(
        kind=kind,
        ref=text_at(source, "file_id"),
        name=text_at(source, "file_name") or name,
        mime=text_at(source, "mime_type") or mime,
        size=integer_at(source, "file_size"),
    )


def sticker_piece(message: JsonObject) -> Content:
    sticker = object_at(message, "sticker")
    name, mime = sticker_type(sticker)
    if not text_at(sticker, "file_id"):
        return Content()
    return Content(placeholder("sticker", text_at(sticker, "emoji")), (file_of(sticker, AttachmentKind.STICKER, name, mime),))


def sticker_type(sticker: JsonObject) -> tuple[str, str]:
    if sticker.get("is_animated") is True:
        return "sticker.tgs", "application/x-tgsticker"
    if sticker.get("is_video") is True:
        return "sticker.webm", "video/webm"
    return "sticker.webp", "image/webp"


def location_piece(message: JsonObject) -> Content:
    return place(object_at(message, "location"), "location", "")


def venue_piece(message: JsonObject) -> Content:
    venue = object_at(message, "venue")
    title = ", ".join(part for part in (text_at(venue, "title"), text_at(venue, "address")) if part)
    return place(object_at(venue, "location"), "venue", title)


def place(location: JsonObject, kind: str, title: str) -> Content:
    """A point on the map as a `geo:` address (RFC 5870): there is no file to fetch."""
    latitude, longitude = number_at(location, "latitude"), number_at(location, "longitude")
    if latitude is None or longitude is None:
        return Content(placeholder(kind, title))
    point = f"{latitude:.6f},{longitude:.6f}"
    attachment = InboundAttachment(AttachmentKind.LOCATION, f"geo:{point}", title or point)
    return Content(placeholder(kind, title or point), (attachment,))


def contact_piece(message: JsonObject) -> Content:
    """A shared contact. The number is attested only if the contact is the sender himself: anybody can share anybody's card."""
    contact = object_at(message, "contact")
    number = text_at(contact, "phone_number")
    phone = international(number)
    owner = integer_at(contact, "user_id")
    own = owner is not None and owner == integer_at(object_at(message, "from"), "id")
    name = person_name(contact)
    text = placeholder("contact", " ".join(part for part in (name, phone or number) if part))
    attachment = InboundAttachment(AttachmentKind.CONTACT, f"tel:{phone or number}", name or phone or number, "text/vcard")
    return Content(text, (attachment,) if number else (), phone if own else "")


def person_name(person: JsonObject) -> str:
    """First and last name, else the user name, else empty (types User, Chat and Contact)."""
    full = f"{text_at(person, 'first_name')} {text_at(person, 'last_name')}".strip()
    return full or text_at(person, "username")


def poll_piece(message: JsonObject) -> Content:
    poll = object_at(message, "poll")
    options = [f"• {text_at(option, 'text')}" for option in objects_at(poll, "options")]
    return Content("\n".join([placeholder("poll", text_at(poll, "question")), *options]))


def dice_piece(message: JsonObject) -> Content:
    dice = object_at(message, "dice")
    value = integer_at(dice, "value")
    return Content(placeholder("dice", f"{text_at(dice, 'emoji')} {'' if value is None else value}".strip()))


def hidden_links(message: JsonObject) -> Iterable[str]:
    """`label: address` for each link whose address the guest does not see in the text."""
    for text_key, entities_key in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(text_key)
        if isinstance(text, str):
            for entity in objects_at(message, entities_key):
                yield from hidden_link(text, entity)


def hidden_link(text: str, entity: JsonObject) -> Iterable[str]:
    url = text_at(entity, "url")
    label = storable(marked(text, entity)).strip()
    if entity.get("type") == "text_link" and url and url != label:
        yield f"{label}: {url}" if label else url


def marked(text: str, entity: JsonObject) -> str:
    """The part of the text an entity covers; the Bot API counts offsets in UTF-16 units."""
    start, length = integer_at(entity, "offset") or 0, integer_at(entity, "length") or 0
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * max(start, 0) : 2 * max(start + length, 0)].decode("utf-16-le", "replace")


READERS: dict[str, Callable[[JsonObject], Content]] = {
    "text": text_piece,
    "photo": photo_piece,
    "document": file_reader("document", AttachmentKind.DOCUMENT, "document"),
    "video": file_reader("video", AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
    "animation": file_reader("animation", AttachmentKind.VIDEO, "animation.mp4", "video/mp4"),
    "audio": file_reader("audio", AttachmentKind.AUDIO, "audio.mp3", "audio/mpeg"),
    "voice": file_reader("voice", AttachmentKind.VOICE, "voice.ogg", "audio/ogg"),
    "video_note": file_reader("video_note", AttachmentKind.VIDEO, "video_note.mp4", "video/mp4"),
    "sticker": sticker_piece,
    "location": location_piece,
    "venue": venue_piece,
    "contact": contact_piece,
    "poll": poll_piece,
    "dice": dice_piece,
}
