"""Commands to Mango's exchange: a call back, a recording, who works there. A wrong one may shut us out for minutes; 10 a second at most."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.asking import Answer, Rule, verdict
from omni.channels.contract import AccountConfig, AttachmentGone, Failed, Finding, Reason, Retry, Sent
from omni.channels.http import capped, client_for, connection_of, download, json_of, own_host, pause_of, unanswered
from omni.channels.json_fields import JsonObject, object_at, objects_at, text_at
from omni.channels.mango.signing import signature
from omni.channels.telephony.items import whole_at

DEFAULT_BASE = "https://app.mango-office.ru/vpbx"
RULES = (Rule(401, "", "key_refused", Reason.ACCOUNT_REFUSED), Rule(403, "", "key_refused", Reason.ACCOUNT_REFUSED))
OK = 1000


def client_of(account: AccountConfig) -> httpx.Client:
    return client_for(account, connection_of(account, base=DEFAULT_BASE))


def signed(account: AccountConfig, command: Mapping[str, Any]) -> dict[str, str]:
    """The form of a command."""
    key, text = account.secrets.get("vpbx_api_key", ""), json.dumps(command, ensure_ascii=False)
    return {"vpbx_api_key": key, "sign": signature(key, text, account.secrets.get("vpbx_api_salt", "")), "json": text}


def call_back(account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
    """Ring the employee, then the number (commands/callback)."""
    command: dict[str, Any] = {"command_id": key, "from": {"extension": extension}, "to_number": number.lstrip("+")}
    if line := str(account.settings.get("line_number") or "").lstrip("+"):
        command["line_number"] = line
    return perform(account, "callback", command, key)


def perform(account: AccountConfig, name: str, command: Mapping[str, Any], key: str) -> Sent | Retry | Failed:
    """POST commands/<name>; `key` is the command's id, which a success is told by."""
    try:
        response = client_of(account).post(f"/commands/{name}", data=signed(account, command))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    answer = Answer(response.status_code, json_of(response), pause_of(response))
    return outcome(answer, key) if answer.accepted else verdict(answer, RULES)


def outcome(answer: Answer, key: str) -> Sent | Retry | Failed:
    """The meaning of the `result` in an answer (API of the virtual exchange, "Result codes")."""
    result = whole_at(answer.object, "result")
    if result is None:
        return Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=True)
    if result == OK:
        return Sent((key,))
    said, group = text_at(answer.object, "message") or f"result {result}", result // 100
    if group == 42:
        return Retry("unreachable", said)
    if 20 <= group < 30:
        return Failed("not_paid", said, Reason.ACCOUNT_REFUSED)
    if group == 32:
        return Failed("wrong_number", said, Reason.CONTACT_GONE)
    return Retry("out_of_order", said) if group == 50 else Failed(f"result_{result}", said)


def recording(account: AccountConfig, name: str, *, limit: int) -> bytes:
    """The sound of a recording (queries/recording/post): the exchange leads to an address that works once.

    Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError.
    """
    client = client_of(account)
    command = signed(account, {"recording_id": name, "action": "download"})
    with client.stream("POST", "/queries/recording/post", data=command, headers={"Accept-Encoding": "gzip"}) as response:
        if response.status_code == 200:
            return capped(response, limit)
        if response.status_code in (400, 404, 410):
            raise AttachmentGone(f"HTTP {response.status_code} for a recording")
        if not response.has_redirect_location:
            raise httpx.TransportError(f"HTTP {response.status_code} for a recording")
        address = str(response.url.join(response.headers["location"]))
    return download(client, address, limit=limit, allow=own_host(str(client.base_url)))


def findings(account: AccountConfig) -> Sequence[Finding]:
    """Who works in the exchange (config/users/request): shows that key and salt are right."""
    try:
        response = client_of(account).post("/config/users/request", data=signed(account, {}))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [Finding(False, _("The exchange does not answer: %(fault)s") % {"fault": unanswered(error).text})]
    body: Any = json_of(response)
    if response.status_code != 200 or not isinstance(body, dict) or "users" not in body:
        return [Finding(False, _("The exchange refuses us: HTTP %(status)d") % {"status": response.status_code})]
    return [Finding(True, _("The exchange answers; extensions: %(list)s") % {"list": extensions(body)})]


def extensions(body: JsonObject) -> str:
    found = [text_at(object_at(user, "telephony"), "extension") for user in objects_at(body, "users")]
    return ", ".join(sorted(one for one in found if one)[:50]) or "–"
