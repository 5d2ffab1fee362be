"""From the `messaging` part of a page's webhook to inbound items (Messenger Platform, webhook reference)."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from omni.channels.contract import DeliveryState, Inbound, InboundKind
from omni.channels.facebook import placeholders as words
from omni.channels.facebook.content import content_of
from omni.channels.json_fields import JsonObject, identifier_at, object_at, text_at
from omni.channels.meta.webhooks import ignored, meta_time


@dataclass(frozen=True)
class Talk:
    """One member of `messaging` apart from its payload: who, when, and a key in case it has none of its own."""

    guest: str
    at: datetime
    key: str
    number: int
    addressee: str = ""


ENVELOPE = frozenset({"sender", "recipient", "timestamp"})


def items_of(event: JsonObject, *, key: str, number: int, received_at: datetime) -> Sequence[Inbound]:
    """The items of one member of `messaging`: mostly one, several for a receipt of several messages."""
    kind = next((name for name in event if name in HANDLERS), "")
    at = meta_time(event, "timestamp", received_at)
    sender, addressee = (identifier_at(object_at(event, end), "id") for end in ("sender", "recipient"))
    talk = Talk(sender, at, f"{key}:{number}", number, addressee)
    if not kind:
        others = ", ".join(sorted(name for name in event if name not in ENVELOPE))
        return [ignored(talk.key, words.unused_kind(words_of(others)), at, guest=talk.guest)]
    if not talk.guest:
        return [ignored(talk.key, words.NO_SENDER, at)]
    return HANDLERS[kind](object_at(event, kind), talk)


def words_of(names: str) -> str:
    return text_at({"names": names}, "names")[:200]


def message(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    mid = identifier_at(payload, "mid") or talk.key
    if payload.get("is_echo") is True:
        return [echo(payload, mid, talk)]
    if payload.get("is_deleted") is True:
        return [Inbound(InboundKind.DELETE, mid, talk.guest, talk.at, conversation=talk.guest)]
    return [said(InboundKind.MESSAGE, payload, mid, talk)]


def echo(payload: JsonObject, mid: str, talk: Talk) -> Inbound:
    """What the page has said. Ours carries our own id of the message; anything else was written past us, in Meta's inbox or by an app."""
    # It tells the fate of a send whose answer never came.
    ours = text_at(payload, "metadata")
    if is_ours(ours) and talk.addressee:
        return Inbound(InboundKind.STATUS, mid, talk.addressee, talk.at, state=DeliveryState.SENT, extra={"our_key": ours})
    if not talk.addressee:
        return ignored(mid, words.ECHO, talk.at, app_id=identifier_at(payload, "app_id"))
    return said(InboundKind.OUTSIDE, payload, mid, replace(talk, guest=talk.addressee))


def is_ours(key: str) -> bool:
    """Whether it is a key of one of our messages."""
    try:
        return str(uuid.UUID(key)) == key
    except ValueError:
        return False


def said(kind: InboundKind, payload: JsonObject, mid: str, talk: Talk) -> Inbound:
    content = content_of(payload)
    answered = identifier_at(object_at(payload, "reply_to"), "mid")
    button = text_at(object_at(payload, "quick_reply"), "payload")
    return Inbound(
        kind=kind,
        external_id=mid,
        guest_external_id=talk.guest,
        sent_at=talk.at,
        text=content.text,
        attachments=content.attachments,
        sequence=talk.number,
        reply_to=answered,
        thread_keys=(answered,) if answered else (),
        edited_at=talk.at if kind is InboundKind.EDIT else None,
        conversation=talk.guest,
        extra={"payload": button} if button else {},
    )


def edit(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    mid = identifier_at(payload, "mid")
    return [said(InboundKind.EDIT, payload, mid, talk) if mid else ignored(talk.key, words.NO_ID, talk.at, guest=talk.guest)]


def postback(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    """A pressed button reads as the guest saying its label; without a label, its data."""
    data, title = text_at(payload, "payload"), text_at(payload, "title")
    # Older buttons come without a mid: guest and moment name the press as well.
    key = identifier_at(payload, "mid") or f"postback:{talk.guest}:{talk.at.timestamp():.3f}"
    text = title or data or words.placeholder("postback")
    extra = {"payload": data} if data else {}
    item = Inbound(InboundKind.MESSAGE, key, talk.guest, talk.at, text=text, sequence=talk.number, conversation=talk.guest, extra=extra)
    return [item]


def reaction(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    mid, key = identifier_at(payload, "mid"), f"reaction:{talk.guest}:{talk.at.timestamp():.3f}"
    if text_at(payload, "action") == "unreact":
        return [ignored(key, words.REACTION_GONE, talk.at, guest=talk.guest)]
    text = words.placeholder("reaction", text_at(payload, "emoji") or text_at(payload, "reaction"))
    item = Inbound(InboundKind.MESSAGE, key, talk.guest, talk.at, text=text, sequence=talk.number, reply_to=mid, conversation=talk.guest)
    return [item]


def delivery(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    """A receipt names each message it is about; one that names none says no more than the next one."""
    mids = payload.get("mids")
    named = [identifier_at({"mid": mid}, "mid") for mid in mids] if isinstance(mids, list) else []
    items = [Inbound(InboundKind.STATUS, mid, talk.guest, talk.at, state=DeliveryState.DELIVERED) for mid in named if mid]
    return items or [ignored(talk.key, words.unused_kind("delivery"), talk.at, guest=talk.guest)]


def read(payload: JsonObject, talk: Talk) -> Sequence[Inbound]:
    """Everything up to a moment is read: no message is named."""
    return [Inbound(InboundKind.READ_UNTIL, talk.key, talk.guest, meta_time(payload, "watermark", talk.at))]


HANDLERS: Mapping[str, Callable[[JsonObject, Talk], Sequence[Inbound]]] = {
    "message": message,
    "message_edit": edit,
    "postback": postback,
    "reaction": reaction,
    "delivery": delivery,
    "read": read,
}
