"""What a message, post or comment of VK says: text, attachments, forwarded messages (https://dev.vk.com/ru/reference/objects/message)."""

import re
from collections.abc import Callable, Iterator, Mapping

from omni.channels.contract import AttachmentKind
from omni.channels.json_fields import JsonObject, integer_at, number_at, object_at, objects_at, text_at
from omni.channels.social.content import Content, joined, labelled, linked, place, unknown_kind

MENTION = re.compile(r"\[(?:id|club|public|event)\d+(?::[^|\[\]]*)?\|([^\[\]]+)\]")
DEEPEST = 5
"""Forwarded messages nest without a documented end."""


def content_of(source: JsonObject) -> Content:
    """The content of a message, post or comment. Nothing is dropped: kinds not known here become a visible placeholder."""
    return joined([*_pieces(source), *_forwarded(source, 1)])


def plain(text: str) -> str:
    """The text with mentions as people see them: `[id1|Анна]` reads `Анна`."""
    return MENTION.sub(r"\1", text)


def _pieces(source: JsonObject) -> Iterator[Content]:
    yield Content(plain(text_at(source, "text")))
    for attachment in objects_at(source, "attachments"):
        yield _piece(attachment)
    if geo := object_at(source, "geo"):
        yield _geo(geo)
    if source.get("is_cropped") is True:
        yield Content(labelled("часть сообщения не поместилась в событие ВКонтакте"))


def _forwarded(source: JsonObject, depth: int) -> Iterator[Content]:
    """Forwarded messages in their order, each under a mark; those below DEEPEST are only mentioned."""
    for message in objects_at(source, "fwd_messages"):
        yield Content(labelled("пересланное сообщение"))
        if depth < DEEPEST:
            yield from _pieces(message)
            yield from _forwarded(message, depth + 1)


def _piece(attachment: JsonObject) -> Content:
    kind = text_at(attachment, "type")
    reader = READERS.get(kind)
    return reader(object_at(attachment, kind)) if reader else Content(unknown_kind(kind))


def _geo(geo: JsonObject) -> Content:
    coordinates = object_at(geo, "coordinates")
    title = text_at(object_at(geo, "place"), "title")
    return place(number_at(coordinates, "latitude"), number_at(coordinates, "longitude"), title)


def _photo(photo: JsonObject) -> Content:
    """All sizes are the same picture; the largest is kept."""
    sizes = [size for size in objects_at(photo, "sizes") if text_at(size, "url")]
    best = text_at(max(sizes, key=_extent), "url") if sizes else ""
    return linked(AttachmentKind.IMAGE, best, "photo.jpg", mime="image/jpeg", label="фотография")


def _extent(size: JsonObject) -> int:
    return (integer_at(size, "width") or 0) * (integer_at(size, "height") or 0)


def _doc(doc: JsonObject) -> Content:
    name = text_at(doc, "title") or "document"
    return linked(AttachmentKind.DOCUMENT, text_at(doc, "url"), name, size=integer_at(doc, "size"), label="файл")


def _audio_message(voice: JsonObject) -> Content:
    transcript = text_at(voice, "transcript")
    address = text_at(voice, "link_ogg") or text_at(voice, "link_mp3")
    name, mime = ("voice.ogg", "audio/ogg") if text_at(voice, "link_ogg") else ("voice.mp3", "audio/mpeg")
    text = labelled("голосовое сообщение", transcript) if transcript else ""
    return linked(AttachmentKind.VOICE, address, name, mime=mime, text=text, label="голосовое сообщение")


def _sticker(sticker: JsonObject) -> Content:
    images = [image for image in objects_at(sticker, "images") if text_at(image, "url")]
    best = text_at(max(images, key=_extent), "url") if images else ""
    return linked(AttachmentKind.STICKER, best, "sticker.png", mime="image/png", text=labelled("стикер"))


def _graffiti(graffiti: JsonObject) -> Content:
    return linked(AttachmentKind.IMAGE, text_at(graffiti, "url"), "graffiti.png", mime="image/png", label="граффити")


def _audio(audio: JsonObject) -> Content:
    title = " — ".join(part for part in (text_at(audio, "artist"), text_at(audio, "title")) if part)
    return linked(
        AttachmentKind.AUDIO, text_at(audio, "url"), f"{title or 'audio'}.mp3", mime="audio/mpeg", text=labelled("аудиозапись", title)
    )


def _video(video: JsonObject) -> Content:
    """The files of videos are not handed out: the page is all there is."""
    return Content(labelled("видео", " ".join(part for part in (text_at(video, "title"), _page("video", video)) if part)))


def _page(prefix: str, thing: JsonObject) -> str:
    owner, number = integer_at(thing, "owner_id"), integer_at(thing, "id")
    return f"https://vk.com/{prefix}{owner}_{number}" if owner is not None and number is not None else ""


def _link(link: JsonObject) -> Content:
    return Content(labelled("ссылка", " ".join(part for part in (text_at(link, "title"), text_at(link, "url")) if part)))


def _wall(post: JsonObject) -> Content:
    owner = integer_at(post, "owner_id") or integer_at(post, "to_id") or integer_at(post, "from_id")
    number = integer_at(post, "id")
    page = f"https://vk.com/wall{owner}_{number}" if owner is not None and number is not None else ""
    return Content("\n".join(part for part in (labelled("запись на стене", page), plain(text_at(post, "text"))) if part))


def _wall_reply(comment: JsonObject) -> Content:
    return Content(labelled("комментарий", plain(text_at(comment, "text"))))


def _poll(poll: JsonObject) -> Content:
    answers = [f"• {text_at(answer, 'text')}" for answer in objects_at(poll, "answers")]
    return Content("\n".join([labelled("опрос", text_at(poll, "question")), *answers]))


def _market(goods: JsonObject) -> Content:
    price = text_at(object_at(goods, "price"), "text")
    parts = (text_at(goods, "title"), price, _page("product", goods))
    return Content(labelled("товар", " ".join(part for part in parts if part)))


def _titled(label: str, *keys: str) -> Callable[[JsonObject], Content]:
    def read(thing: JsonObject) -> Content:
        return Content(labelled(label, next((found for key in keys if (found := text_at(thing, key))), "")))

    return read


READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    "photo": _photo,
    "doc": _doc,
    "audio_message": _audio_message,
    "sticker": _sticker,
    "graffiti": _graffiti,
    "audio": _audio,
    "video": _video,
    "link": _link,
    "wall": _wall,
    "wall_reply": _wall_reply,
    "poll": _poll,
    "market": _market,
    "market_album": _titled("подборка товаров", "title"),
    "article": _titled("статья", "title", "url"),
    "gift": _titled("подарок"),
    "call": _titled("звонок", "state"),
    "group_call_in_progress": _titled("групповой звонок"),
    "story": _titled("история"),
    "podcast": _titled("подкаст", "title"),
    "money_transfer": _titled("денежный перевод"),
    "mini_app": _titled("мини-приложение", "title"),
}
