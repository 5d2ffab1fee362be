"""Our mails: composed with our ids and tokens, handed to an SMTP server, its answer in the platform's words."""

import base64
import contextlib
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from omni.channels.contract import Failed, Outgoing, OutgoingFile, Reason, Retry, SendResult, Sent
from omni.channels.email.fetching import Security, tls_context
from omni.channels.email.html import text_as_html
from omni.channels.email.html_quotes import OWN_MARK
from omni.channels.email.machine import LOOP_HEADER
from omni.channels.email.oauth import MECHANISM, Conversation, KeySource, NoKey
from omni.channels.email.threading import bare_subject, message_id, plus_address, subject_token

MOST_REFERENCES = 20
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\]+")
_ID = re.compile(r"<?([^<>\s]+@[^<>\s]+)>?")
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")
_GREYLIST_SECONDS = 300.0
"""Greylisting servers let the same mail in after 5 to 15 minutes."""
_MAILBOX_FULL_SECONDS = 3600.0


@dataclass(frozen=True)
class Sender:
    """Who writes: our `address` with its display `name`, the `domain` of our message ids, the `thread_key` they are signed with.

    Without a `thread_key` nothing is signed, so mails carry no plus address and no subject token.
    """

    address: str
    domain: str
    thread_key: str
    name: str = ""
    subject: str = ""
    """What a mail without a subject of its own is called."""


@dataclass(frozen=True)
class SmtpSettings:
    """The server that takes our mails. `security` is "tls", "starttls" or "none"; without `user` nobody signs in; `timeout` in seconds."""

    host: str
    port: int = 465
    security: Security = "tls"
    user: str = ""
    password: str = ""
    timeout: float = 60.0
    ca_file: str = ""
    keys: KeySource | None = None
    """Where the key comes from that stands in for the password."""


class NotSendable(Exception):
    """The mail cannot be composed: no usable recipient. The text is a sentence."""


def compose(outgoing: Outgoing, sender: Sender, *, now: datetime) -> EmailMessage:
    """The mail of an outgoing message, as plain text with an HTML alternative and its files.

    `outgoing.token` is the conversation's id and `outgoing.key` the message's: both go signed into the Message-ID, so the same
    message is the same mail however often it is composed. `now` (aware) becomes the Date. Raises NotSendable.
    """
    mail = EmailMessage(policy=SMTP.clone(raise_on_defect=False))
    mail["From"] = Address(_line(sender.name), addr_spec=sender.address)
    mail["To"] = recipient_address(outgoing.recipient)
    mail["Subject"] = _subject(outgoing, sender)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{own_message_id(outgoing, sender)}>"
    if outgoing.token and sender.thread_key:
        mail["Reply-To"] = Address(_line(sender.name), addr_spec=plus_address(sender.thread_key, outgoing.token, sender.address))
    _add_references(mail, outgoing)
    if outgoing.automatic:
        _add_automatic_headers(mail, sender)
    mail.set_content(outgoing.text, cte="quoted-printable")
    mail.add_alternative(
        f'<html><body><div class="{OWN_MARK}">{text_as_html(outgoing.text)}</div></body></html>', subtype="html", cte="quoted-printable"
    )
    for file in outgoing.files:
        _attach(mail, file)
    return mail


def own_message_id(outgoing: Outgoing, sender: Sender) -> str:
    """The Message-ID, without brackets, that `compose` gives this message."""
    return message_id(sender.thread_key, outgoing.token or "0", outgoing.key, sender.domain)


def recipient_address(written: str) -> str:
    """An address fit for the wire: international domains as punycode. Raises NotSendable."""
    address = written.strip()
    if not _ADDRESS.fullmatch(address) or address.lower().endswith(".invalid"):
        raise NotSendable(f"{address[:100]!r} is no address a mail can be sent to.")
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as fault:
        raise NotSendable(f"{domain[:100]!r} is no domain a mail can be sent to.") from fault


def _line(text: str) -> str:
    """Header text on one line: line breaks would let a text add headers."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", text).split())


def _subject(outgoing: Outgoing, sender: Sender) -> str:
    subject = bare_subject(_line(outgoing.subject))
    answered = f"Re: {subject}" if subject and outgoing.reply_to else subject or sender.subject
    if not (outgoing.token and sender.thread_key):
        return answered
    return f"{answered} {subject_token(sender.thread_key, outgoing.token)}".strip()


def _add_references(mail: EmailMessage, outgoing: Outgoing) -> None:
    """In-Reply-To and References (RFC 5322 3.6.4), the oldest and the latest when there are more than 20."""
    answered = _ids([outgoing.reply_to])
    if answered:
        mail["In-Reply-To"] = f"<{answered[0]}>"
    chain = list(dict.fromkeys([*_ids(outgoing.references), *answered]))
    if answered and chain[-1] != answered[0]:
        chain = [one for one in chain if one != answered[0]] + answered
    if len(chain) > MOST_REFERENCES:
        chain = [chain[0], *chain[-(MOST_REFERENCES - 1) :]]
    if chain:
        mail["References"] = " ".join(f"<{one}>" for one in chain)


def _ids(written: Sequence[str]) -> list[str]:
    """Message ids among `written` (with or without brackets); what is none, a digest for instance, is left out."""
    return [found[1] for one in written if (found := _ID.fullmatch(one.strip())) and found[1].isascii() and len(found[1]) < 500]


def _add_automatic_headers(mail: EmailMessage, sender: Sender) -> None:
    mail["Auto-Submitted"] = "auto-replied"
    mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP_HEADER] = sender.domain


def _attach(mail: EmailMessage, file: OutgoingFile) -> None:
    maintype, _, subtype = file.mime.partition("/")
    # A message/* or multipart/* file may not be base64 (RFC 2046), and a wrong type must not stop an answer.
    if not re.fullmatch(r"(?:application|audio|font|image|model|text|video)/[\w.+-]+", file.mime):
        maintype, subtype = "application", "octet-stream"
    mail.add_attachment(file.data, maintype=maintype, subtype=subtype, filename=_line(file.name) or "file")


def deliver(mail: EmailMessage, settings: SmtpSettings, *, envelope_sender: str = "") -> SendResult:
    """Hand a composed mail to the SMTP server. Never raises for its faults.

    A connection lost after the whole mail was written gives Retry(unknown=True): the server may have taken it. 4xx is temporary, 5xx
    final; a refused sign-in or sender is ACCOUNT_REFUSED. `envelope_sender` is where bounces go, the From address if empty.
    """
    recipient = str(mail["To"])
    author = envelope_sender or mail["From"].addresses[0].addr_spec
    try:
        with contextlib.closing(_Session(settings)) as session:
            return session.hand_over(mail, author, recipient)
    except _Answer as answer:
        return answer.result
    except ssl.SSLCertVerificationError as fault:
        return Retry("tls", f"The certificate of {settings.host} is not trusted: {fault.verify_message}.", whole_account=True)
    except (OSError, smtplib.SMTPException) as fault:
        return Retry("connection", f"{settings.host}:{settings.port}: {fault or type(fault).__name__}", whole_account=True)


def sign_in_fault(settings: SmtpSettings) -> str:
    """Connect and sign in without sending anything. Returns what is wrong as a sentence, empty when all is well."""
    try:
        with contextlib.closing(_Session(settings)) as session:
            session.sign_in()
    except _Answer as answer:
        return "" if isinstance(answer.result, Sent) else answer.result.text
    except ssl.SSLCertVerificationError as fault:
        return f"The certificate of {settings.host} is not trusted: {fault.verify_message}."
    except (OSError, smtplib.SMTPException) as fault:
        return f"{settings.host}:{settings.port}: {fault or type(fault).__name__}"
    return ""


class _Answer(Exception):
    """The conversation with the server ended with this result."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(result)
        self.result = result


class _Session:
    """One SMTP conversation: connect, sign in, one mail."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        context = tls_context(settings.ca_file)
        if settings.security == "tls":
            self._client: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=context)
        else:
            self._client = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
        self._client.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            self._client.starttls(context=context)
            self._client.ehlo()

    def close(self) -> None:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._client.quit()
        self._client.close()

    def hand_over(self, mail: EmailMessage, author: str, recipient: str) -> SendResult:
        self.sign_in()
        content, options = self._content(mail, recipient)
        self._expect(*self._client.mail(author, options), stage="mail")
        self._expect(*self._client.rcpt(recipient), stage="rcpt")
        self._expect(*self._client.docmd("DATA"), stage="data")
        self._client.send(_dotted(content))
        try:
            code, words = self._client.getreply()
        except (OSError, smtplib.SMTPServerDisconnected) as fault:
            text = f"{self._settings.host} did not say whether it took the mail: {fault or type(fault).__name__}"
            return Retry("no-answer", text, unknown=True)
        self._expect(code, words, stage="content")
        return Sent((str(mail["Message-ID"]).strip("<>"),))

    def sign_in(self) -> None:
        if not self._settings.user:
            return
        if self._settings.keys:
            self._sign_in_by_key(self._settings.keys)
            return
        user, password = self._settings.user, self._settings.password
        try:
            if (user + password).isascii():
                self._client.login(user, password)
            else:
                # The standard library signs in with ASCII alone; the protocol takes UTF-8 (RFC 4616).
                words = base64.b64encode(f"\x00{user}\x00{password}".encode()).decode()
                self._expect(*self._client.docmd("AUTH", f"PLAIN {words}"), stage="auth")
        except smtplib.SMTPAuthenticationError as fault:
            self._expect(fault.smtp_code, _bytes(fault.smtp_error), stage="auth")
        except smtplib.SMTPNotSupportedError as fault:
            raise _Answer(Failed("auth", f"{self._settings.host}: {fault}", Reason.ACCOUNT_REFUSED)) from fault

    def _sign_in_by_key(self, keys: KeySource) -> None:
        """AUTH XOAUTH2; a remembered key may be over before its time, so a refused one is replaced once. Raises _Answer."""
        if MECHANISM not in self._client.esmtp_features.get("auth", "").upper().split():
            text = f"{self._settings.host} does not offer to sign in with a key ({MECHANISM})."
            raise _Answer(Failed("auth", text, Reason.ACCOUNT_REFUSED))
        for fresh in (False, True):
            try:
                conversation = Conversation(self._settings.user, keys.get(fresh))
            except NoKey as fault:
                refused: SendResult = Failed("no_key", str(fault), Reason.ACCOUNT_REFUSED)
                raise _Answer(refused if fault.refused else Retry("no_key", str(fault), whole_account=True)) from fault
            code, words = self._client.docmd("AUTH", f"{MECHANISM} {_base64(conversation(b''))}")
            if code == 334:
                # The server tells why in a challenge and goes on only after an empty answer.
                code, words = self._client.docmd(_base64(conversation(_unpacked(words))))
            if code != 535 or fresh:
                self._expect(code, words, stage="auth")
                return

    def _content(self, mail: EmailMessage, recipient: str) -> tuple[bytes, list[str]]:
        """The mail's bytes and the options of MAIL: its size, and SMTPUTF8 when the address needs it (RFC 6531)."""
        options = []
        international = not recipient.isascii()
        if international and not self._client.has_extn("smtputf8"):
            raise _Answer(
                Failed("smtputf8", f"{self._settings.host} does not take addresses with other letters than Latin.", Reason.REJECTED)
            )
        content = mail.as_bytes(policy=SMTP.clone(utf8=international))
        if self._client.has_extn("size"):
            options.append(f"SIZE={len(content)}")
        return content, [*options, "SMTPUTF8", "BODY=8BITMIME"] if international else options

    def _expect(self, code: int, words: bytes, *, stage: str) -> None:
        """Go on when the server agrees. Raises _Answer with the result when it does not."""
        if 200 <= code < 400:
            return
        raise _Answer(refusal(code, words.decode("utf-8", "replace"), stage))


def refusal(code: int, words: str, stage: str) -> Retry | Failed:
    """A server's refusal as a result. `code` of SMTP, -1 for a lost connection; `stage` is auth, mail, rcpt, data or content."""
    found = _ENHANCED.match(words)
    enhanced = found[1] if found else ""
    name = f"{code} {enhanced}".strip()
    text = " ".join(words.split())[:500]
    if code == -1:
        return Retry("connection", text or "The connection was lost.")
    if enhanced == "5.2.2":
        return Retry(name, text, after=_MAILBOX_FULL_SECONDS)
    if code < 500:
        # 421 closes the service for everybody, a refused sign-in too; the rest is about this recipient.
        whole = code == 421 or stage in ("auth", "mail")
        return Retry(name, text, after=None if whole else _GREYLIST_SECONDS, whole_account=whole)
    return Failed(name, text, _reason(code, enhanced, stage))


def _reason(code: int, enhanced: str, stage: str) -> Reason:
    if stage == "auth" or code in (530, 534, 535) or (stage == "mail" and code != 552):
        return Reason.ACCOUNT_REFUSED
    if enhanced in ("5.3.4", "5.2.3") or (code == 552 and stage in ("mail", "content")):
        return Reason.TOO_LONG
    if stage == "rcpt" and (enhanced.startswith("5.1.") or enhanced == "5.2.1" or (not enhanced and code in (550, 551, 553))):
        return Reason.CONTACT_GONE
    return Reason.REJECTED


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _base64(words: bytes) -> str:
    return base64.b64encode(words).decode()


def _unpacked(words: bytes) -> bytes:
    try:
        return base64.b64decode(words, validate=True)
    except ValueError:
        return words


def _dotted(content: bytes) -> bytes:
    """The mail as DATA carries it: CRLF line ends, leading dots doubled, the closing dot (RFC 5321 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    lines = re.sub(rb"(?m)^\.", b"..", lines)
    return (lines if lines.endswith(b"\r\n") else lines + b"\r\n") + b".\r\n"
