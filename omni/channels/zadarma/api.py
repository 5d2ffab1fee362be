"""Calls of Zadarma's API: a call back, a recording, the balance as a sign of life."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import httpx
from django.utils.translation import gettext as _

from omni.channels.asking import Answer, Rule, verdict
from omni.channels.contract import AccountConfig, AttachmentGone, Failed, Finding, Reason, Retry, Sent
from omni.channels.http import client_for, connection_of, download, json_of, own_host, pause_of, unanswered
from omni.channels.json_fields import identifier_at, text_at
from omni.channels.zadarma.signing import authorization

DEFAULT_BASE = "https://api.zadarma.com"
RULES = (
    Rule(401, "", "key_refused", Reason.ACCOUNT_REFUSED),
    Rule(403, "", "key_refused", Reason.ACCOUNT_REFUSED),
    Rule(402, "", "not_paid", Reason.ACCOUNT_REFUSED),
    Rule(400, "number", "wrong_number", Reason.CONTACT_GONE),
)


def client_of(account: AccountConfig) -> httpx.Client:
    return client_for(account, connection_of(account, base=DEFAULT_BASE))


def ask(account: AccountConfig, path: str, params: Mapping[str, str]) -> Answer:
    """One signed question. Raises httpx.HTTPError, httpx.InvalidURL."""
    signed = authorization(path, params, account.secrets.get("api_key", ""), account.secrets.get("api_secret", ""))
    query = urlencode(sorted(params.items()))
    response = client_of(account).get(f"{path}?{query}" if query else path, headers={"Authorization": signed})
    return Answer(response.status_code, json_of(response), pause_of(response))


def call_back(account: AccountConfig, *, extension: str, number: str, key: str) -> Sent | Retry | Failed:
    """Ring the telephone, then the number (/v1/request/callback/). The API takes no key of ours: two orders are two calls."""
    try:
        answer = ask(account, "/v1/request/callback/", {"from": extension, "to": number.lstrip("+")})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unanswered(error)
    if not answer.accepted:
        return verdict(answer, RULES)
    if text_at(answer.object, "status") == "success":
        return Sent((identifier_at(answer.object, "time") or key,))
    if answer.body is None:
        return Retry("garbled_answer", "accepted, but the answer cannot be read", unknown=True)
    return Failed("refused", answer.said)


def recording(account: AccountConfig, name: str, *, limit: int) -> bytes:
    """The sound of a recording; the exchange has it from 40 s after its notice on (/v1/pbx/record/request/).

    Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError.
    """
    answer = ask(account, "/v1/pbx/record/request/", {"call_id": name, "lifetime": "180"})
    if answer.status in (400, 404, 410):
        raise AttachmentGone("the exchange has no such recording")
    links = answer.object.get("links")
    address = text_at(answer.object, "link") or (links[0] if isinstance(links, list) and links and isinstance(links[0], str) else "")
    if not answer.accepted or not address:
        raise httpx.TransportError(f"HTTP {answer.status} without a recording's address")
    client = client_of(account)
    return download(client, address, limit=limit, allow=own_host(str(client.base_url)))


def findings(account: AccountConfig) -> Sequence[Finding]:
    """The account's balance: shows that key and secret are right (/v1/info/balance/)."""
    try:
        answer = ask(account, "/v1/info/balance/", {})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return [Finding(False, _("The exchange does not answer: %(fault)s") % {"fault": unanswered(error).text})]
    if text_at(answer.object, "status") != "success":
        return [Finding(False, _("The exchange refuses us: HTTP %(status)d") % {"status": answer.status})]
    money = {
        "balance": identifier_at(answer.object, "balance") or answer.object.get("balance", "?"),
        "currency": text_at(answer.object, "currency"),
    }
    return [Finding(True, _("The exchange answers; balance: %(balance)s %(currency)s") % money)]
