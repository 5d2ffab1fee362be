"""ARI: events by a websocket, questions by HTTP, the same user for both (https://docs.asterisk.org/, "Asterisk REST Interface")."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import httpx
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from omni.channels.asterisk.ari_events import GONE, SEEN
from omni.channels.asterisk.faults import ExchangeFault
from omni.channels.contract import AccountConfig
from omni.channels.http import CONNECT_SECONDS, client_for, connection_of, json_of, unanswered
from omni.channels.json_fields import identifier_at

MOST_BYTES = 1024 * 1024
PING_SECONDS = 20.0
"""A connection whose other side is gone without a word is noticed after two of these."""


def credentials(account: AccountConfig) -> str:
    pair = f"{account.settings.get('user', '')}:{account.secrets.get('password', '')}"
    return "Basic " + base64.b64encode(pair.encode("utf-8", "replace")).decode()


def address_of(account: AccountConfig) -> str:
    """http(s)://host:port. Raises ExchangeFault."""
    part = account.settings.get("ari")
    address = str(part.get("address") or "") if isinstance(part, dict) else ""
    if not address.startswith(("http://", "https://")):
        raise ExchangeFault("The account names no address of ARI.")
    return address.rstrip("/")


def client_of(account: AccountConfig) -> httpx.Client:
    return client_for(account, connection_of(account, base=address_of(account), headers={"Authorization": credentials(account)}))


class AriWire:
    """One websocket of one application; a context manager. A second one of the same application would end the first."""

    def __init__(self, account: AccountConfig) -> None:
        self.account = account
        self._socket: ClientConnection | None = None

    def __enter__(self) -> Self:
        part = self.account.settings.get("ari")
        options = part if isinstance(part, dict) else {}
        query = {"app": options.get("app") or "otklik", "subscribeAll": "true" if options.get("all") else "false"}
        address = f"ws{address_of(self.account).removeprefix('http')}/ari/events?{urlencode(query)}"
        headers = {"Authorization": credentials(self.account)}
        try:
            self._socket = connect(
                address,
                additional_headers=headers,
                open_timeout=CONNECT_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                close_timeout=1,
                max_size=MOST_BYTES,
                proxy=None,
            )
        except InvalidStatus as fault:
            raise ExchangeFault(f"ARI refuses us: HTTP {fault.response.status_code}.") from fault
        except (WebSocketException, OSError, ValueError) as fault:
            raise ExchangeFault(f"ARI cannot be reached: {type(fault).__name__}.") from fault
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self._socket is not None:
            self._socket.close()

    def next(self, seconds: float) -> bytes | None:
        if self._socket is None:
            raise ExchangeFault("ARI is not connected.")
        try:
            told = self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as fault:
            raise ExchangeFault(f"ARI has hung up: {type(fault).__name__}.") from fault
        return told.encode("utf-8", "replace") if isinstance(told, str) else told

    def seen(self) -> Mapping[str, bytes]:
        try:
            response = client_of(self.account).get("/ari/channels")
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise ExchangeFault(f"ARI does not answer: {unanswered(fault).text}.") from fault
        found = json_of(response)
        if response.status_code != 200 or not isinstance(found, list):
            raise ExchangeFault(f"ARI does not list its channels: HTTP {response.status_code}.")
        channels = [one for one in found if isinstance(one, dict) and identifier_at(one, "id")]
        return {identifier_at(one, "id"): json.dumps({"type": SEEN, "channel": one}).encode() for one in channels}

    def gone(self, leg: str, call: str, at: datetime) -> bytes:
        return json.dumps({"type": GONE, "timestamp": at.isoformat(), "channel": {"id": leg}, "call": call}).encode()
