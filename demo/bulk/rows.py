"""Rows of a ticket as the services would have left them. Pure: facts in, lines for COPY out."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import count

from core.text import first_line, searchable
from demo.bulk.cases import CaseFacts
from demo.bulk.world import Bases, World
from omni.states import Direction, SendState, SessionState
from sla.models import Metric
from sla.rules import deadline, worked
from tickets.states import PAUSING, WAITING, CaseState, Step
from worklist.states import NO_DUE, ItemState, Kind

# Columns of each table in the order of the lines. Columns that are not here get their field's default.
COLUMNS: Mapping[str, Sequence[str]] = {
    "customers.Guest": ("id", "public_id", "name", "phone", "email", "created_at", "search_text"),
    "customers.Identity": ("id", "guest_id", "channel", "scope", "external_id", "display_name", "address", "is_verified", "created_at"),
    "omni.Session": (
        "id", "account_id", "identity_id", "guest_id", "queue_id", "state", "subject", "opened_at", "closed_at", "assigned_at",
        "last_message_at", "last_inbound_at", "last_inbound_id", "message_count", "created_at",
    ),
    "omni.Message": (
        "id", "public_id", "session_id", "account_id", "guest_id", "seq", "direction", "text", "author_id", "sent_at", "received_at",
        "external_id", "send_state",
    ),
    "tickets.Case": (
        "id", "number", "guest_id", "session_id", "topic_id", "policy_id", "group_id", "store_id", "owner_id", "state", "at_store",
        "summary", "unread", "routing", "opened_at", "opened_by_id", "first_answer_at", "waiting_since", "last_at", "closed_at", "cause",
    ),
    "tickets.CaseStep": ("id", "case_id", "step", "at", "by_id", "state", "group_id", "owner_id", "details"),
    "sla.Clock": (
        "id", "subject", "metric", "policy_id", "target_seconds", "started_at", "due_at", "paused_at", "spent_seconds", "resumed_at",
        "breached_at",
    ),
    "sla.ClockPause": ("id", "clock_id", "starts_at", "reason"),
    "worklist.Item": (
        "id", "kind", "subject_id", "session_id", "number", "guest_id", "guest_name", "channel", "title", "preview", "store_id", "at_store",
        "group_id", "owner_id", "state", "unread", "due_at", "target_seconds", "waiting_since", "last_at",
    ),
}  # fmt: skip
NULL = "\\N"


@dataclass
class Lines:
    """Lines for COPY, by table."""

    tables: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def add(self, table: str, *values: object) -> None:
        self.tables[table].append("\t".join(map(cell, values)))


def cell(value: object) -> str:
    """A value in PostgreSQL's COPY text format."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") if _special(value) else value
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _special(text: str) -> bool:
    return "\\" in text or "\n" in text or "\t" in text or "\r" in text


@dataclass(frozen=True)
class GuestFacts:
    """A guest with one identity. `external_id` is how the channel knows the guest."""

    name: str
    phone: str
    email: str
    external_id: str
    since: datetime


def public_id(seed: int, kind: int, number: int) -> uuid.UUID:
    """An id that looks like any other (version 4), the same for the same seed."""
    return uuid.UUID(
        int=((seed & 0xFFFFFFFF) << 96 | kind << 88 | number * 0x9E3779B97F4A7C15 % (1 << 64) << 16 | number & 0xFFFF), version=4
    )


class RowMaker:
    """Numbers the rows from `bases` on. Guests are named by their place in the load.

    `known` are the ids of guests and identities that are in the base already, by place; without it they are loaded too.
    """

    def __init__(self, world: World, bases: Bases, *, seed: int, known: Sequence[tuple[int, int]] = ()) -> None:
        self.world, self.seed, self.known = world, seed, known
        self.first_guest, self.first_identity = bases.guest, bases.identity
        self._sessions, self._messages, self._cases = count(bases.session), count(bases.message), count(bases.case)
        self._steps, self._clocks, self._items = count(bases.step), count(bases.clock), count(bases.item)
        self._pauses = count(bases.pause)
        self._numbers = count(bases.number)

    def _guest_id(self, place: int) -> int:
        return self.known[place][0] if self.known else self.first_guest + place

    def _identity_id(self, place: int) -> int:
        return self.known[place][1] if self.known else self.first_identity + place

    def guests(self, guests: Iterable[tuple[int, GuestFacts]]) -> Lines:
        lines = Lines()
        for place, guest in guests:
            channel = self.world.channels[place % len(self.world.channels)]
            key, pk = public_id(self.seed, 1, self.first_guest + place), self.first_guest + place
            search = searchable(guest.name, guest.phone, guest.email, guest.external_id)
            lines.add("customers.Guest", pk, key, guest.name, guest.phone, guest.email, guest.since, search)
            identity = (self.first_identity + place, pk, channel.kind, channel.scope, guest.external_id, guest.name)
            lines.add("customers.Identity", *identity, guest.external_id, bool(guest.phone), guest.since)
        return lines

    def cases(self, found: Sequence[tuple[CaseFacts, GuestFacts]]) -> Lines:
        lines = Lines()
        for facts, guest in found:
            self._case(lines, facts, guest)
        return lines

    def _case(self, lines: Lines, facts: CaseFacts, guest: GuestFacts) -> None:
        session_id, case_id, number = next(self._sessions), next(self._cases), str(next(self._numbers))
        last_seen = self._message_rows(lines, facts, guest, session_id)
        self._session_row(lines, facts, session_id, last_seen)
        self._case_row(lines, facts, session_id, case_id, number)
        self._step_rows(lines, facts, case_id)
        due = self._clock_rows(lines, facts, case_id) if facts.is_open else (NO_DUE, 0)
        self._item_rows(lines, facts, guest, session_id, case_id, number, due)

    def _message_rows(self, lines: Lines, facts: CaseFacts, guest: GuestFacts, session_id: int) -> int:
        """The messages' rows; returns the id of the newest one."""
        pk = 0
        for seq, said in enumerate(facts.messages, 1):
            pk = next(self._messages)
            key = public_id(self.seed, 2, pk)
            inbound = said.direction == Direction.IN
            external = f"{guest.external_id}:{pk}" if inbound else f"out:{key}" if said.direction == Direction.OUT else ""
            state = SendState.NONE if said.direction != Direction.OUT else SendState.READ if pk % 5 else SendState.SENT
            place = (session_id, facts.channel.account_id, self._guest_id(facts.guest), seq)
            lines.add("omni.Message", pk, key, *place, said.direction, said.text, said.author_id, said.at, said.at, external, state)
        return pk

    def _session_row(self, lines: Lines, facts: CaseFacts, session_id: int, newest: int) -> None:
        first, last = facts.messages[0], facts.messages[-1]
        channel = facts.channel
        ids = (channel.account_id, self._identity_id(facts.guest), self._guest_id(facts.guest), channel.queue_id)
        state = SessionState.PARKED if facts.is_open else SessionState.CLOSED
        subject = first_line(first.text, 60) if channel.kind == "email" else ""
        heard = next(said.at for said in reversed(facts.messages) if said.direction == Direction.IN)
        times = (first.at, facts.closed_at, facts.opened_at, last.at, heard)
        lines.add("omni.Session", session_id, *ids, state, subject, *times, newest, len(facts.messages), first.at)

    def _case_row(self, lines: Lines, facts: CaseFacts, session_id: int, case_id: int, number: str) -> None:
        matter = facts.matter
        routing = _routing(matter.path, _at_store(facts))
        ids = (self._guest_id(facts.guest), session_id, matter.topic_id, matter.promise.policy_id, matter.group_id, facts.store_id)
        opened = (facts.opened_at, facts.operator_id, facts.answered_at)
        times = (_waiting_since(facts), _last_at(facts), facts.closed_at, facts.cause)
        text = facts.messages[0].text
        place = (facts.expert_id, facts.state, _at_store(facts))
        lines.add("tickets.Case", case_id, number, *ids, *place, text, 0, routing, *opened, *times)

    def _step_rows(self, lines: Lines, facts: CaseFacts, case_id: int) -> None:
        group, first = facts.matter.group_id, CaseState.WAITING_STORE if _at_store(facts) else CaseState.ROUTED
        told: list[tuple[Step, datetime | None, int | None, CaseState]] = [
            (Step.OPENED, facts.opened_at, facts.operator_id, first),
            (Step.ROUTED, facts.opened_at, None, first),
            (Step.TAKEN, facts.taken_at, facts.expert_id, CaseState.IN_WORK),
            (Step.ANSWERED, facts.answered_at, facts.expert_id, CaseState.ANSWERED),
            (Step.CLOSED, facts.closed_at, facts.expert_id, CaseState.CLOSED),
        ]
        if facts.state == CaseState.WAITING_GUEST:
            told.append((Step.MOVED, _last_at(facts), facts.expert_id, facts.state))
        for step, at, by, state in told:
            if at is not None:
                owner = facts.expert_id if step not in {Step.OPENED, Step.ROUTED} else None
                details = f'{{"cause": "{facts.cause}"}}' if step == Step.CLOSED else "{}"
                lines.add("tickets.CaseStep", next(self._steps), case_id, step, at, by, state, group, owner, details)

    def _clock_rows(self, lines: Lines, facts: CaseFacts, case_id: int) -> tuple[datetime, int]:
        """The running clocks' rows; returns when the next one is due and its length in seconds."""
        promise, running = facts.matter.promise, []
        seconds = {Metric.RESOLUTION: promise.resolution} | ({} if facts.answered_at else {Metric.FIRST_RESPONSE: promise.first_response})
        for metric, target in seconds.items():
            if not target:
                continue
            due = deadline(promise.hours, facts.opened_at, target)
            paused = _last_at(facts) if facts.state in PAUSING and metric == Metric.RESOLUTION else None
            spent = worked(promise.hours, facts.opened_at, paused) if paused else 0.0
            breached = due if due < (paused or self.world.now) else None
            times = (facts.opened_at, due, paused, round(spent, 3), facts.opened_at, breached)
            clock_id = next(self._clocks)
            lines.add("sla.Clock", clock_id, f"case:{case_id}", metric, promise.policy_id, target, *times)
            if paused:
                lines.add("sla.ClockPause", next(self._pauses), clock_id, paused, facts.state)
            else:
                running.append((due, target))
        return min(running, default=(NO_DUE, 0))

    def _item_rows(
        self, lines: Lines, facts: CaseFacts, guest: GuestFacts, session_id: int, case_id: int, number: str, due: tuple[datetime, int]
    ) -> None:
        channel, last = facts.channel, facts.messages[-1]
        who = (self._guest_id(facts.guest), guest.name, channel.kind)
        spoken = (None, False, channel.group_id, None, ItemState.CLOSED, 0, NO_DUE, 0, last.at, last.at)
        title = first_line(facts.messages[0].text, 60) if channel.kind == "email" else ""
        preview = first_line(last.text)
        lines.add("worklist.Item", next(self._items), Kind.SESSION, session_id, session_id, "", *who, title, preview, *spoken)
        place = (facts.store_id, _at_store(facts), facts.matter.group_id, facts.expert_id, _item_state(facts), 0)
        times = (*due, _waiting_since(facts) or facts.opened_at, _last_at(facts))
        lines.add(
            "worklist.Item", next(self._items), Kind.CASE, case_id, session_id, number, *who, facts.matter.name, preview, *place, *times
        )


def _at_store(facts: CaseFacts) -> bool:
    return facts.state == CaseState.WAITING_STORE


@cache
def _routing(path: tuple[str, ...], to_store: bool) -> str:
    return json.dumps({"path": list(path), "sources": {}, "to_store": to_store}, ensure_ascii=False)


def _waiting_since(facts: CaseFacts) -> datetime | None:
    """The guest waits from the opening until the first answer."""
    return facts.opened_at if facts.is_open and facts.answered_at is None else None


def _last_at(facts: CaseFacts) -> datetime:
    moved = facts.taken_at + timedelta(minutes=10) if facts.taken_at and facts.state == CaseState.WAITING_GUEST else None
    return max(at for at in (facts.opened_at, facts.taken_at, facts.answered_at, facts.closed_at, moved) if at is not None)


def _item_state(facts: CaseFacts) -> ItemState:
    """As tickets.services.rows.state_of."""
    if not facts.is_open:
        return ItemState.CLOSED
    if facts.expert_id is None and not _at_store(facts):
        return ItemState.WAITING
    waits = facts.state in WAITING and _waiting_since(facts) is None
    return ItemState.ANSWERED if facts.state == CaseState.ANSWERED or waits else ItemState.ACTIVE
