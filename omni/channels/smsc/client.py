"""Calls of the SMSC.ru API: forms in, JSON out (https://smsc.ru/api/http/). Keys go in the body, never in the address."""

from collections.abc import Mapping

from omni.channels.asking import Answer, ask, lacking
from omni.channels.contract import AccountConfig, Failed, PollFault, Reason
from omni.channels.http import client_for, connection_of
from omni.channels.json_fields import integer_at, text_at

BASE = "https://smsc.ru"


def keys_of(account: AccountConfig) -> dict[str, str]:
    """The fields that say who we are: the API's key, else login and password; empty when neither is there."""
    if not lacking(account, "api_key"):
        return {"apikey": account.secrets["api_key"]}
    login, password = str(account.settings.get("login") or "").strip(), account.secrets.get("password", "")
    return {"login": login, "psw": password} if login and password else {}


def keyless(account: AccountConfig) -> Failed | None:
    """The refusal of a send without keys, else None."""
    return None if keys_of(account) else Failed("key_missing", "neither a key nor login and password", Reason.ACCOUNT_REFUSED)


def call(account: AccountConfig, script: str, fields: Mapping[str, str]) -> Answer:
    """One call, e.g. `send`; `charset` is said because the default is windows-1251. Raises httpx.HTTPError, httpx.InvalidURL."""
    client = client_for(account, connection_of(account, base=BASE))
    return ask(client, "POST", f"/sys/{script}.php", data={**keys_of(account), "fmt": "3", "charset": "utf-8", **fields})


def code_of(answer: Answer) -> int | None:
    """The vendor's error code; None for an answer without one."""
    return integer_at(answer.object, "error_code")


def refused(answer: Answer) -> PollFault | None:
    """The fault of a question whose answer is an error."""
    if answer.accepted and isinstance(answer.body, dict) and code_of(answer) is None:
        return None
    text = text_at(answer.object, "error") or answer.said
    return PollFault(f"SMSC: {text}"[:200], after=60.0 if code_of(answer) in (4, 9) else answer.after, refused=code_of(answer) == 2)
