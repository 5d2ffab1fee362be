"""The mail world of the demo: SMTP that takes mails for our product's mailbox and for guests, IMAP over the same mails, a page.

Tests of the channel use a real Dovecot; this stands in for a mail provider where `manage.py up` runs without one.
Command of the control plane besides the shared ones: `send` ({"from", "name"?, "subject"?, "text", "in_reply_to"?}) mails the product
over SMTP and answers with the Message-ID. `accepted` lists what guests received: to, from, subject, text, message_id, in_reply_to.
"""

import argparse
import hmac
import smtplib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime, make_msgid
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.providers import mail_imap
from tests.providers.frame import Provider, Reply, Request, json_reply
from tests.providers.mail_store import Store, owner
from tests.providers.web import OWN_POLICY, page

HOST = "127.0.0.1"
ADDRESS = "otklik@lukoshko.example"
PASSWORD = "demo-mailbox-password"
GUEST_PASSWORD = "guest"
LIMIT = 40 * 1024 * 1024


class MailServers(Provider):
    """`address` and `password` are the product's mailbox; every guest's mailbox opens with the password "guest". Port 0 = a free one."""

    name = "mail"

    def __init__(self, address: str = ADDRESS, password: str = PASSWORD, smtp_port: int = 0, imap_port: int = 0) -> None:
        super().__init__()
        self.address, self.password = address, password
        self.smtp_port, self.imap_port = smtp_port, imap_port
        self.store = Store()
        self.commands["send"] = lambda what: self.send(**what)
        self._smtp: Controller | None = None
        self._imap: Any = None

    def start(self, base_url: str) -> None:
        """Raises OSError when a port is in use."""
        self._imap = mail_imap.listen(self.store, self.accepts, self.imap_port)
        self.imap_port = self._imap.getHost().port
        self._smtp = _Controller(Receiver(self), HOST, self.smtp_port)
        self._smtp.start()
        self.smtp_port = self._smtp.port

    def stop(self) -> None:
        if self._smtp:
            self._smtp.stop()
        if self._imap:
            mail_imap.stop(self._imap)

    def reset(self) -> None:
        super().reset()
        self.store.clear()

    def accepts(self, user: str, password: str) -> bool:
        expected = self.password if owner(user) == owner(self.address) else GUEST_PASSWORD
        return hmac.compare_digest(password.encode(), expected.encode())

    def handle(self, request: Request) -> Reply | None:
        if request.method != "GET" or not request.path.startswith("/mail/"):
            return None
        if request.path == "/mail/":
            return page("mail.html", OWN_POLICY, product=self.address)
        if request.path == "/mail/box":
            return json_reply({"mails": [shown(mail.raw) for mail in self.store.mails(request.query.get("address", ""))]})
        return None

    def received(self, address: str, raw: bytes) -> None:
        """A mail for one recipient has come by SMTP."""
        self.store.deliver(address, raw)
        if owner(address) != owner(self.address):
            self.accepted.add({"to": address, **shown(raw)})

    def send(self, text: str, subject: str = "", name: str = "", in_reply_to: str = "", to: str = "", **sender: str) -> str:
        """A guest (`from`) writes to the product, over SMTP. Answers with the Message-ID."""
        mail = EmailMessage(policy=default)
        mail["From"] = f"{name} <{sender['from']}>" if name else sender["from"]
        mail["To"] = to or self.address
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain=sender["from"].rpartition("@")[2])
        if in_reply_to:
            mail["In-Reply-To"] = mail["References"] = in_reply_to
        mail.set_content(text)
        with smtplib.SMTP(HOST, self.smtp_port, timeout=10) as client:
            client.send_message(mail)
        return str(mail["Message-ID"])


class Receiver:
    """What aiosmtpd calls: any recipient is taken, as far as the mail is not over the limit."""

    def __init__(self, servers: MailServers) -> None:
        self.servers = servers

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        fault = self.servers.faults.take("DATA")
        if fault is not None:
            return "451 4.7.1 Greylisted, please try again later" if fault.kind == "throttled" else "550 5.1.1 No such user here"
        for address in envelope.rcpt_tos:
            self.servers.received(address, envelope.original_content or b"")
        return "250 2.0.0 OK queued"


class _Controller(Controller):
    """Takes a free port when told 0."""

    def factory(self) -> SMTP:
        return SMTP(self.handler, data_size_limit=LIMIT, enable_SMTPUTF8=True, loop=self.loop)

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def shown(raw: bytes) -> dict[str, Any]:
    """A mail as the page and the control plane give it."""
    mail = BytesParser(policy=default).parsebytes(raw)
    body = mail.get_body(("plain", "html"))
    headers: Mapping[str, str] = {name: str(mail[name] or "").strip() for name in ("From", "Subject", "Date", "Message-ID", "In-Reply-To")}
    text = body.get_content() if body else ""
    return {name.lower().replace("-", "_"): value for name, value in headers.items()} | {
        "reply_to": str(mail["Reply-To"] or ""),
        "text": text.strip(),
        "files": [part.get_filename() or "file" for part in mail.iter_attachments()],
    }


def mail_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mail-address", default=ADDRESS, help="the product's mailbox")
    parser.add_argument("--mail-password", default=PASSWORD, help="its password")
    parser.add_argument("--smtp-port", type=int, default=0, help="port of the SMTP server; 0 = a free one")
    parser.add_argument("--imap-port", type=int, default=0, help="port of the IMAP server; 0 = a free one")


def mail_servers(options: argparse.Namespace) -> Sequence[Provider]:
    return [MailServers(options.mail_address, options.mail_password, options.smtp_port, options.imap_port)]
