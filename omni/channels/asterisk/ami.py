"""AMI: lines over TCP (https://docs.asterisk.org/, "The Asterisk Manager TCP IP API").

Own code: the kept libraries for AMI own an event loop and hand out parsed messages, while the journal wants each event as it came.
"""

import socket
import ssl
import time
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from omni.channels.asterisk.ami_events import GONE, fields_of
from omni.channels.asterisk.faults import ExchangeFault
from omni.channels.contract import AccountConfig
from omni.channels.http import CONNECT_SECONDS

PORT = 5038
ANSWER_SECONDS = 10.0
PING_SECONDS = 20.0
"""So long a silence is broken by a Ping; one that is not answered ends the connection."""
MOST_BYTES = 1024 * 1024
EVENTS = "call,agent,dtmf"
"""Classes of events: without those of the dialplan and of RTP, which say nothing about a call and are a hundred times as many."""
_END = b"\r\n\r\n"


class AmiWire:
    """One signed-in connection; a context manager."""

    def __init__(self, account: AccountConfig) -> None:
        self.account = account
        self._socket: socket.socket | None = None
        self._data = bytearray()
        self._events: deque[bytes] = deque()
        self._heard = 0.0
        self._pinged = False

    def __enter__(self) -> Self:
        self._socket = self._connected()
        try:
            self._greeting()
            self._ask("Login", Username=self._user, Secret=self.account.secrets.get("password", ""), Events=EVENTS)
        except ExchangeFault:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    @property
    def _user(self) -> str:
        return str(self.account.settings.get("user") or "")

    def _connected(self) -> socket.socket:
        part = self.account.settings.get("ami")
        options = part if isinstance(part, dict) else {}
        host, port = str(options.get("host") or ""), int(options.get("port") or PORT)
        try:
            plain = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
            if not options.get("tls"):
                return plain
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError, OverflowError) as fault:
            raise ExchangeFault(f"AMI cannot be reached: {type(fault).__name__}.") from fault

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _greeting(self) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while b"\r\n" not in self._data:
            self._read(deadline)
        line, _, rest = bytes(self._data).partition(b"\r\n")
        if not line.startswith(b"Asterisk Call Manager"):
            raise ExchangeFault("At this address there is no AMI.")
        self._data = bytearray(rest)

    def next(self, seconds: float) -> bytes | None:
        deadline = time.monotonic() + seconds
        while True:
            if self._events:
                return self._events.popleft()
            block = self._block(deadline)
            if block is None:
                self._stay_alive()
                return None
            self._sort(block)

    def _sort(self, block: bytes) -> dict[str, str]:
        """Events wait for `next`; answers are for who asked."""
        fields = fields_of(block)
        if "Event" in fields and "ActionID" not in fields:
            self._events.append(block)
        return fields

    def _stay_alive(self) -> None:
        silent = time.monotonic() - self._heard
        if silent > PING_SECONDS and not self._pinged:
            self._write("Ping")
            self._pinged = True
        elif silent > PING_SECONDS * 2:
            raise ExchangeFault("AMI has fallen silent.")

    def seen(self) -> Mapping[str, bytes]:
        """CoreShowChannels: an event for each channel, then one that ends the list."""
        action = self._write("CoreShowChannels")
        found: dict[str, bytes] = {}
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            block = self._block(deadline)
            if block is None:
                raise ExchangeFault("AMI does not list its channels.")
            fields = self._sort(block)
            if fields.get("ActionID") != action:
                continue
            if fields.get("Response", "Success") != "Success":
                raise ExchangeFault("AMI does not let us list its channels.")
            if fields.get("Event") == "CoreShowChannelsComplete":
                return found
            if fields.get("Event") == "CoreShowChannel" and fields.get("Uniqueid"):
                found[fields["Uniqueid"]] = _without_action(block)

    def gone(self, leg: str, call: str, at: datetime) -> bytes:
        return f"Event: {GONE}\r\nTimestamp: {at.timestamp():.6f}\r\nUniqueid: {leg}\r\nLinkedid: {call}".encode()

    def _ask(self, name: str, **fields: str) -> None:
        """An action that is answered by one Response. Raises ExchangeFault with the exchange's words."""
        action = self._write(name, **fields)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            block = self._block(deadline)
            if block is None:
                raise ExchangeFault(f"AMI does not answer {name}.")
            answer = self._sort(block)
            if answer.get("ActionID") == action and "Response" in answer:
                if answer["Response"] != "Success":
                    raise ExchangeFault(f"AMI refuses {name}: {answer.get('Message', '')[:200]}")
                return

    def _write(self, name: str, **fields: str) -> str:
        action = uuid.uuid4().hex
        lines = {"Action": name, "ActionID": action, **fields}
        # A value with a line end would be another field.
        text = "".join(f"{key}: {' '.join(value.split())}\r\n" for key, value in lines.items())
        try:
            self._open_socket().sendall((text + "\r\n").encode("utf-8", "replace"))
        except OSError as fault:
            raise ExchangeFault(f"AMI has hung up: {type(fault).__name__}.") from fault
        return action

    def _block(self, deadline: float) -> bytes | None:
        """The next block of lines; None when none is complete in time."""
        while _END not in self._data:
            if not self._read(deadline):
                return None
        block, _, rest = bytes(self._data).partition(_END)
        self._data = bytearray(rest)
        return block

    def _read(self, deadline: float) -> bool:
        """Some bytes more; False when time is up."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        found = self._open_socket()
        found.settimeout(left)
        try:
            data = found.recv(64 * 1024)
        except TimeoutError:
            return False
        except OSError as fault:
            raise ExchangeFault(f"AMI has hung up: {type(fault).__name__}.") from fault
        if not data:
            raise ExchangeFault("AMI has hung up.")
        self._data += data
        if len(self._data) > MOST_BYTES:
            raise ExchangeFault("AMI sends a block without an end.")
        self._heard, self._pinged = time.monotonic(), False
        return True

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise ExchangeFault("AMI is not connected.")
        return self._socket


def _without_action(block: bytes) -> bytes:
    """The same channel looks the same at each look."""
    return b"\r\n".join(line for line in block.split(b"\r\n") if not line.lower().startswith(b"actionid:"))
