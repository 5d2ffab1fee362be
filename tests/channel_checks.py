"""What every channel's tests ask of it: nothing but items or Unreadable from any bytes, and the way of messages through the database."""

import contextlib
import copy
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import Client
from hypothesis import strategies as st

from omni.channels.contract import AccountConfig, Adapter, Inbound, InboundKind, RawEvent, Unreadable
from omni.models import Attempt, InboundEvent
from omni.services import journal, sending
from omni.states import EventState, SendState

RECEIVED = datetime(2026, 3, 3, 8, 5, tzinfo=UTC)
ODD = st.sampled_from([0, 1, -1, 2**31, 2**53, 2**70, 1772524805, 1e308, "", "\x00", "\ud83d", "a" * 300, [], {}, None, True, [[]], [{}]])
VALUES: st.SearchStrategy = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | ODD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)


def json_objects(words: Iterable[str]) -> st.SearchStrategy:
    """Objects whose keys and texts are often words of the vendor."""
    known = st.sampled_from(sorted(set(words)))
    inner = st.recursive(
        VALUES | known, lambda below: st.lists(below, max_size=3) | st.dictionaries(known, below, max_size=6), max_leaves=20
    )
    return st.dictionaries(known | st.text(max_size=6), inner, max_size=6)


def words_of(samples: Sequence[Any]) -> set[str]:
    """Every key of the samples."""
    found: set[str] = set()
    for sample in samples:
        _collect(sample, found)
    return found


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        found |= set(value)
        for inner in value.values():
            _collect(inner, found)
    if isinstance(value, list):
        for inner in value:
            _collect(inner, found)


@st.composite
def mutated(draw: Callable[[st.SearchStrategy], Any], samples: Sequence[Any]) -> Any:
    """A sample with some of its values replaced or left out."""
    value = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[key] = copy.deepcopy(draw(VALUES))  # what is drawn may be shared and is changed by the next round
        elif isinstance(holder, dict):
            del holder[key]
    return value


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def load(folder: Path) -> dict[str, Any]:
    """The samples of a folder by name."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def body_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def items_or_unreadable(adapter: Adapter, body: bytes, account: AccountConfig | None = None) -> None:
    """Whatever the bytes: a key, and items that a database can hold, or Unreadable and nothing else."""
    event = RawEvent(body, {}, RECEIVED)
    assert adapter.event_key(event)
    with contextlib.suppress(Unreadable):
        for item in adapter.parse(event, account or AccountConfig("a", adapter.kind)):
            storable(item)


def storable(item: Inbound) -> None:
    for name in (field.name for field in fields(item)):
        _holdable(getattr(item, name))
    assert item.external_id or item.kind is InboundKind.BOUNCE
    assert item.sent_at.tzinfo is not None
    assert -(2**63) <= item.sequence < 2**63
    assert isinstance(item.text, str)
    for attachment in item.attachments:
        _holdable(attachment.ref)
        _holdable(attachment.name)
        assert attachment.ref
        assert attachment.size is None or 0 <= abs(attachment.size) < 2**63


def _holdable(value: Any) -> None:
    if isinstance(value, str):
        assert "\x00" not in value
        value.encode("utf-8")
    elif isinstance(value, dict):
        _holdable(json.dumps(value, ensure_ascii=False))


def deliver(client: Client, account: Any, body: bytes, *, headers: dict[str, str] | None = None, query: str = "") -> Any:
    """A webhook as the provider posts it, through the product's own view."""
    address = f"/hooks/{account.kind}/{account.public_id}/" + (f"?{query}" if query else "")
    return client.post(address, data=body, content_type="application/json", headers=headers or {})


def process_all(now: datetime) -> None:
    """The worker's part: understand all that was kept."""
    for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).order_by("pk").values_list("pk", flat=True):
        journal.process(event_id, now=now)


def send_all(now: datetime, *, rounds: int = 40) -> datetime:
    """The sender's part: each round sends what is due, then the clock goes on past every pause. Returns the last time."""
    for _ in range(rounds):
        if not Attempt.objects.filter(state=SendState.QUEUED).exists():
            break
        for attempt_id in sending.find_due(now=now):
            sending.send(attempt_id, now=now)
        now += timedelta(hours=1)
    return now


def shuffled_and_doubled(events: Sequence[Any], seed: int) -> list[Any]:
    """The events in another order, a third of them twice."""
    chosen = random.Random(seed)
    found = [*events, *chosen.sample(list(events), len(events) // 3)]
    chosen.shuffle(found)
    return found
