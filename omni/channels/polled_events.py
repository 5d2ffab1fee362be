"""Events that we make of what a provider answered: its own JSON as it was, so that a replay reads the same."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omni.channels.contract import RawEvent
from omni.channels.json_fields import JsonObject


def event_of(value: JsonObject, *, now: datetime, query: Mapping[str, str] | None = None) -> RawEvent:
    """The event of one object of an answer. `query` is what was asked, where the object does not tell it itself."""
    return RawEvent(body=octets(value), headers={}, received_at=now, query=dict(query or {}))


def octets(value: Any) -> bytes:
    """JSON that `json.loads` reads back to the same value, half surrogate pairs included."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
