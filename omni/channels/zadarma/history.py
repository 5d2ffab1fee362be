"""The calls of Zadarma's own statistics: GET /v1/statistics/pbx/ (https://zadarma.com/en/support/api/, fields as the vendor's client
describes them: https://github.com/zadarma/user-api-v1, lib/Response/PbxStatistics.php). Several rows may be one call.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from omni.channels.asking import lacking, page
from omni.channels.contract import AccountConfig, CallKind, CallStep, PollFault
from omni.channels.json_fields import JsonObject, identifier_at, objects_at, text_at
from omni.channels.telephony.account import extension_digits, zone_of
from omni.channels.telephony.history import MOST_PAGES, Period, Remembered, local, written
from omni.channels.telephony.items import whole_at
from omni.channels.telephony.numbers import bare, e164, is_extension
from omni.channels.zadarma.api import ask
from omni.channels.zadarma.events import RANK, Reading

PATH, ROWS = "/v1/statistics/pbx/", 1000


def remembered(account: AccountConfig, period: Period) -> Sequence[Remembered]:
    """The calls that began in the period; none without a key. Raises PollFault."""
    if lacking(account, "api_key", "api_secret"):
        return ()
    zone = zone_of(account)
    calls: dict[str, list[JsonObject]] = {}
    for number in range(MOST_PAGES):
        rows = _rows(account, local(period.since, zone), local(period.until, zone), number * ROWS)
        for row in rows:
            calls.setdefault(identifier_at(row, "pbx_call_id"), []).append(row)
        if len(rows) < ROWS:
            break
    return [
        Remembered(key, {"rows": told}, max(_ended_at(row, account) or period.since for row in told)) for key, told in calls.items() if key
    ]


def _rows(account: AccountConfig, start: str, end: str, skip: int) -> Sequence[JsonObject]:
    params = {"start": start, "end": end, "version": "2", "skip": str(skip), "limit": str(ROWS)}
    body = page(lambda: ask(account, PATH, params))
    if text_at(body, "status") != "success":
        raise PollFault(text_at(body, "message") or "status is not success")
    return objects_at(body, "stats")


def _ended_at(row: JsonObject, account: AccountConfig) -> datetime | None:
    begun = written(text_at(row, "callstart"), zone_of(account))
    return begun + timedelta(seconds=whole_at(row, "seconds") or 0) if begun else None


def steps_of(told: JsonObject, reading: Reading, account: AccountConfig) -> Sequence[CallStep]:
    """The call's beginning and end, numbered as its notices are, so that a late notice repeats them."""
    rows = [row for row in objects_at(told, "rows") if identifier_at(row, "pbx_call_id")]
    if not rows:
        return ()
    call = identifier_at(rows[0], "pbx_call_id")
    begun = min((at for row in rows if (at := written(text_at(row, "callstart"), reading.zone))), default=reading.received_at)
    ended = max((at for row in rows if (at := _ended_at(row, account))), default=begun)
    caller, called, inbound = _parties(rows, reading, account)
    if not caller and not called:
        return ()
    talked = next((row for row in rows if _extension(row, inbound, account) and text_at(row, "disposition").strip() == "answered"), None)
    who = {"call_key": call, "leg_key": call, "inbound": inbound, "caller": caller, "called": called, "reconciled": True}
    extension = _extension(talked, inbound, account) if talked else ""
    end = CallStep(
        kind=CallKind.ENDED,
        sequence=RANK["NOTIFY_END"],
        at=ended,
        extension=extension,
        duration=whole_at(talked, "seconds") if talked else None,
        reason=text_at(talked or rows[-1], "disposition"),
        **who,  # type: ignore[arg-type]
    )
    return [CallStep(kind=CallKind.RINGING, sequence=RANK["NOTIFY_START"], at=begun, **who), end]  # type: ignore[arg-type]


def _parties(rows: Sequence[JsonObject], reading: Reading, account: AccountConfig) -> tuple[str, str, bool]:
    """Who calls, who is called, whether it is a guest who calls: one of our telephones in `sip` has made the call."""
    digits = extension_digits(account)
    made = next((row for row in rows if is_extension(identifier_at(row, "sip"), digits)), None)
    if made is not None:
        called = identifier_at(made, "destination")
        return "", "" if is_extension(called, digits) else e164(called, reading.region), False
    guest = next((identifier_at(row, "sip") for row in rows if identifier_at(row, "sip")), "")
    line = next((found for row in rows if not is_extension(found := identifier_at(row, "destination"), digits)), "")
    return e164(guest, reading.region), e164(line, reading.region), True


def _extension(row: JsonObject, inbound: bool, account: AccountConfig) -> str:
    found = bare(identifier_at(row, "destination" if inbound else "sip"))
    return found if is_extension(found, extension_digits(account)) else ""
