"""A processing over HTTP: JSON, a bearer token, the operation's id in the address (PUT, RFC 9110 9.2.2: a repeat is the same)."""

import os
import threading
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from loyalty.processing.contract import Answer, AnswerState, DayTotals, NoAnswer, Sent

CONNECT_SECONDS = 5.0
NOT_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
_clients: dict[tuple[str, str, float], httpx.Client] = {}
_lock = threading.Lock()
# A forked worker must not write into its parent's sockets.
os.register_at_fork(after_in_child=_clients.clear)


class HttpProcessor:
    """`address` without a slash at its end; `seconds` of silence are no answer.

    PUT  {address}/operations/{id}  {"card", "points", "made_at"} -> 200 or 201 confirmed, 202 pending, 409 known already (its first
                                    answer, or `different` when it was another one), 422 refused
    GET  {address}/operations/{id}  -> 200, 404
    GET  {address}/cards/{card}     -> 200 {"balance"}, 404
    GET  {address}/totals/{day}     -> 200 {"operations", "points"}
    """

    def __init__(self, address: str, token: str, *, seconds: float) -> None:
        self._client = _client(address.rstrip("/"), token, seconds)

    def book(self, sent: Sent) -> Answer:
        body = {"card": sent.card, "points": sent.points, "made_at": sent.made_at.isoformat()}
        response = self._ask("PUT", f"/operations/{sent.id}", body)
        if response.status_code == 422:
            return Answer(AnswerState.REFUSED, text=_text(response))
        if response.status_code == 409 and _json(response).get("code") == "different":
            return Answer(AnswerState.REFUSED, text=_text(response))
        if response.status_code in (200, 201, 202, 409):
            return _answer(response, sent.id)
        raise _unusable(response)

    def find(self, id: UUID) -> Answer | None:
        response = self._ask("GET", f"/operations/{id}")
        if response.status_code == 404:
            return None
        if response.status_code == 200:
            return _answer(response, id)
        raise _unusable(response)

    def balance(self, card: str) -> int | None:
        response = self._ask("GET", f"/cards/{quote(card, safe='')}")
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise _unusable(response)
        return _number(response, "balance")

    def totals(self, day: date) -> DayTotals:
        response = self._ask("GET", f"/totals/{day.isoformat()}")
        if response.status_code != 200:
            raise _unusable(response)
        return DayTotals(_number(response, "operations"), _number(response, "points"))

    def _ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body)
        except NOT_WRITTEN as fault:
            raise NoAnswer(type(fault).__name__, certain=True) from fault
        except httpx.HTTPError as fault:
            # Only the kind of the fault is told: texts of errors may quote addresses and keys.
            raise NoAnswer(type(fault).__name__, certain=False) from fault


def _client(address: str, token: str, seconds: float) -> httpx.Client:
    key = (address, token, seconds)
    with _lock:
        if key not in _clients:
            timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
            _clients[key] = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=timeout)
        return _clients[key]


def _answer(response: httpx.Response, id: UUID) -> Answer:
    """The operation in the body. An answer about another operation is none."""
    found = _json(response)
    if found.get("id") != str(id):
        raise NoAnswer("the answer is about another operation", certain=False)
    try:
        state = AnswerState(found.get("state", ""))
        return Answer(state, int(found.get("points", 0)), str(found.get("reference", "")), str(found.get("text", "")))
    except (ValueError, TypeError):
        raise NoAnswer("the answer cannot be read", certain=False) from None


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoAnswer(f"HTTP {response.status_code} without JSON", certain=False)
    return found


def _text(response: httpx.Response) -> str:
    return str(_json(response).get("text", ""))[:400] or f"HTTP {response.status_code}"


def _number(response: httpx.Response, name: str) -> int:
    value = _json(response).get(name)
    if not isinstance(value, int):
        raise NoAnswer(f"the answer has no number {name}", certain=False)
    return value


def _unusable(response: httpx.Response) -> NoAnswer:
    """401, 403, 429 and 503 are answered before anything is done; any other may have been done."""
    return NoAnswer(f"HTTP {response.status_code}", certain=response.status_code in (401, 403, 429, 503))
