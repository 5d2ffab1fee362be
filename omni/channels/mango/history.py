"""The calls of Mango's own statistics: stats/calls/request, then stats/calls/result until it is complete (API of the virtual exchange 1.9,
3.4.2 "Extended statistics"). One question in two seconds; what was prepared is kept for a minute.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.asking import Answer, lacking, page
from omni.channels.contract import AccountConfig, CallKind, CallStep, PollFault
from omni.channels.http import json_of, pause_of
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, text_at
from omni.channels.mango.commands import OK, client_of, signed
from omni.channels.mango.events import MOSCOW
from omni.channels.telephony.account import region_of
from omni.channels.telephony.history import MOST_PAGES, Period, Remembered
from omni.channels.telephony.items import whole_at
from omni.channels.telephony.numbers import e164

ROWS = 1000
"""One of the limits that the vendor allows."""
PAUSES = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
"""Seconds between the questions whether the statistics are ready."""
BETWEEN = 2.1
INBOUND, OUTBOUND = 1, 2


def remembered(account: AccountConfig, period: Period) -> Sequence[Remembered]:
    """The calls with guests that began in the period; none without keys. Raises PollFault."""
    if lacking(account, "vpbx_api_key", "vpbx_api_salt"):
        return ()
    found: list[JsonObject] = []
    for number in range(MOST_PAGES):
        if number:
            time.sleep(BETWEEN)
        rows = _page(account, period, number * ROWS)
        found += rows
        if len(rows) < ROWS:
            break
    outside = [call for call in found if whole_at(call, "context_type") in (INBOUND, OUTBOUND) and identifier_at(call, "entry_id")]
    staff = _extensions(account) if any(_talked(call) for call in outside) else {}
    return [
        Remembered(identifier_at(call, "entry_id"), {**call, "extension": staff.get(_abonent(call), "")}, _ended(call)) for call in outside
    ]


def _page(account: AccountConfig, period: Period, offset: int) -> Sequence[JsonObject]:
    zone = timezone(MOSCOW)
    dates = {
        "start_date": f"{period.since.astimezone(zone):%d.%m.%Y %H:%M:%S}",
        "end_date": f"{period.until.astimezone(zone):%d.%m.%Y %H:%M:%S}",
    }
    asked = _ask(account, "stats/calls/request", {**dates, "limit": str(ROWS), "offset": str(offset)})
    key = text_at(asked, "key")
    if not key:
        raise PollFault(_("The exchange gives no key for its statistics: %(text)s") % {"text": identifier_at(asked, "result") or "?"})
    for pause in PAUSES:
        answer = _ask(account, "stats/calls/result", {"key": key})
        status = text_at(answer, "status")
        if status == "complete":
            return [call for day in objects_at(answer, "data") for call in objects_at(day, "list")]
        if status not in ("request", "work") or (whole_at(answer, "result") or OK) != OK:
            raise PollFault(_("The exchange does not make its statistics: %(text)s") % {"text": status or "?"})
        time.sleep(pause)
    raise PollFault(_("The exchange has not made its statistics in time."))


def _ask(account: AccountConfig, path: str, command: Mapping[str, Any]) -> JsonObject:
    def once() -> Answer:
        response = client_of(account).post(f"/{path}", data=signed(account, command))
        return Answer(response.status_code, json_of(response), pause_of(response))

    return page(once)


def _extensions(account: AccountConfig) -> Mapping[str, str]:
    """The telephones by their owners' numbers: the statistics name people only."""
    users = objects_at(_ask(account, "config/users/request", {}), "users")
    return {identifier_at(object_at(user, "general"), "user_id"): text_at(object_at(user, "telephony"), "extension") for user in users}


def _talked(call: JsonObject) -> JsonObject | None:
    """The leg of whoever talked; of a group it is one of its members."""
    legs = [leg for leg in objects_at(call, "context_calls") for leg in (leg, *objects_at(leg, "members"))]
    talking = [leg for leg in legs if whole_at(leg, "talk_duration") and text_at(leg, "call_type") in ("user", "number", "")]
    return talking[-1] if talking else None


def _abonent(call: JsonObject) -> str:
    leg = _talked(call)
    return identifier_at(leg, "call_abonent_id") if leg else ""


def _begun(call: JsonObject) -> datetime:
    return datetime.fromtimestamp(whole_at(call, "context_start_time", digits=11) or 0, UTC)


def _ended(call: JsonObject) -> datetime:
    return _begun(call) + timedelta(seconds=whole_at(call, "duration") or 0)


def steps_of(call: JsonObject, account: AccountConfig) -> Sequence[CallStep]:
    """The call's beginning and its summary, numbered as the notice `summary` is, so that a late one repeats it."""
    entry, region, inbound = identifier_at(call, "entry_id"), region_of(account), whole_at(call, "context_type") == INBOUND
    caller, called = (e164(identifier_at(call, name), region) for name in ("caller_number", "called_number"))
    talk = whole_at(call, "talk_duration") or 0
    talked = bool(whole_at(call, "context_status")) and talk > 0
    leg = _talked(call) or {}
    records = leg.get("recording_id")
    who = {
        "call_key": entry,
        "inbound": inbound,
        "caller": caller if inbound else "",
        "called": called,
        "reconciled": True,
    }
    first = CallStep(CallKind.RINGING, leg_key=f"{entry}:history", sequence=0, at=_begun(call), **who)  # type: ignore[arg-type]
    sound = [str(one) for one in records if isinstance(one, str) and one] if isinstance(records, list) else []
    kept = CallStep(CallKind.RECORDING_READY, leg_key=entry, sequence=0, at=_ended(call), recording=sound[-1] if sound else "", **who)  # type: ignore[arg-type]
    end = CallStep(
        CallKind.ENDED if talked else CallKind.MISSED,
        leg_key=entry,
        sequence=1,
        at=_ended(call),
        extension=text_at(call, "extension") if talked else "",
        duration=talk,
        wait=max(0, (whole_at(call, "duration") or 0) - talk),
        reason=identifier_at(leg, "call_end_reason"),
        **who,  # type: ignore[arg-type]
    )
    return [first, *([kept] if sound else ()), end]
