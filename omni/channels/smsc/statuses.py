"""What became of an SMS: the provider's callback and its answer to a question (https://smsc.ru/api/http/status_messages/)."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from omni.channels.contract import AccountConfig, DeliveryState, Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.json_fields import storable
from omni.channels.smsc.sending import reference

STATES: Mapping[int, DeliveryState] = {
    0: DeliveryState.SENT,
    1: DeliveryState.DELIVERED,
    2: DeliveryState.READ,
    3: DeliveryState.FAILED,
    4: DeliveryState.READ,
}
"""-1 waits with the provider, 0 is with the operator, 4 means that the link was touched; from 20 on nothing will come of it."""
WAITING, STOPPED, UNKNOWN = -1, -2, -3
REASONS: Mapping[int, str] = {
    3: "the time of the SMS was over",
    20: "it cannot be delivered",
    22: "wrong number",
    23: "forbidden",
    24: "not enough money",
    25: "number out of service",
    STOPPED: "stopped by the provider",
}
FIELD_LIMIT = 64


def fields_of(event: RawEvent) -> dict[str, str]:
    """The callback's fields, from the body or the query; the first of several values."""
    try:
        body = event.body.decode("utf-8")
        found = {name: values[0] for name, values in parse_qs(body, max_num_fields=FIELD_LIMIT).items()}
    except ValueError:
        found = {}
    return {name: storable(value) for name, value in {**event.query, **found}.items()}


def is_signed(fields: Mapping[str, str], secret: str) -> bool:
    """Whether every signature that came is the provider's, and one did: SHA-1 or MD5 of `id:phone:status:secret` in hex."""
    told = f"{fields.get('id', '')}:{fields.get('phone', '')}:{fields.get('status', '')}:{secret}".encode("utf-8", "replace")
    expected = {
        "sha1": hashlib.sha1(told, usedforsecurity=False).hexdigest(),
        "md5": hashlib.md5(told, usedforsecurity=False).hexdigest(),
    }
    given = {name: fields[name].lower() for name in expected if fields.get(name)}
    right = [hmac.compare_digest(value.encode("utf-8", "replace"), expected[name].encode()) for name, value in given.items()]
    return bool(secret and right and all(right))


def item_of(event: RawEvent, account: AccountConfig) -> Inbound:
    """The status that a callback tells. Raises Unreadable."""
    fields = fields_of(event)
    number, phone, status = fields.get("id", ""), fields.get("phone", "").lstrip("+"), _whole(fields.get("status", ""))
    if not number or status is None:
        raise Unreadable("no status callback: id or status is missing")
    at = _moment(fields.get("ts", ""), event.received_at)
    return status_item(status, number, phone, at=at, error=_whole(fields.get("err", "")))


def status_item(status: int, number: str, phone: str, *, at: datetime, error: int | None) -> Inbound:
    """A STATUS item; a status that changes nothing is IGNORED."""
    state = STATES.get(status, DeliveryState.FAILED if status >= 20 or status == STOPPED else None)
    told = REASONS.get(status, f"status {status}") + (f", code {error}" if error else "") if state is DeliveryState.FAILED else ""
    return Inbound(
        kind=InboundKind.STATUS if state else InboundKind.IGNORED,
        external_id=reference(number, phone),
        guest_external_id="",
        sent_at=at,
        state=state,
        error=told,
        text="" if state else f"status {status}",
    )


def _whole(text: str) -> int | None:
    """A whole number of at most six digits; None for anything else."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 6 else None


def _moment(text: str, fallback: datetime) -> datetime:
    """Unix seconds."""
    if not (text.isascii() and text.isdecimal() and 0 < len(text) <= 11):
        return fallback
    return datetime.fromtimestamp(int(text), UTC)
