"""From the body of a WhatsApp webhook to inbound items (Cloud API, webhooks): every entry, every change, every message and status."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omni.channels.contract import DeliveryState, Inbound, InboundKind
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, text_at
from omni.channels.meta.webhooks import changes_of, entries_of, ignored, key_of, meta_time
from omni.channels.phones import international
from omni.channels.whatsapp import placeholders as words
from omni.channels.whatsapp.content import content_of
from omni.channels.whatsapp.templates import fate_of

OBJECT = "whatsapp_business_account"
TEMPLATE_FIELD = "message_template_status_update"
STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}


@dataclass(frozen=True)
class Arrival:
    """What is known of an item apart from its payload: the guests named beside it, a key in case it has none of its own."""

    key: str
    received_at: datetime
    number: int
    contacts: Sequence[JsonObject] = ()


@dataclass(frozen=True)
class Guest:
    """Who writes: the business-scoped id counts before the telephone number, which a guest with a user name may withhold."""

    user_id: str
    wa_id: str
    name: str

    @property
    def key(self) -> str:
        return self.user_id or self.wa_id

    @property
    def address(self) -> str:
        return self.wa_id or self.user_id


def items_of(body: bytes, received_at: datetime, phone_number_id: str) -> Sequence[Inbound]:
    """All items of an event, in their order; `phone_number_id` is ours, empty = any. Raises Unreadable."""
    items: list[Inbound] = []
    digest = key_of(body)
    for entry in entries_of(body, OBJECT):
        for field, value in changes_of(entry):
            # Numbers of the items go on through the event: what one second brought stays in its order.
            arrival = Arrival(digest, received_at, len(items), objects_at(value, "contacts"))
            items.extend(change_items(field, value, arrival, phone_number_id))
    return items or [ignored(digest, words.NO_CONTENT, received_at)]


def change_items(field: str, value: JsonObject, arrival: Arrival, phone_number_id: str) -> Sequence[Inbound]:
    key = f"{arrival.key}:{arrival.number}"
    if field == TEMPLATE_FIELD:
        return [template_item(value, arrival, key)]
    if field != "messages":
        return [ignored(key, words.unused_field(field), arrival.received_at)]
    number = identifier_at(object_at(value, "metadata"), "phone_number_id")
    if phone_number_id and number and number != phone_number_id:
        return [ignored(key, words.OTHER_NUMBER, arrival.received_at, phone_number_id=number)]
    return list(value_items(value, arrival)) or [ignored(key, words.NO_CONTENT, arrival.received_at)]


def template_item(value: JsonObject, arrival: Arrival, key: str) -> Inbound:
    """The news of one text: Meta tells its state, and where it refuses or pauses it, why."""
    name, language = text_at(value, "message_template_name"), text_at(value, "message_template_language")
    fate = fate_of(text_at(value, "event"))
    if not name or not language or fate is None:
        return ignored(key, words.unused_field(f"{TEMPLATE_FIELD}: {text_at(value, 'event')}"), arrival.received_at)
    why = text_at(object_at(value, "other_info"), "description") or text_at(value, "reason")
    extra = {"language": language, "fate": fate.value, "reason": "" if why == "NONE" else why}
    return Inbound(InboundKind.TEMPLATE, name, "", arrival.received_at, extra=extra)


def value_items(value: JsonObject, arrival: Arrival) -> Iterator[Inbound]:
    sources: tuple[tuple[str, Callable[[JsonObject, Arrival], Inbound]], ...] = (
        ("messages", message_item),
        ("statuses", status_item),
        ("errors", error_item),
    )
    number = arrival.number
    for name, read in sources:
        for source in objects_at(value, name):
            yield read(source, Arrival(arrival.key, arrival.received_at, number, arrival.contacts))
            number += 1


def guest_of(message: JsonObject, arrival: Arrival) -> Guest:
    user_id, wa_id = identifier_at(message, "from_user_id"), identifier_at(message, "from")
    for contact in arrival.contacts:
        known_user, known_wa = identifier_at(contact, "user_id"), identifier_at(contact, "wa_id")
        if (user_id and known_user == user_id) or (wa_id and known_wa == wa_id):
            profile = object_at(contact, "profile")
            name = text_at(profile, "name") or text_at(profile, "username")
            return Guest(user_id or known_user, wa_id or known_wa, name)
    return Guest(user_id, wa_id, "")


def message_item(message: JsonObject, arrival: Arrival) -> Inbound:
    kind, guest = text_at(message, "type"), guest_of(message, arrival)
    at = meta_time(message, "timestamp", arrival.received_at)
    key = identifier_at(message, "id") or f"{arrival.key}:{arrival.number}"
    reason = words.GROUP if message.get("group_id") else "" if guest.key else words.NO_SENDER
    if reason or kind in UNSAID:
        return ignored(key, reason, at, guest=guest.key) if reason else UNSAID[kind](message, key, guest, at, arrival)
    return said(message, key, guest, at, arrival)


def said(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival, **changes: Any) -> Inbound:
    """The guest's words. `changes` = fields that differ for an edit."""
    content = content_of(message)
    context = object_at(message, "context")
    answered = identifier_at(context, "id") or identifier_at(object_at(message, "reaction"), "message_id")
    own = answered and identifier_at(context, "from") not in (guest.wa_id, guest.user_id)
    fields: dict[str, Any] = {
        "kind": InboundKind.MESSAGE,
        "external_id": key,
        "guest_external_id": guest.key,
        "guest_name": guest.name,
        "sent_at": at,
        "text": content.text,
        "attachments": content.attachments,
        "sequence": arrival.number,
        "reply_to": answered,
        "thread_keys": (answered,) if own else (),
        "phone": international(guest.wa_id) if guest.wa_id else "",
        "conversation": guest.address,
        "extra": {**particulars(message, guest), **content.extra},
    }
    return Inbound(**{**fields, **changes})


def particulars(message: JsonObject, guest: Guest) -> dict[str, Any]:
    """What the feed or the guest's card may show besides: only keys that have a value."""
    context, referral = object_at(message, "context"), object_at(message, "referral")
    found = {
        "wa_id": guest.wa_id,
        "user_id": guest.user_id,
        "forwarded": context.get("forwarded") is True or context.get("frequently_forwarded") is True,
        "advertisement": text_at(referral, "headline"),
        "advertisement_url": text_at(referral, "source_url"),
    }
    return {key: value for key, value in found.items() if value}


def edit_item(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival) -> Inbound:
    edit = object_at(message, "edit")
    original = identifier_at(edit, "original_message_id")
    if not original:
        return ignored(key, words.UNKNOWN_ORIGINAL, at, guest=guest.key)
    return said(object_at(edit, "message"), original, guest, at, arrival, kind=InboundKind.EDIT, edited_at=at)


def revoke_item(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival) -> Inbound:
    original = identifier_at(object_at(message, "revoke"), "original_message_id")
    if not original:
        return ignored(key, words.UNKNOWN_ORIGINAL, at, guest=guest.key)
    return Inbound(InboundKind.DELETE, original, guest.key, at, guest.name, conversation=guest.address)


def reaction_item(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival) -> Inbound:
    if not text_at(object_at(message, "reaction"), "emoji"):
        return ignored(key, words.REACTION_GONE, at, guest=guest.key)
    return said(message, key, guest, at, arrival)


def system_item(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival) -> Inbound:
    """A changed number is no word of the guest's, but Meta's word that it is the same guest."""
    system = object_at(message, "system")
    new = identifier_at(system, "wa_id") or identifier_at(system, "user_id") or identifier_at(system, "new_wa_id")
    if not new:
        return said(message, key, guest, at, arrival)
    told, extra = words.changed_number(guest.wa_id or guest.key, new), {} if guest.user_id else {"moved_to": new}
    phone = international(new) if new.isdecimal() else ""
    return Inbound(InboundKind.MOVED, key, guest.key, at, guest.name, told, phone=phone, conversation=new, extra=extra)


def welcome_item(message: JsonObject, key: str, guest: Guest, at: datetime, arrival: Arrival) -> Inbound:
    return ignored(key, words.WELCOME, at, guest=guest.key)


UNSAID: Mapping[str, Callable[[JsonObject, str, Guest, datetime, Arrival], Inbound]] = {
    "edit": edit_item,
    "revoke": revoke_item,
    "reaction": reaction_item,
    "system": system_item,
    "request_welcome": welcome_item,
}
"""Types that are not, or not always, words of the guest's."""


def status_item(status: JsonObject, arrival: Arrival) -> Inbound:
    at = meta_time(status, "timestamp", arrival.received_at)
    key, told = identifier_at(status, "id"), text_at(status, "status")
    guest = identifier_at(status, "recipient_user_id") or identifier_at(status, "recipient_id")
    if not key or told not in STATES:
        return ignored(key or f"{arrival.key}:{arrival.number}", words.unused_status(told), at, guest=guest)
    errors = [error_text(error) for error in objects_at(status, "errors")]
    # Our own id of the message: it tells the fate of a send whose answer never came.
    ours = text_at(status, "biz_opaque_callback_data")
    extra = {"our_key": ours} if ours else {}
    return Inbound(InboundKind.STATUS, key, guest, at, sequence=arrival.number, state=STATES[told], error="; ".join(errors), extra=extra)


def error_text(error: JsonObject) -> str:
    title = text_at(error, "title") or text_at(error, "message")
    details = text_at(object_at(error, "error_data"), "details")
    code = identifier_at(error, "code")
    return ": ".join(part for part in (code, title, details if details != title else "") if part)


def error_item(error: JsonObject, arrival: Arrival) -> Inbound:
    """A fault of the whole account, not of a message."""
    text = text_at(object_at(error, "error_data"), "details") or text_at(error, "title")
    reason = words.account_error(identifier_at(error, "code"), text)
    return ignored(f"{arrival.key}:{arrival.number}", reason, arrival.received_at)
