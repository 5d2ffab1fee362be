"""`python -m bench.crowd`: guests of all channels writing at an even rate over the real wires. Orders and answer are JSON lines.

Orders: {"product", "providers", "facts", "rate", "seconds", "prefix"}; the answer tells when each message was begun to be sent (this
machine's clock, seconds), by the mark in its text, and what was not taken. Open loop: a slow product is not waited for.
"""

import json
import random
import smtplib
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import make_msgid
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

# Of a hundred messages so many come through each channel.
SHARES: Mapping[str, int] = {
    "telegram": 20, "whatsapp": 15, "vk": 15, "webchat": 15, "mobile": 10, "viber": 5, "ok": 5, "max": 5,
    "facebook": 3, "email": 4, "ozon": 1, "wildberries": 1, "yandex_market": 1,
}  # fmt: skip
# Who is asked for news by us: the pause between two questions is part of the delay.
POLLED = frozenset({"email", "ozon", "wildberries", "yandex_market"})
GUESTS = 40
THREADS = 16


class Crowd:
    """Guests of each channel, who write in turn: nearly all of them go on with a talk that has begun."""

    def __init__(self, orders: Mapping[str, Any]) -> None:
        self.product, self.providers, self.facts = orders["product"], orders["providers"], orders["facts"]
        self.prefix = orders["prefix"]
        self.turns: dict[str, int] = {}
        self.kept: dict[tuple[str, int], Any] = {}
        self.lines = threading.local()
        self.said: dict[str, tuple[str, float]] = {}
        self.refused: list[str] = []

    def say(self, number: int, kind: str) -> None:
        mark = f"{self.prefix}-{number}"
        guest = number % GUESTS
        self.said[mark] = (kind, time.time())
        try:
            self._send(kind, guest, f"{mark} Здравствуйте, подскажите по заказу и чеку")
        except (OSError, HTTPException, smtplib.SMTPException, ValueError, KeyError) as fault:
            self.refused.append(f"{kind}: {fault!r}")

    def _send(self, kind: str, guest: int, text: str) -> None:
        if kind in {"webchat", "mobile"}:
            self._chat(kind, guest, text)
        elif kind == "telegram":
            order = {"chat_id": 600_000_000 + guest, "first_name": "Анна", "text": text}
            [delivery] = self._post(self.providers, "/_control/telegram/guest", order)["result"]
            if not delivery["delivered"]:
                raise ValueError(delivery)
        elif kind == "email":
            self._mail(guest, text)
        else:
            number = f"{'79' if kind == 'whatsapp' else ''}{600_000_000 + guest}"
            told = self._post(self.providers, "/phone/say", {"channel": kind, "id": number, "name": "Анна", "text": text})
            if not told["taken"]:
                raise ValueError(told)

    def _chat(self, kind: str, guest: int, text: str) -> None:
        # The chat's limits count by address, and a crowd has many: told as a proxy tells it.
        origin = {"X-Forwarded-For": f"198.51.100.{guest + 1}"} | ({"Origin": self.providers} if kind == "webchat" else {})
        token = self.kept.get((kind, guest))
        if token is None:
            begun = self._post(self.product, "/chat/sessions", self._begin(kind), origin)
            token = self.kept[kind, guest] = begun["session_token"]
        body = {"client_msg_id": str(uuid.uuid4()), "text": text, "prechat": {"name": "Анна"}}
        self._post(self.product, "/chat/messages", body, origin | {"Authorization": f"Bearer {token}"})

    def _begin(self, kind: str) -> dict[str, Any]:
        if kind == "webchat":
            return {"site_key": self.facts["site_key"], "device_id": uuid.uuid4().hex, "page_url": f"{self.providers}/shop/"}
        app = {"platform": "android", "version": "7.7", "system": "Android 15", "model": "bench"}
        return {"site_key": self.facts["channels"]["mobile"]["settings"]["site_key"], "device_id": uuid.uuid4().hex, "app": app}

    def _mail(self, guest: int, text: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = f"Анна <crowd-{guest}@guests.example>", self.facts["mail"]["address"]
        mail["Subject"], mail["Message-ID"] = "Вопрос", make_msgid(domain="guests.example")
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", int(self.facts["mail"]["smtp_port"]), timeout=20) as client:
            client.send_message(mail)

    def _post(self, origin: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        try:
            return self._asked(origin, path, body, headers)
        except ConnectionError:
            # The server closed the kept connection meanwhile. Only the chat knows a repeat by its id.
            if origin != self.product:
                raise
            return self._asked(origin, path, body, headers)

    def _asked(self, origin: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None) -> Any:
        line = self._line(origin)
        try:
            line.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
            answer = line.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            line.close()
            raise
        if answer.status >= 400:
            raise ValueError(f"{path} answered {answer.status}: {content[:120]!r}")
        return json.loads(content)

    def _line(self, origin: str) -> HTTPConnection:
        """A connection of this thread's own, kept open."""
        lines: dict[str, HTTPConnection] = self.lines.__dict__.setdefault("open", {})
        if origin not in lines:
            at = urlsplit(origin)
            lines[origin] = HTTPConnection(at.hostname or "", at.port, timeout=30)
        return lines[origin]


def run(orders: Mapping[str, Any]) -> dict[str, Any]:
    crowd = Crowd(orders)
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    random.Random(7).shuffle(kinds)  # the same order each time
    total = int(orders["rate"] * orders["seconds"])
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(total):
            pause = begun + number / orders["rate"] - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            pool.submit(crowd.say, number, kinds[number % len(kinds)])
    return {"said": crowd.said, "refused": crowd.refused, "seconds": time.monotonic() - begun}


def main() -> None:
    json.dump(run(json.loads(sys.stdin.readline())), sys.stdout)


if __name__ == "__main__":
    main()
