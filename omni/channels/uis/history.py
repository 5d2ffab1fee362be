"""The calls of UIS's own report: get.calls_report of the Data API, JSON-RPC 2.0
(https://www.uiscom.ru/academiya/spravochnyj-centr/dokumentatsiya-api/data-api/report/get_calls_report/). Asked if its key is known.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from omni.channels.asking import ask, page
from omni.channels.contract import AccountConfig, CallStep, PollFault
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import JsonObject, identifier_at, object_at, objects_at, text_at
from omni.channels.telephony.account import region_of, zone_of
from omni.channels.telephony.history import MOST_PAGES, Period, Remembered, local, written
from omni.channels.telephony.items import whole_at
from omni.channels.telephony.numbers import e164
from omni.channels.uis.events import KINDS, OUTWARD

DEFAULT_BASE = "https://dataapi.uiscom.ru"
PATH, METHOD, ROWS = "/v2.0", "get.calls_report", 1000
TOKEN = "data_api_token"  # noqa: S105 - the secret's name
FIELDS = (
    "id",
    "start_time",
    "finish_time",
    "finish_reason",
    "direction",
    "is_lost",
    "virtual_phone_number",
    "contact_phone_number",
    "talk_duration",
    "wait_duration",
    "last_answered_employee_id",
)
REFUSED = frozenset({"access_token_expired", "access_token_blocked", "access_token_invalid", "auth_error", "ip_not_whitelisted"})


def remembered(account: AccountConfig, period: Period) -> Sequence[Remembered]:
    """The calls that began in the period; none without a key. Raises PollFault."""
    if not account.secrets.get(TOKEN):
        return ()
    zone = zone_of(account)
    found: list[JsonObject] = []
    for number in range(MOST_PAGES):
        rows = _rows(account, local(period.since, zone), local(period.until, zone), number * ROWS)
        found += rows
        if len(rows) < ROWS:
            break
    return [Remembered(identifier_at(row, "id"), row, _ended(row, account) or period.since) for row in found if identifier_at(row, "id")]


def _rows(account: AccountConfig, start: str, end: str, offset: int) -> Sequence[JsonObject]:
    params = {"date_from": start, "date_till": end, "offset": offset, "limit": ROWS, "fields": list(FIELDS)}
    call = {"jsonrpc": "2.0", "id": "calls", "method": METHOD, "params": {"access_token": account.secrets[TOKEN], **params}}
    client = client_for(account, connection_of(account, base=DEFAULT_BASE), name="data")
    body = page(lambda: ask(client, "POST", PATH, json=call))
    if "error" in body:
        error = object_at(body, "error")
        mnemonic = text_at(object_at(error, "data"), "mnemonic")
        said = {"text": text_at(error, "message") or mnemonic or "?"}
        raise PollFault(_("The exchange does not tell its calls: %(text)s") % said, refused=mnemonic in REFUSED)
    return objects_at(object_at(body, "result"), "data")


def _ended(row: JsonObject, account: AccountConfig) -> datetime | None:
    return written(text_at(row, "finish_time"), zone_of(account))


def steps_of(row: JsonObject, account: AccountConfig) -> Sequence[CallStep]:
    """The call's beginning, who took it, its end: numbered by their times, as its notices are."""
    call, region, zone = identifier_at(row, "id"), region_of(account), zone_of(account)
    ended = written(text_at(row, "finish_time"), zone)
    begun = written(text_at(row, "start_time"), zone) or ended
    if begun is None or ended is None:
        return ()
    inbound = text_at(row, "direction").strip().lower() not in OUTWARD
    guest, line = e164(identifier_at(row, "contact_phone_number"), region), e164(identifier_at(row, "virtual_phone_number"), region)
    talk, wait = whole_at(row, "talk_duration") or 0, whole_at(row, "wait_duration") or 0
    employee = identifier_at(row, "last_answered_employee_id")
    who = {"inbound": inbound, "caller": guest if inbound else line, "called": line if inbound else guest, "reconciled": True}

    def step(kind: str, at: datetime, leg: str = "", **more: object) -> CallStep:
        named, place = KINDS[kind]
        sequence = round(at.timestamp()) * 10 + place
        return CallStep(named, call, f"{call}:{leg}" if leg else call, sequence, at, **who, **more)  # type: ignore[arg-type]

    taken = [step("answered", begun + timedelta(seconds=wait), employee, extension=employee)] if talk and employee else []
    lost = row.get("is_lost") is True and not talk
    end = step("missed", ended, wait=wait) if lost else step("ended", ended, wait=wait, duration=talk, reason=text_at(row, "finish_reason"))
    return [step("inbound" if inbound else "outbound", begun), *taken, end]
