"""Tickets as the API gives them: plain dictionaries in the shapes of schemas.py."""

from collections.abc import Sequence
from typing import Any

from sla.ledger import Reading
from sla.models import Clock
from tickets import wording
from tickets.details import DetailSpec
from tickets.models import Case, CaseStep
from tickets.search import Hit
from tickets.selectors import TopicChoice
from worklist.models import Item
from worklist.states import NO_DUE

Shape = dict[str, Any]


def named(thing: Any) -> Shape | None:
    return {"id": thing.pk, "name": str(thing)} if thing is not None else None


def opened(case: Case, clocks: Sequence[Clock]) -> Shape:
    """A ticket in short; `clocks` are its running ones, the nearest due first."""
    return {
        "id": case.pk,
        "number": case.number,
        "state": case.state,
        "session": case.session_id,
        "group": named(case.group),
        "opened_at": case.opened_at,
        "due_at": next((clock.due_at for clock in clocks if clock.paused_at is None), None),
    }


def whole(case: Case, clocks: Sequence[Clock], steps: Sequence[CaseStep]) -> Shape:
    return {
        **opened(case, clocks),
        "guest": named(case.guest),
        "topic": case.topic.code,
        "store": case.store.number if case.store else None,
        "owner": named(case.owner),
        "channel": case.session.account.kind,
        "summary": case.summary,
        "first_answer_at": case.first_answer_at,
        "closed_at": case.closed_at,
        "cause": case.cause,
        "closing": case.closing.code if case.closing else None,
        "details": case.details,
        "why_here": wording.why_here(case.routing),
        "clocks": [_clock(clock) for clock in clocks],
        "history": [_step(step) for step in steps],
    }


def _clock(clock: Clock) -> Shape:
    return {
        "metric": clock.metric,
        "due_at": clock.due_at,
        "paused": clock.paused_at is not None,
        "breached": clock.breached_at is not None,
    }


def clock_story(clock: Clock, reading: Reading) -> Shape:
    """A clock with every interval of its life."""
    return {
        "metric": clock.metric,
        "cycle": clock.cycle,
        "due_at": reading.due_at,
        "spent_seconds": round(reading.spent),
        "breached_at": reading.breached_at,
        "ended_at": reading.ended_at,
        "met": reading.met,
        "spans": [
            {
                "since": span.since,
                "until": span.until,
                "running": span.is_running,
                "worked_seconds": round(span.worked),
                "policy": span.terms.name,
                "target_seconds": round(span.terms.seconds),
                "reason": span.reason,
            }
            for span in reading.spans
        ],
    }


def topic(found: TopicChoice, *, code: str, asks: Sequence[DetailSpec]) -> Shape:
    """A topic with what tickets on it are asked for."""
    details = [
        {"code": one.code, "name": one.name, "kind": one.kind, "is_required": one.is_required, "options": list(one.options)} for one in asks
    ]
    return {"code": code, "path": found.path, "store_required": found.store_required, "details": details}


def _step(step: CaseStep) -> Shape:
    return {
        "step": step.step,
        "at": step.at,
        "by": named(step.by),
        "state": step.state,
        "group": named(step.group),
        "details": step.details,
        "words": wording.step_text(step),
    }


def row(item: Item) -> Shape:
    return {
        "id": item.subject_id,
        "kind": item.kind,
        "number": item.number,
        "session": item.session_id,
        "guest": {"id": item.guest_id, "name": item.guest_name},
        "channel": item.channel,
        "title": item.title,
        "preview": item.preview,
        "state": item.state,
        "group": item.group_id,
        "owner": item.owner_id,
        "store": item.store_id,
        "due_at": None if item.due_at == NO_DUE else item.due_at,
        "last_at": item.last_at,
    }


def hit(found: Hit) -> Shape:
    return {**row(found.item), "why": found.why.value, "snippet": found.snippet}
