"""Real peers of the e-mail channel: Dovecot's mailbox, an SMTP server that takes, refuses or keeps silent."""

import asyncio
import datetime
import ipaddress
import ssl
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from omni.channels.email.sending import SmtpSettings
from tests.providers.dovecot import dovecot, dovecot_server

__all__ = ["dovecot", "dovecot_server"]


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
    """Starts sinks: smtp(security="none" | "starttls" | "tls", user="...", password="...")."""
    started = []

    def start(security="none", user="", password=""):
        sink = Sink()
        certificate = _certificate(tmp_path) if security != "none" else ("", None)
        context = certificate[1]
        server_options: dict[str, Any] = {}
        if security == "starttls":
            server_options |= {"tls_context": context, "require_starttls": True}
        if user:
            server_options |= {"authenticator": _accepts(user, password), "auth_require_tls": False, "auth_required": True}
        controller = _Controller(sink, server_options, ssl_context=context if security == "tls" else None)
        controller.start()
        started.append((sink, controller))
        return Running(sink, controller, security, certificate[0])

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


def _certificate(folder):
    """A self-signed certificate of 127.0.0.1: the file clients trust, and the server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(private + public)
    (folder / "ca.pem").write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return str(folder / "ca.pem"), context
