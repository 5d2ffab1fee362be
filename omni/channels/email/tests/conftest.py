"""Real peers of the e-mail channel: Dovecot's mailbox, an SMTP server that takes, refuses or keeps silent."""

import asyncio
import base64
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from omni.channels.email.sending import SmtpSettings
from tests.providers.certificates import made_for_loopback
from tests.providers.dovecot import dovecot, dovecot_server, oauth, oauth_dovecot, oauth_servers

__all__ = ["dovecot", "dovecot_server", "oauth", "oauth_dovecot", "oauth_servers"]


@dataclass
class Sink:
    """Takes mails into `mails` (envelope and bytes); `answers` of a stage (MAIL, RCPT, DATA) replace the usual 250."""

    mails: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    silent: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self.answers.get("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope)
        if self.silent:
            await self.released.wait()
        return self.answers.get("DATA", "250 2.0.0 OK queued")


@dataclass
class KeyedSink(Sink):
    """Lets in by XOAUTH2 alone, byte for byte as Google's document of the protocol has it; `provider` knows the good keys."""

    provider: Any = None
    broken: list = field(default_factory=list)

    async def auth_XOAUTH2(self, server, arguments):  # noqa: N802 - aiosmtpd's name
        said = base64.b64decode(arguments[1], validate=True) if len(arguments) > 1 else await server.challenge_auth("")
        found = re.fullmatch(rb"user=([^\x01]+)\x01auth=Bearer ([A-Za-z0-9._~+/=-]+)\x01\x01", said)
        if found is None:
            self.broken.append(said)
        elif found[1].decode() == self.provider.user and found[2].decode() in self.provider.keys:
            return AuthResult(success=True, auth_data=found[1])
        answer = await server.challenge_auth('{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}')
        if answer != b"":
            self.broken.append(answer)
        return AuthResult(success=False, handled=False)


class Running:
    """A sink with its address; settings that reach it come from `settings()`."""

    def __init__(self, sink, controller, security, ca_file):
        self.sink, self._controller, self._security, self._ca_file = sink, controller, security, ca_file

    def settings(self, **more):
        port = self._controller.server.sockets[0].getsockname()[1]
        return SmtpSettings(
            **{"host": "127.0.0.1", "port": port, "security": self._security, "ca_file": self._ca_file, "timeout": 5, **more}
        )


@pytest.fixture
def smtp(tmp_path):
    """Starts sinks: smtp(security="none" | "starttls" | "tls", user="...", password="..."), or keys=the provider whose keys it takes."""
    started = []

    def start(security="none", user="", password="", keys=None):
        sink = Sink() if keys is None else KeyedSink(provider=keys)
        certificate = made_for_loopback(tmp_path)
        context, ca_file = (certificate.context, certificate.ca_file) if security != "none" else (None, "")
        server_options: dict[str, Any] = {}
        if security == "starttls":
            server_options |= {"tls_context": context, "require_starttls": True}
        if user:
            server_options |= {"authenticator": _accepts(user, password), "auth_require_tls": False, "auth_required": True}
        if keys is not None:
            server_options |= {"auth_require_tls": False, "auth_required": True}
        controller = _Controller(sink, server_options, ssl_context=context if security == "tls" else None)
        controller.start()
        started.append((sink, controller))
        return Running(sink, controller, security, ca_file)

    yield start
    for sink, controller in started:
        controller.loop.call_soon_threadsafe(sink.released.set)
        controller.stop()


class _Controller(Controller):
    """Chooses a free port by itself."""

    def __init__(self, sink, server_options, **options):
        self._server_options = server_options
        super().__init__(sink, hostname="127.0.0.1", port=0, enable_SMTPUTF8=True, **options)

    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=True, **self._server_options)

    def _trigger_server(self):
        # The base class connects to the port it was told, which is 0 here; the server is known to listen.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _accepts(user, password):
    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login.decode(), data.password.decode()) == (user, password)
        return AuthResult(success=good, handled=False)

    return authenticate
