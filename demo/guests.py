"""Guests of the demo over the real wire: the chat by its API, mail by SMTP, all others by their provider servers. No database."""

import secrets
import smtplib
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Protocol

import httpx

STEP_SECONDS = 5.0


class Unreachable(Exception):
    """The product or its outside world does not answer as it should; the text is a sentence for the person who asked."""


@dataclass(frozen=True)
class Outside:
    """Where to write: addresses without a slash at the end, and what the demo's file tells besides."""

    product: str
    providers: str
    facts: Mapping[str, Any]


class Guest(Protocol):
    """A guest in one channel. `kept` is what lets the same guest go on later: plain JSON."""

    kept: dict[str, Any]
    hears: bool
    """Whether the channel brings answers back."""

    def say(self, text: str, *, name: str) -> None:
        """Write to the product. Raises Unreachable."""

    def answers(self, seconds: float) -> Iterator[str]:
        """What operators answer from now on, as it comes, for at most so long. Raises Unreachable."""


class TelegramGuest:
    """Writes and reads through the control plane of the Bot API server."""

    hears = True

    def __init__(self, outside: Outside, kept: dict[str, Any]) -> None:
        self._control = f"{outside.providers}/_control/telegram"
        self.kept = {"chat_id": 500_000_000 + secrets.randbelow(400_000_000), **kept}
        self._seen = 0

    def say(self, text: str, *, name: str) -> None:
        self._seen = _last(_get(f"{self._control}/accepted", after=0))
        told = _post(f"{self._control}/guest", {"chat_id": self.kept["chat_id"], "first_name": name, "text": text})
        [delivery] = told["result"]
        if not delivery["delivered"]:
            raise Unreachable(f"The product did not take the update: its webhook answered {delivery['statuses'] or 'nothing'}.")

    def answers(self, seconds: float) -> Iterator[str]:
        for entry in _journal(f"{self._control}/accepted", self._seen, seconds):
            if entry["chat_id"] == self.kept["chat_id"]:
                yield _with_files(entry["text"], [file["name"] for file in entry["files"]])


class ChatGuest:
    """A visitor of the site's chat, by the API that the widget uses."""

    hears = True

    def __init__(self, outside: Outside, kept: dict[str, Any]) -> None:
        self._chat, self._site_key = f"{outside.product}/chat", str(outside.facts.get("site_key", ""))
        self._place: dict[str, Any] = {"page_url": f"{outside.providers}/shop/"}
        self._origin = {"Origin": outside.providers}
        self.kept = {"device_id": secrets.token_urlsafe(24), **kept}
        self._seen = 0

    def say(self, text: str, *, name: str) -> None:
        begun = self._post("sessions", {"site_key": self._site_key, "device_id": self.kept["device_id"], **self._place})
        self.kept["token"] = begun["session_token"]
        posted = self._post("messages", {"client_msg_id": str(uuid.uuid4()), "text": text, "prechat": {"name": name}})
        self._seen = max([posted["seq"] or 0, *[message["seq"] for message in begun["messages"]]])

    def answers(self, seconds: float) -> Iterator[str]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            news = _answer("GET", f"{self._chat}/messages", params={"after": self._seen}, headers=self._headers())
            for message in news["messages"]:
                self._seen = max(self._seen, message["seq"])
                if message["from"] != "guest":
                    yield _with_files(message["text"], [file["name"] for file in message["attachments"]])
            time.sleep(1)

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return _post(f"{self._chat}/{path}", body, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        token = self.kept.get("token")
        return self._origin | ({"Authorization": f"Bearer {token}"} if token else {})


class AppGuest(ChatGuest):
    """A customer with our mobile app: the same API, without a page."""

    def __init__(self, outside: Outside, kept: dict[str, Any]) -> None:
        super().__init__(outside, kept)
        account = outside.facts.get("channels", {}).get("mobile", {})
        self._site_key, self._origin = str(account.get("settings", {}).get("site_key", "")), {}
        self._place = {"app": {"platform": "android", "version": "7.7", "system": "Android 15", "model": "demo"}}


class MailGuest:
    """Sends mails by SMTP to the product's mailbox and reads what the mail server takes for the guest."""

    hears = True

    def __init__(self, outside: Outside, kept: dict[str, Any]) -> None:
        self._mail: Mapping[str, Any] = outside.facts.get("mail") or {}
        self._control = f"{outside.providers}/_control/mail"
        self.kept = {"address": f"guest-{secrets.token_hex(4)}@guests.example", "answered": "", "reply_to": "", "subject": "", **kept}
        self._seen = 0

    def say(self, text: str, *, name: str) -> None:
        self._seen = _last(_get(f"{self._control}/accepted", after=0))
        mail = self._composed(text, name)
        try:
            with smtplib.SMTP("127.0.0.1", int(self._mail["smtp_port"]), timeout=10) as client:
                client.send_message(mail)
        except (OSError, smtplib.SMTPException, KeyError) as fault:
            raise Unreachable(f"The demo's mail server does not take the mail: {fault}. Does `manage.py up` run?") from fault

    def _composed(self, text: str, name: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = f"{name} <{self.kept['address']}>"
        mail["To"] = self.kept["reply_to"] or str(self._mail.get("address", ""))
        mail["Subject"] = f"Re: {self.kept['subject']}" if self.kept["answered"] else text.split("\n")[0][:60]
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain="guests.example")
        if self.kept["answered"]:
            mail["In-Reply-To"] = mail["References"] = self.kept["answered"]
        mail.set_content(text)
        return mail

    def answers(self, seconds: float) -> Iterator[str]:
        for entry in _journal(f"{self._control}/accepted", self._seen, seconds):
            if entry["to"] == self.kept["address"]:
                self.kept |= {
                    "answered": entry["message_id"],
                    "reply_to": entry["reply_to"],
                    "subject": entry["subject"].removeprefix("Re: "),
                }
                yield _with_files(entry["text"], entry["files"])


class PlayedGuest:
    """A guest of any other channel, in the one form that the provider servers have for all of them."""

    def __init__(self, outside: Outside, kept: dict[str, Any], *, channel: str) -> None:
        self._phone, self._channel = f"{outside.providers}/phone", channel
        self.kept = {"id": "", **kept}
        self.hears = True
        self._seen = 0

    def say(self, text: str, *, name: str) -> None:
        self.kept["id"] = self.kept["id"] or self._new_id()
        told = _post(f"{self._phone}/say", {"channel": self._channel, "id": self.kept["id"], "name": name, "text": text})
        if not told["taken"]:
            raise Unreachable(f"The product did not take the event: it answered {told['statuses'] or 'nothing'}.")
        self.hears, self._seen = told["answers"], told["seen"]

    def _new_id(self) -> str:
        found = next((one for one in _get(f"{self._phone}/channels") if one["kind"] == self._channel), None)
        if found is None or not found["writes"]:
            raise Unreachable(f"Nobody can write through {self._channel} here.")
        return f"{'79' if found['phone'] else ''}{500_000_000 + secrets.randbelow(400_000_000)}"

    def answers(self, seconds: float) -> Iterator[str]:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            wait = {"after": self._seen, "wait": min(left, STEP_SECONDS)}
            talk = _get(f"{self._phone}/talk", channel=self._channel, id=self.kept["id"], **wait)
            for message in talk["messages"]:
                if not message["own"] and message["n"] > self._seen:
                    yield _with_files(message["text"], message["files"])
            self._seen = talk["seen"]


OWN: Mapping[str, type[TelegramGuest] | type[ChatGuest] | type[MailGuest]] = {
    "telegram": TelegramGuest,
    "webchat": ChatGuest,
    "email": MailGuest,
    "mobile": AppGuest,
}


def guest_of(channel: str, outside: Outside, kept: dict[str, Any]) -> Guest:
    """A guest in a channel, by the channel's kind; `kept` as an earlier one left it."""
    return OWN[channel](outside, kept) if channel in OWN else PlayedGuest(outside, kept, channel=channel)


def _with_files(text: str, files: list[str]) -> str:
    return "\n".join([text, *[f"[{name}]" for name in files]]).strip()


def _last(entries: Any) -> int:
    return int(entries[-1]["n"]) if entries else 0


def _journal(url: str, after: int, seconds: float) -> Iterator[Any]:
    """Entries of a provider's journal behind number `after`, as they come, for at most so long."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        for entry in _get(url, after=after, wait=min(left, STEP_SECONDS)):
            after = int(entry["n"])
            yield entry


def _get(url: str, **params: Any) -> Any:
    return _answer("GET", url, params=params)


def _post(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
    return _answer("POST", url, json=dict(body), headers=dict(headers or {}))


def _answer(method: str, url: str, **request: Any) -> Any:
    """The JSON of an answer. Raises Unreachable with what the other side said."""
    try:
        # A proxy set for the user's browser is not for the loopback.
        with httpx.Client(timeout=30, trust_env=False) as client:
            response = client.request(method, url, **request)
    except httpx.HTTPError as fault:
        host = httpx.URL(url)
        raise Unreachable(
            f"Nothing answers at {host.host}:{host.port} ({type(fault).__name__}). Start the product with `manage.py up`."
        ) from fault
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.is_error:
        said = body.get("message") or body.get("error") if isinstance(body, dict) else ""
        raise Unreachable(f"{httpx.URL(url).path} answered {response.status_code}: {said or response.text[:200]}")
    return body
