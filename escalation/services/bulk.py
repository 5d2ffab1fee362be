"""Many rows by one statement each: history, notices and places of a round. The rows travel as one JSON document."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from escalation.ladder import Place
from escalation.services.notices import Draft

_EVENTS = """
insert into escalation_runevent (run_id, turn, key, kind, level, at, due_at, late, details)
select run_id, turn, key, kind, level, at, due_at, late, details
from json_to_recordset(%s) as r(run_id bigint, turn int, key text, kind text, level int, at timestamptz, due_at timestamptz,
    late boolean, details jsonb)
on conflict do nothing
"""
_DELIVERIES = """
insert into escalation_delivery (run_id, turn, key, level, channel, recipient, staff_id, address, heading, message, late,
    state, tries, external_id, error, possibly_delivered, created_at, next_at)
select run_id, turn, key, level, channel, recipient, staff_id, address, heading, message, late,
    'queued', 0, '', '', false, %s, %s
from json_to_recordset(%s) as r(run_id bigint, turn int, key text, level int, channel text, recipient text, staff_id bigint,
    address text, heading text, message text, late boolean)
on conflict do nothing
"""
_PLACES = """
update escalation_run set state = r.state, level = r.level, step = r.step, turn = r.turn, repeats = r.repeats, next_at = r.next_at,
    step_at = r.step_at, reaction_due = r.reaction_due, deal_due = r.deal_due, remind_at = r.remind_at, lapse_at = r.lapse_at,
    update_at = r.update_at, holder_id = r.holder_id, fault = '',
    first_climbed_at = coalesce(first_climbed_at, case when r.climbs then %s end)
from json_to_recordset(%s) as r(id bigint, state text, level int, step int, turn int, repeats int, next_at timestamptz,
    step_at timestamptz, reaction_due timestamptz, deal_due timestamptz, remind_at timestamptz, lapse_at timestamptz,
    update_at timestamptz, holder_id bigint, climbs boolean)
where escalation_run.id = r.id
"""


def insert_events(rows: Sequence[Mapping[str, Any]]) -> None:
    """History rows; one that is there already stays as it is."""
    _run(_EVENTS, rows)


def insert_deliveries(drafts: Sequence[Draft], *, now: datetime) -> None:
    """Notices, ready to be sent; one that is there already stays as it is."""
    _run(_DELIVERIES, [vars(draft) for draft in drafts], now, now)


def place_row(run_id: int, place: Place, *, holder_id: int | None, climbs: bool) -> Mapping[str, Any]:
    """A run's new place as `update_places` takes it."""
    return {
        "id": run_id, "state": place.state, "level": place.level, "step": place.step, "turn": place.turn, "repeats": place.repeats,
        "next_at": _iso(place.next_at), "step_at": _iso(place.step_at), "reaction_due": _iso(place.reaction_due),
        "deal_due": _iso(place.deal_due), "remind_at": _iso(place.remind_at), "lapse_at": _iso(place.lapse_at),
        "update_at": _iso(place.update_at), "holder_id": holder_id, "climbs": climbs,
    }  # fmt: skip


def update_places(rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Write where the locked runs stand."""
    _run(_PLACES, rows, now)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _run(sql: str, rows: Iterable[Mapping[str, Any]], *before: datetime) -> None:
    listed = list(rows)
    if listed:
        with connection.cursor() as cursor:
            cursor.execute(sql, [*before, json.dumps(listed, ensure_ascii=False)])
