"""What people say in public on a community's pages: comments, posts on its wall, shared posts with a word of their own."""

from collections.abc import Mapping
from dataclasses import dataclass

from omni.channels.contract import Inbound, InboundKind, Unreadable
from omni.channels.json_fields import JsonObject, integer_at, moment_at, text_at
from omni.channels.vk.arrival import Arrival, ignored
from omni.channels.vk.content import content_of
from omni.channels.vk.ids import PUBLIC, Place


@dataclass(frozen=True)
class Area:
    """One sort of comment: its area of `ids.AREAS`, and the fields of the thing commented (in a deletion the owner may be `owner_id`)."""

    name: str
    owner: str
    thing: str
    title: str


AREAS: Mapping[str, Area] = {
    "wall_reply": Area("wall", "post_owner_id", "post_id", "Комментарий к записи"),
    "photo_comment": Area("photo", "photo_owner_id", "photo_id", "Комментарий к фотографии"),
    "video_comment": Area("video", "video_owner_id", "video_id", "Комментарий к видео"),
    "market_comment": Area("market", "market_owner_id", "item_id", "Комментарий к товару"),
    "board_post": Area("topic", "topic_owner_id", "topic_id", "Сообщение в обсуждении"),
}
STEPS: Mapping[str, InboundKind] = {
    "new": InboundKind.MESSAGE,
    "edit": InboundKind.EDIT,
    "restore": InboundKind.MESSAGE,
    "delete": InboundKind.DELETE,
}
OWN = "собственная запись или ответ сообщества"
SILENT_REPOST = "репост без слов"


def split(kind: str) -> tuple[Area, InboundKind] | None:
    """The area and the step of a type such as `wall_reply_new`; None for any other type."""
    stem, _, step = kind.rpartition("_")
    return (AREAS[stem], STEPS[step]) if stem in AREAS and step in STEPS else None


def comment_item(area: Area, kind: InboundKind, comment: JsonObject, arrival: Arrival) -> Inbound:
    """A comment; who comments is another identity than the same person's private messages, so no private answer lands in public."""
    place = Place(area.name, _owner(comment, area, arrival), _required(comment, area.thing), _required(comment, "id"))
    author = integer_at(comment, "from_id") or integer_at(comment, "user_id") or 0
    if author == -arrival.group_id:
        return ignored(arrival, OWN)
    if kind is InboundKind.DELETE:
        return Inbound(kind, str(place), _guest(author), arrival.received_at, conversation=str(place))
    return _said(comment, kind, place, author, area.title, arrival)


def post_item(post: JsonObject, arrival: Arrival, *, shared: bool = False) -> Inbound:
    """A guest's post on the wall or proposed for it, or a shared post with words of the guest's own."""
    owner = integer_at(post, "owner_id") or integer_at(post, "to_id") or 0
    author = integer_at(post, "from_id") or 0
    if author == -arrival.group_id and text_at(post, "post_type") == "suggest":
        author = integer_at(post, "signer_id") or integer_at(post, "created_by") or author
    if author in (0, -arrival.group_id):
        return ignored(arrival, OWN)
    if shared and not text_at(post, "text").strip():
        return ignored(arrival, SILENT_REPOST)
    title = "Упоминание: репост записи" if shared else "Запись на стене"
    return _said(post, InboundKind.MESSAGE, Place("wall", owner, _required(post, "id")), author, title, arrival)


def _said(source: JsonObject, kind: InboundKind, place: Place, author: int, title: str, arrival: Arrival) -> Inbound:
    content = content_of(source)
    answered = integer_at(source, "reply_to_comment")
    replied = str(Place(place.area, place.owner, place.thing, answered)) if answered and answered > 0 else ""
    return Inbound(
        kind=kind,
        external_id=str(place),
        guest_external_id=_guest(author),
        sent_at=moment_at(source, "date", arrival.received_at),
        text=content.text,
        attachments=content.attachments,
        sequence=place.comment or place.thing,
        reply_to=replied,
        thread_keys=(replied,) if replied and integer_at(source, "reply_to_user") == -arrival.group_id else (),
        subject=f"{title}: {place.address}",
        edited_at=arrival.received_at if kind is InboundKind.EDIT else None,
        conversation=str(place),
        extra={"public": True, "page": place.address, "vk_user": author},
    )


def _guest(author: int) -> str:
    return f"{PUBLIC}{author}"


def _owner(comment: JsonObject, area: Area, arrival: Arrival) -> int:
    found = integer_at(comment, area.owner)
    found = integer_at(comment, "owner_id") if found is None else found
    return -arrival.group_id if found is None else found


def _required(source: JsonObject, key: str) -> int:
    value = integer_at(source, key)
    if value is None or value < 0:
        raise Unreadable(f"{key} is missing or not a whole number")
    return value
