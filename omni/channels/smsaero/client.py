"""Calls of the SMS Aero API v2: JSON both ways; e-mail and key go in the header of RFC 7617, never in the address."""

import base64
from collections.abc import Mapping
from typing import Any

from omni.channels.asking import Answer, ask, lacking
from omni.channels.contract import AccountConfig, Failed, Reason
from omni.channels.http import client_for, connection_of

BASE = "https://gate.smsaero.ru"


def keyless(account: AccountConfig) -> Failed | None:
    """The refusal of a send without keys, else None."""
    if "@" in str(account.settings.get("email") or "") and not lacking(account, "api_key"):
        return None
    return Failed("key_missing", "the e-mail or the key is missing", Reason.ACCOUNT_REFUSED)


def call(account: AccountConfig, method: str, fields: Mapping[str, Any]) -> Answer:
    """One call, e.g. `sms/send`. Raises httpx.HTTPError, httpx.InvalidURL."""
    pair = f"{str(account.settings.get('email') or '').strip()}:{account.secrets.get('api_key', '')}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    client = client_for(account, connection_of(account, base=BASE))
    return ask(client, "POST", f"/v2/{method}", json=dict(fields), headers=headers)


def is_success(answer: Answer) -> bool:
    return answer.accepted and answer.object.get("success") is True
