"""What a message of MAX says: text, attachments, a forwarded message (https://dev.max.ru/docs-api/objects/Message)."""

import re
from collections.abc import Callable, Iterator, Mapping

from omni.channels.contract import AttachmentKind
from omni.channels.json_fields import JsonObject, integer_at, number_at, object_at, objects_at, text_at
from omni.channels.phones import international
from omni.channels.social.content import Content, card, joined, labelled, linked, place, unknown_kind

VIDEO = "video:"
"""Before a video's token in our references: its addresses are asked for when it is fetched."""
BUTTONS = frozenset({"inline_keyboard", "reply_keyboard"})


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: kinds not known here become a visible placeholder."""
    return joined([*_pieces(object_at(message, "body")), *_forwarded(object_at(message, "link"))])


def person_name(person: JsonObject) -> str:
    """First and last name, else the outdated `name`, else the user name, else empty."""
    full = f"{text_at(person, 'first_name')} {text_at(person, 'last_name')}".strip()
    return full or text_at(person, "name") or text_at(person, "username")


def _pieces(body: JsonObject) -> Iterator[Content]:
    text = text_at(body, "text")
    yield Content(text)
    for element in objects_at(body, "markup"):
        if (url := text_at(element, "url")) and url not in text:
            yield Content(url)
    for attachment in objects_at(body, "attachments"):
        if (kind := text_at(attachment, "type")) not in BUTTONS:
            yield READERS[kind](attachment) if kind in READERS else Content(unknown_kind(kind))


def _forwarded(link: JsonObject) -> Iterator[Content]:
    """A forwarded message comes along whole; of an answered one only its id is used."""
    if text_at(link, "type") == "forward":
        yield Content(labelled("пересланное сообщение", person_name(object_at(link, "sender"))))
        yield from _pieces(object_at(link, "message"))


def _payload(attachment: JsonObject, key: str = "url") -> str:
    return text_at(object_at(attachment, "payload"), key)


def _image(attachment: JsonObject) -> Content:
    return linked(AttachmentKind.IMAGE, _payload(attachment), "photo.jpg", mime="image/jpeg", label="фотография")


def _video(attachment: JsonObject) -> Content:
    token = _payload(attachment, "token")
    address = f"{VIDEO}{token}" if re.fullmatch(r"[A-Za-z0-9_-]{1,900}", token) else _payload(attachment)
    return linked(AttachmentKind.VIDEO, address, "video.mp4", mime="video/mp4", label="видео")


def _audio(attachment: JsonObject) -> Content:
    """Sounds recorded in the messenger."""
    label, said = "голосовое сообщение", text_at(attachment, "transcription")
    text = labelled(label, said) if said else ""
    return linked(AttachmentKind.VOICE, _payload(attachment), "voice.mp3", mime="audio/mpeg", text=text, label=label)


def _file(attachment: JsonObject) -> Content:
    name = text_at(attachment, "filename") or "document"
    return linked(AttachmentKind.DOCUMENT, _payload(attachment), name, size=integer_at(attachment, "size"), label="файл")


def _sticker(attachment: JsonObject) -> Content:
    return linked(AttachmentKind.STICKER, _payload(attachment), "sticker.webp", mime="image/webp", text=labelled("стикер"))


def _contact(attachment: JsonObject) -> Content:
    """A shared card. Its number is not taken as the guest's own: the vendor does not publish how its `hash` attests it."""
    vcard = _payload(attachment, "vcf_info")
    name = _line(vcard, "FN") or person_name(object_at(object_at(attachment, "payload"), "max_info"))
    number = _line(vcard, "TEL")
    return card(name, international(re.sub(r"[^\d+]", "", number)) or number)


def _line(vcard: str, key: str) -> str:
    """The value of the first property `key` of a vCard (RFC 6350), without its parameters."""
    found = re.search(rf"^{key}(?:;[^:\r\n]*)?:(?:tel:)?([^\r\n]*)", vcard, re.MULTILINE | re.IGNORECASE)
    return found[1].strip() if found else ""


def _location(attachment: JsonObject) -> Content:
    return place(number_at(attachment, "latitude"), number_at(attachment, "longitude"))


def _share(attachment: JsonObject) -> Content:
    return Content(labelled("ссылка", " ".join(part for part in (text_at(attachment, "title"), _payload(attachment)) if part)))


def _data(attachment: JsonObject) -> Content:
    return Content(labelled("кнопка", text_at(attachment, "data")))


READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    "image": _image,
    "video": _video,
    "audio": _audio,
    "file": _file,
    "sticker": _sticker,
    "contact": _contact,
    "location": _location,
    "share": _share,
    "data": _data,
}
