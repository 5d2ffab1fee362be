"""From the body of a webhook to inbound items (https://dev.vk.com/ru/api/community-events/json-schema)."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from omni.channels.contract import DeliveryState, Inbound, InboundKind, Unreadable
from omni.channels.json_fields import (
    JsonObject,
    digest_key,
    integer_at,
    moment_at,
    object_at,
    objects_at,
    read_object,
    read_object_or_none,
    storable,
    text_at,
)
from omni.channels.social.content import labelled
from omni.channels.vk.arrival import Arrival, ignored
from omni.channels.vk.comments import comment_item, post_item, split
from omni.channels.vk.content import content_of
from omni.channels.vk.ids import message_id

CHATS = 2_000_000_000
"""Conversations above this number have several people in them."""
NOT_PRIVATE = "сообщение не из личной переписки: обращениями становятся только личные"
FROM_US = "сообщение самого сообщества"
UNNAMED = "сообщение сообщества без номера или собеседника"
UNNAMED_READ = "прочтение без номера сообщения"


def key_of(body: bytes) -> str:
    """`event:<event_id>`, which repeats of an event share; or `sha256:<digest>` of a body that has none. Never raises."""
    found = text_at(read_object_or_none(body) or {}, "event_id").strip()
    return f"event:{found}" if found else digest_key(body)


def items_of(body: bytes, received_at: datetime) -> Sequence[Inbound]:
    """The item of an event; types that are not for the feed come out IGNORED with the reason as text. Raises Unreadable."""
    event = read_object(body)
    kind = text_at(event, "type")
    if not kind:
        raise Unreadable("not an event of the Callback API: no type")
    arrival = Arrival(key_of(body), kind, integer_at(event, "group_id") or 0, received_at)
    return [_item(kind, event, arrival)]


def _item(kind: str, event: JsonObject, arrival: Arrival) -> Inbound:
    comment = split(kind)
    if comment is None and kind not in HANDLERS:
        return ignored(arrival, f"событие вида «{storable(kind)}» не обрабатывается")
    found = event.get("object")
    if not isinstance(found, dict):
        raise Unreadable(f"the object of {storable(kind)} is missing")
    return comment_item(*comment, found, arrival) if comment else HANDLERS[kind](found, arrival)


def _message_new(found: JsonObject, arrival: Arrival) -> Inbound:
    """Since API 5.103 the message stands beside `client_info`; before it was the object itself."""
    return _message(InboundKind.MESSAGE, object_at(found, "message") or found, arrival)


def _message_edit(message: JsonObject, arrival: Arrival) -> Inbound:
    return _message(InboundKind.EDIT, object_at(message, "message") or message, arrival)


def _message(kind: InboundKind, message: JsonObject, arrival: Arrival) -> Inbound:
    author = _required(message, "from_id")
    peer = integer_at(message, "peer_id") or author
    if author <= 0 or message.get("out") == 1:
        return ignored(arrival, FROM_US)
    if peer > CHATS:
        return ignored(arrival, NOT_PRIVATE)
    content = content_of(message)
    return Inbound(
        kind=kind,
        external_id=_own_id(message, peer) or f"{peer}:{arrival.key}",
        guest_external_id=str(author),
        sent_at=moment_at(message, "date", arrival.received_at),
        text=content.text,
        attachments=content.attachments,
        sequence=integer_at(message, "conversation_message_id") or 0,
        reply_to=_own_id(object_at(message, "reply_message"), peer),
        thread_keys=_answered(message, peer),
        edited_at=moment_at(message, "update_time", arrival.received_at) if kind is InboundKind.EDIT else None,
        conversation=str(peer),
        extra=_particulars(message),
    )


def _own_id(message: JsonObject, peer: int) -> str:
    """The number in the conversation; the global one (marked) where an old API version gives no other."""
    number, everywhere = integer_at(message, "conversation_message_id"), integer_at(message, "id")
    if number:
        return message_id(peer, number)
    return f"{peer}:id{everywhere}" if everywhere else ""


def _answered(message: JsonObject, peer: int) -> Sequence[str]:
    """The message replied to, if the community wrote it."""
    replied = object_at(message, "reply_message")
    key = _own_id(replied, peer)
    return (key,) if key and (integer_at(replied, "from_id") or 0) < 0 else ()


def _particulars(message: JsonObject) -> Mapping[str, Any]:
    """What the feed or a bot may want besides: only keys that have a value."""
    found = {"payload": text_at(message, "payload"), "ref": text_at(message, "ref"), "ref_source": text_at(message, "ref_source")}
    return {key: value for key, value in found.items() if value}


def _message_reply(message: JsonObject, arrival: Arrival) -> Inbound:
    """The echo of a community's message: ours has reached the dialogue. What staff type on the site has an `admin_author_id`."""
    peer = integer_at(message, "peer_id") or 0
    number = integer_at(message, "conversation_message_id")
    if peer > CHATS:
        return ignored(arrival, NOT_PRIVATE)
    if not number or not peer:
        return ignored(arrival, UNNAMED)
    if integer_at(message, "admin_author_id"):
        return _typed_in_vk(message, peer, arrival)
    return _status(peer, number, DeliveryState.DELIVERED, moment_at(message, "date", arrival.received_at))


def _typed_in_vk(message: JsonObject, peer: int, arrival: Arrival) -> Inbound:
    content = content_of(message)
    return Inbound(
        kind=InboundKind.OUTSIDE,
        external_id=_own_id(message, peer),
        guest_external_id=str(peer),
        sent_at=moment_at(message, "date", arrival.received_at),
        text=content.text,
        attachments=content.attachments,
        sequence=integer_at(message, "conversation_message_id") or 0,
        reply_to=_own_id(object_at(message, "reply_message"), peer),
        conversation=str(peer),
    )


def _message_read(found: JsonObject, arrival: Arrival) -> Inbound:
    reader, number = integer_at(found, "from_id") or 0, integer_at(found, "conversation_message_id")
    peer = integer_at(found, "peer_id") or reader
    if reader <= 0 or not number:
        return ignored(arrival, UNNAMED_READ)
    return _status(peer, number, DeliveryState.READ, arrival.received_at)


def _status(peer: int, number: int, state: DeliveryState, at: datetime) -> Inbound:
    return Inbound(InboundKind.STATUS, message_id(peer, number), str(peer), at, state=state, conversation=str(peer))


def _message_event(pressed: JsonObject, arrival: Arrival) -> Inbound:
    """A pressed button reads as the guest saying its label; where the payload has none, the payload itself."""
    guest = _required(pressed, "user_id")
    peer = integer_at(pressed, "peer_id") or guest
    if peer > CHATS:
        return ignored(arrival, NOT_PRIVATE)
    number = integer_at(pressed, "conversation_message_id")
    key = message_id(peer, number) if number else ""
    return Inbound(
        kind=InboundKind.MESSAGE,
        external_id=f"button:{text_at(pressed, 'event_id') or arrival.key}",
        guest_external_id=str(guest),
        sent_at=arrival.received_at,
        text=_label(pressed.get("payload")),
        reply_to=key,
        thread_keys=(key,) if key else (),
        conversation=str(peer),
        extra={"event_id": text_at(pressed, "event_id")},
    )


def _label(payload: object) -> str:
    if isinstance(payload, dict):
        named = next((found for key in ("label", "text") if (found := text_at(payload, key))), "")
        return named or labelled("кнопка", storable(json.dumps(payload, ensure_ascii=False)))
    return storable(payload) if isinstance(payload, str) and payload else labelled("кнопка")


def _permission(kind: InboundKind) -> Callable[[JsonObject, Arrival], Inbound]:
    """The guest allows or forbids messages from the community. VK gives no time for it."""

    def read(found: JsonObject, arrival: Arrival) -> Inbound:
        guest = str(_required(found, "user_id"))
        return Inbound(kind, f"{arrival.key}:{arrival.kind}", guest, arrival.received_at, conversation=guest)

    return read


def _wall_post(post: JsonObject, arrival: Arrival) -> Inbound:
    return post_item(post, arrival)


def _repost(post: JsonObject, arrival: Arrival) -> Inbound:
    return post_item(post, arrival, shared=True)


def _required(source: JsonObject, key: str) -> int:
    value = integer_at(source, key)
    if value is None:
        raise Unreadable(f"{key} is missing or not a whole number")
    return value


HANDLERS: Mapping[str, Callable[[JsonObject, Arrival], Inbound]] = {
    "message_new": _message_new,
    "message_edit": _message_edit,
    "message_reply": _message_reply,
    "message_read": _message_read,
    "message_event": _message_event,
    "message_allow": _permission(InboundKind.UNBLOCKED),
    "message_deny": _permission(InboundKind.BLOCKED),
    "wall_post_new": _wall_post,
    "wall_repost": _repost,
}


def first_names(people: object) -> str:
    """The name of the first person in an answer of users.get."""
    person = next(iter(objects_at({"people": people}, "people")), {})
    return f"{text_at(person, 'first_name')} {text_at(person, 'last_name')}".strip()
