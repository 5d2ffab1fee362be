"""What a message of Odnoklassniki says: text and attachments (https://apiok.ru/dev/graph_api/methods/graph.user/graph.user.messages/post)."""

from collections.abc import Callable, Iterator, Mapping

from omni.channels.contract import AttachmentKind
from omni.channels.json_fields import JsonObject, integer_at, number_at, object_at, objects_at, text_at
from omni.channels.phones import international
from omni.channels.social.content import Content, card, joined, labelled, linked, place, unknown_kind

BUTTONS = "INLINE_KEYBOARD"


def content_of(message: JsonObject) -> Content:
    """The content of a message object. Nothing is dropped: kinds not known here become a visible placeholder."""
    return joined([Content(text_at(message, "text")), *_attached(message)])


def attachments_of(message: JsonObject) -> list[JsonObject]:
    """`attachments`, or the only `attachment`."""
    single = object_at(message, "attachment")
    return objects_at(message, "attachments") or ([single] if single else [])


def _attached(message: JsonObject) -> Iterator[Content]:
    for attachment in attachments_of(message):
        kind = text_at(attachment, "type")
        if kind != BUTTONS:
            yield READERS[kind](object_at(attachment, "payload")) if kind in READERS else Content(unknown_kind(kind))


def _file(kind: AttachmentKind, name: str, mime: str, label: str) -> Callable[[JsonObject], Content]:
    """A reader of a file's payload; `name` and `mime` stand in where it has none."""

    def read(payload: JsonObject) -> Content:
        given = text_at(payload, "name") or text_at(payload, "filename") or name
        return linked(kind, text_at(payload, "url"), given, mime=mime, size=integer_at(payload, "size"), label=label)

    return read


def _titled(label: str) -> Callable[[JsonObject], Content]:
    def read(payload: JsonObject) -> Content:
        found = (text_at(payload, "title"), text_at(payload, "url"))
        return Content(labelled(label, " ".join(part for part in found if part)))

    return read


def _contact(payload: JsonObject) -> Content:
    number = text_at(payload, "phone")
    return card(text_at(payload, "name"), international(number) or number)


def _location(payload: JsonObject) -> Content:
    latitude = number_at(payload, "lat") if "lat" in payload else number_at(payload, "latitude")
    longitude = next((number_at(payload, key) for key in ("lng", "lon", "long", "longitude") if key in payload), None)
    return place(latitude, longitude, text_at(payload, "title"))


def _sticker(payload: JsonObject) -> Content:
    return linked(AttachmentKind.STICKER, text_at(payload, "url"), "sticker.png", mime="image/png", text=labelled("стикер"))


READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    "IMAGE": _file(AttachmentKind.IMAGE, "photo.jpg", "image/jpeg", "фотография"),
    "VIDEO": _file(AttachmentKind.VIDEO, "video.mp4", "video/mp4", "видео"),
    "AUDIO": _file(AttachmentKind.VOICE, "voice.mp3", "audio/mpeg", "голосовое сообщение"),
    "FILE": _file(AttachmentKind.DOCUMENT, "document", "", "файл"),
    "SHARE": _titled("ссылка"),
    "MUSIC": _titled("музыка"),
    "CALL": _titled("звонок"),
    "PRESENT": _titled("подарок"),
    "STICKER": _sticker,
    "CONTACT": _contact,
    "LOCATION": _location,
}
