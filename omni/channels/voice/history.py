"""The calls of Voximplant's own history: GetCallHistory of its Management API, for scenarios that post our form
(https://voximplant.com/docs/references/httpapi/callsessioninfotype, .../callinfotype). Asked if the account's number and key are known.

A scenario's `call_key` must then be the number of its session (`AppEvents.Started`, `sessionId`): the history knows no other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from omni.channels.asking import ask, page
from omni.channels.contract import AccountConfig, CallKind, CallStep, PollFault
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, text_at
from omni.channels.telephony.account import region_of
from omni.channels.telephony.history import MOST_PAGES, Period, Remembered, local, written
from omni.channels.telephony.items import micros, whole_at
from omni.channels.telephony.numbers import bare, e164

DEFAULT_BASE = "https://api.voximplant.com"
PATH, ROWS = "/platform_api/GetCallHistory", 1000
KEY = "voximplant_api_key"
NO_TELEPHONES = frozenset({"user", "sip", "sip address"})
REFUSED = frozenset({"100", "101", "102", "103", "104"})
"""Numbers of errors about the account and its key."""


def remembered(account: AccountConfig, period: Period) -> Sequence[Remembered]:
    """The sessions that began in the period; none without a key. Raises PollFault."""
    number = str(account.settings.get("voximplant_account") or "").strip()
    if not number or not account.secrets.get(KEY):
        return ()
    found: list[JsonObject] = []
    for index in range(MOST_PAGES):
        rows = _rows(account, number, period, index * ROWS)
        found += rows
        if len(rows) < ROWS:
            break
    named = [row for row in found if identifier_at(row, "call_session_history_id") and objects_at(row, "calls")]
    return [Remembered(identifier_at(row, "call_session_history_id"), row, _ended(row)) for row in named]


def _rows(account: AccountConfig, number: str, period: Period, offset: int) -> Sequence[JsonObject]:
    form: dict[str, Any] = {
        "account_id": number,
        "api_key": account.secrets[KEY],
        "from_date": local(period.since, UTC),
        "to_date": local(period.until, UTC),
        "timezone": "Etc/UTC",
        "with_calls": "true",
        "count": str(ROWS),
        "offset": str(offset),
    }
    client = client_for(account, connection_of(account, base=DEFAULT_BASE), name="history")
    body = page(lambda: ask(client, "POST", PATH, data=form))
    if "error" in body:
        error = object_at(body, "error")
        said = {"text": text_at(error, "msg") or "?"}
        raise PollFault(_("The exchange does not tell its calls: %(text)s") % said, refused=identifier_at(error, "code") in REFUSED)
    return objects_at(body, "result")


def _begun(row: JsonObject) -> datetime:
    moments = [at for call in objects_at(row, "calls") if (at := written(text_at(call, "start_time"), UTC))]
    return min(moments, default=written(text_at(row, "start_date"), UTC) or datetime.fromtimestamp(0, UTC))


def _ended(row: JsonObject) -> datetime:
    over = [
        at + timedelta(seconds=whole_at(call, "duration") or 0)
        for call in objects_at(row, "calls")
        if (at := written(text_at(call, "start_time"), UTC))
    ]
    return max(over, default=_begun(row))


def steps_of(row: JsonObject, account: AccountConfig) -> Sequence[CallStep]:
    """The call's beginning, the telephone that took it, its end. The guest is who called in, else the telephone outside that was called."""
    session, region, calls = identifier_at(row, "call_session_history_id"), region_of(account), objects_at(row, "calls")
    came = next((call for call in calls if call.get("incoming") is True), None)
    outside = [call for call in calls if text_at(call, "remote_number_type").lower() not in NO_TELEPHONES]
    guest = came or (outside[0] if outside else None)
    if guest is None:
        return ()
    number, line = e164(identifier_at(guest, "remote_number"), region), e164(identifier_at(guest, "local_number"), region)
    others = [call for call in calls if call is not guest and call.get("successful") is True]
    who = {"inbound": came is not None, "reconciled": True}
    who |= {"caller": number, "called": line} if came else {"caller": line, "called": number}  # type: ignore[dict-item]

    def step(kind: CallKind, at: datetime, sequence: int, **more: object) -> CallStep:
        return CallStep(kind, session, session, sequence, at, **who, **more)  # type: ignore[arg-type]

    talked = others[0] if others and guest.get("successful") is not False else None
    extension = bare(identifier_at(talked, "remote_number")) if talked else ""
    begun, ended = _begun(row), _ended(row)
    taken = [step(CallKind.ANSWERED, written(text_at(talked, "start_time"), UTC) or begun, 1, extension=extension)] if talked else []
    end = {"extension": extension, "duration": whole_at(talked, "duration")} if talked else {}
    return [step(CallKind.RINGING, begun, 0), *taken, step(CallKind.ENDED, ended, micros(ended), **end)]
