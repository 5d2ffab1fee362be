"""Asterisk: ARI (websocket and HTTP on one port) and AMI (TCP), one exchange behind both.

Commands: `guest` (see exchanges.py), `silent_hangup` ({}: all channels end and nobody is told, as while the connection was away),
`drop` ({}: the connections are cut).
"""

import base64
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as WsRequest
from websockets.http11 import Response as WsResponse
from websockets.sync.server import Server, ServerConnection, serve

from tests.providers.exchanges import EXTENSION, GUEST, LINE, OUTCOMES
from tests.providers.frame import Provider, Reply, Request, disconnect

USER, PASSWORD, APP = "otklik", "demo-asterisk-password", "otklik"
SOUND = b"RIFF\x00\x00\x00\x00WAVEdemo"
_channels = itertools.count(1)


class AsteriskServer(Provider):
    """One exchange. `ari_url`, `ami_port` tell where it listens once started; `linked=False` leaves the linkedid out of ARI's events."""

    name = "asterisk"

    def __init__(self, user: str = USER, password: str = PASSWORD, *, linked: bool = True, ari_port: int = 0, ami_port: int = 0) -> None:
        super().__init__()
        self.user, self.password, self.linked = user, password, linked
        self.channels: dict[str, dict[str, Any]] = {}
        self.sockets: set[ServerConnection] = set()
        self.lines: set[socket.socket] = set()
        self.lock = threading.RLock()
        self._ari: Server = serve(self._socket, "127.0.0.1", ari_port, process_request=self._http)
        self._ami = socket.create_server(("127.0.0.1", ami_port))
        self.ari_url = f"http://127.0.0.1:{self._ari.socket.getsockname()[1]}"
        self.ami_port = int(self._ami.getsockname()[1])
        self.commands |= {
            "guest": lambda what: self.guest(**what),
            "silent_hangup": lambda _: self.channels.clear(),
            "drop": lambda _: self.drop(),
        }

    def handle(self, request: Request) -> Reply | None:
        return None

    def start(self, base_url: str) -> None:
        threading.Thread(target=self._ari.serve_forever, daemon=True, name="ari").start()
        threading.Thread(target=self._accept, daemon=True, name="ami").start()

    def stop(self) -> None:
        self._ari.shutdown()
        self._ami.close()
        self.drop()

    def reset(self) -> None:
        super().reset()
        self.channels.clear()

    def drop(self) -> None:
        """Cut every connection."""
        with self.lock:
            found = [*(one.socket for one in self.sockets), *self.lines]
        for one in found:
            disconnect(one)

    @property
    def listeners(self) -> int:
        with self.lock:
            return len(self.sockets) + len(self.lines)

    # ARI.

    def _http(self, connection: ServerConnection, request: WsRequest) -> WsResponse | None:
        expected = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        path, _, query = request.path.partition("?")
        if request.headers.get("Authorization") != expected:
            return answered(HTTPStatus.UNAUTHORIZED, {"message": "Authentication required"})
        if path == "/ari/events":
            if f"app={APP}" not in query:
                self.violation(f"events without the application: {query}")
                return answered(HTTPStatus.BAD_REQUEST, {"message": "HTTP request is missing param: [app]"})
            return None
        if path == "/ari/channels":
            return answered(HTTPStatus.OK, list(self.channels.values()))
        if path == "/ari/recordings/stored/rec-1/file":
            return WsResponse(
                200, "OK", Headers({"Content-Type": "audio/wav", "Content-Length": str(len(SOUND)), "Connection": "close"}), SOUND
            )
        return answered(HTTPStatus.NOT_FOUND, {"message": "Resource not found"})

    def _socket(self, connection: ServerConnection) -> None:
        with self.lock:
            before = list(self.sockets)
            self.sockets.add(connection)
        for other in before:  # a second socket of one application ends the first
            other.close()
        try:
            for _frame in connection:
                self.violation("nothing is said to ARI by its socket")
        except ConnectionClosed:
            return
        finally:
            with self.lock:
                self.sockets.discard(connection)

    # AMI.

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._ami.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_line, args=(line,), daemon=True).start()

    def _serve_line(self, line: socket.socket) -> None:
        data = b""
        try:
            line.sendall(b"Asterisk Call Manager/9.0.0\r\n")
            while chunk := line.recv(4096):
                data += chunk
                while b"\r\n\r\n" in data:
                    block, _, data = data.partition(b"\r\n\r\n")
                    self._act(line, dict(part.split(": ", 1) for part in block.decode().split("\r\n") if ": " in part))
        except OSError:
            return
        finally:
            with self.lock:
                self.lines.discard(line)
            line.close()

    def _act(self, line: socket.socket, action: Mapping[str, str]) -> None:
        name, key = action.get("Action", ""), action.get("ActionID", "")
        if name == "Login":
            right = action.get("Username") == self.user and action.get("Secret") == self.password
            words = ("Success", "Authentication accepted") if right else ("Error", "Authentication failed")
            send(line, {"Response": words[0], "ActionID": key, "Message": words[1]})
            if right:
                with self.lock:
                    self.lines.add(line)
        elif line not in self.lines:
            self.violation(f"{name} before Login")
            send(line, {"Response": "Error", "ActionID": key, "Message": "Permission denied"})
        elif name == "Ping":
            send(line, {"Response": "Success", "ActionID": key, "Ping": "Pong"})
        elif name == "CoreShowChannels":
            send(line, {"Response": "Success", "ActionID": key, "EventList": "start"})
            for channel in list(self.channels.values()):
                send(line, {"Event": "CoreShowChannel", "ActionID": key, **ami_channel(channel), "Duration": "00:00:07"})
            send(line, {"Event": "CoreShowChannelsComplete", "ActionID": key, "EventList": "Complete"})
        else:
            self.violation(f"no action {name}")
            send(line, {"Response": "Error", "ActionID": key, "Message": "Invalid/unknown command"})

    # The play.

    def guest(
        self, id: str = GUEST, name: str = "", text: str = "answered", extension: str = EXTENSION, *, twice: bool = False, **_: Any
    ) -> str:
        """Play a call to its end; its key."""
        outcome = text if text in OUTCOMES else "answered"
        guest, desk = self.ring(id.lstrip("+"), name, extension)
        if outcome == "answered":
            self.answer(guest, desk)
        self.hang_up(desk)
        self.hang_up(guest)
        return str(guest["id"])

    def ring(self, number: str = GUEST, name: str = "", extension: str = EXTENSION) -> tuple[dict[str, Any], dict[str, Any]]:
        """A guest calls and an operator's telephone rings."""
        guest = self.channel(number, name, "", LINE, "PJSIP/trunk")
        self.tell({"type": "StasisStart", "channel": guest, "args": []}, "Newchannel", ami_channel(guest))
        desk = self.channel(extension, "", number, "", f"PJSIP/{extension}", linked=guest["id"])
        dial = {"type": "Dial", "caller": guest, "peer": desk, "dialstring": extension}
        self.tell({**dial, "dialstatus": ""}, "DialBegin", ami_dial(guest, desk))
        return guest, desk

    def answer(self, guest: dict[str, Any], desk: dict[str, Any]) -> None:
        desk["state"] = guest["state"] = "Up"
        self.tell({"type": "ChannelStateChange", "channel": desk})
        dial = {"type": "Dial", "caller": guest, "peer": desk, "dialstatus": "ANSWER"}
        self.tell(dial, "DialEnd", {**ami_dial(guest, desk), "DialStatus": "ANSWER"})
        self.tell({"type": "ChannelEnteredBridge", "channel": desk, "bridge": {"id": "b1", "channels": [guest["id"], desk["id"]]}})

    def hang_up(self, channel: dict[str, Any]) -> None:
        self.channels.pop(channel["id"], None)
        event = {"type": "ChannelDestroyed", "channel": channel, "cause": 16, "cause_txt": "Normal Clearing"}
        self.tell(event, "Hangup", {**ami_channel(channel), "Cause": "16", "Cause-txt": "Normal Clearing"})

    def channel(self, number: str, name: str, other: str, exten: str, device: str, linked: str = "") -> dict[str, Any]:
        key = f"{int(time.time())}.{next(_channels) + random.randrange(10**6) * 1000}"
        made = {
            "id": key,
            "name": f"{device}-{next(_channels):08x}",
            "state": "Ring",
            "caller": {"number": number, "name": name},
            "connected": {"number": other, "name": ""},
            "dialplan": {"context": "incoming", "exten": exten, "priority": 1},
            "creationtime": iso(),
            "linkedid": linked or key,
        }
        if self.linked:
            made["channelvars"] = {"CHANNEL(linkedid)": linked or key}
        self.channels[key] = made
        return made

    def tell(self, ari: Mapping[str, Any], kind: str = "", ami: Mapping[str, str] | None = None) -> None:
        """Tell whoever listens, by both interfaces."""
        event = {"application": APP, "timestamp": iso(), "asterisk_id": "aa:bb", **hidden(ari, linked=self.linked)}
        with self.lock:
            sockets, lines = list(self.sockets), list(self.lines)
        for connection in sockets:
            connection.send(json.dumps(event))
        for line in lines if kind and ami is not None else ():
            send(line, {"Event": kind, "Privilege": "call,all", "Timestamp": f"{time.time():.6f}", **(ami or {})})
        self.accepted.add({"kind": str(ari["type"]), "listeners": len(sockets) + len(lines)})


def hidden(event: Mapping[str, Any], *, linked: bool) -> dict[str, Any]:
    """ARI's channels have no linkedid of their own."""
    return {key: {k: v for k, v in value.items() if k != "linkedid"} if isinstance(value, dict) else value for key, value in event.items()}


def ami_channel(channel: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Channel": channel["name"],
        "ChannelStateDesc": channel["state"],
        "CallerIDNum": channel["caller"]["number"] or "<unknown>",
        "CallerIDName": channel["caller"]["name"] or "<unknown>",
        "ConnectedLineNum": channel["connected"]["number"] or "<unknown>",
        "Exten": channel["dialplan"]["exten"],
        "Uniqueid": channel["id"],
        "Linkedid": channel["linkedid"],
    }


def ami_dial(caller: Mapping[str, Any], peer: Mapping[str, Any]) -> dict[str, str]:
    return {
        **ami_channel(caller),
        **{f"Dest{key}": value for key, value in ami_channel(peer).items()},
        "DialString": peer["caller"]["number"],
    }


def send(line: socket.socket, fields: Mapping[str, str]) -> None:
    text = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    try:
        line.sendall(f"{text}\r\n".encode())
    except OSError:
        return  # the listener went away


def answered(status: HTTPStatus, value: Any) -> WsResponse:
    body = json.dumps(value).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    return WsResponse(status.value, status.phrase, headers, body)


def iso() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
