"""What became of an SMS: the provider's callback and its answer to a question (SMS Aero API v2, sms/status)."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from omni.channels.contract import DeliveryState, Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import JsonObject, identifier_at, read_object_or_none, storable

STATES: Mapping[str, DeliveryState] = {
    "1": DeliveryState.DELIVERED,
    "2": DeliveryState.FAILED,
    "3": DeliveryState.SENT,
    "6": DeliveryState.FAILED,
}
"""0 waits in the queue, 4 waits for a status, 8 is being moderated: nothing has happened yet."""
KEY_LIMIT = 200


def fields_of(event: RawEvent) -> JsonObject:
    """The callback's fields, from JSON or a form. Raises Unreadable."""
    found = read_object_or_none(event.body)
    if found is not None:
        return found
    try:
        pairs = parse_qs(event.body.decode("utf-8"), max_num_fields=64)
    except ValueError:
        pairs = {}
    if not pairs:
        raise Unreadable("no status callback: neither JSON nor a form")
    return {name: values[0] for name, values in pairs.items()}


def item_of(event: RawEvent) -> Inbound:
    """The status that a callback tells of the send named in its address. Raises Unreadable."""
    key = storable(event.query.get("k", ""))[:KEY_LIMIT]
    fields = fields_of(event)
    status = identifier_at(fields, "status")
    if not key or not status:
        raise Unreadable("no status callback: the key or the status is missing")
    return status_item(status, key, at=event.received_at, told=identifier_at(fields, "extendStatus"))


def status_item(status: str, key: str, *, at: datetime, told: str) -> Inbound:
    """A STATUS item; a status that changes nothing is IGNORED."""
    state = STATES.get(status)
    return Inbound(
        kind=InboundKind.STATUS if state else InboundKind.IGNORED,
        external_id=key,
        guest_external_id="",
        sent_at=at,
        state=state,
        error=(told or f"status {status}")[:200] if state is DeliveryState.FAILED else "",
        text="" if state else f"status {status}"[:80],
    )
