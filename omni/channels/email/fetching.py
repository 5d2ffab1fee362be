"""Mails out of an IMAP folder, each once by its UID, flagged or moved only after the caller has stored them (RFC 9051)."""

import imaplib
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from omni.channels.email.oauth import MECHANISM, Conversation, KeySource, NoKey
from omni.channels.trust import system_authorities

DEFAULT_SIZE_LIMIT = 35 * 1024 * 1024
Security = Literal["tls", "starttls", "none"]

_BATCH = 100
_BATCH_BYTES = 8 * 1024 * 1024
_IDLE_SLICE = 1.0
_LONGEST_IDLE = 25 * 60.0
"""A server may hang up after 30 minutes of IDLE (RFC 2177)."""
_TEMPORARY_LOGIN = ("[unavailable]", "[inuse]", "[limit]", "[serverbug]", "too many", "try again", "temporar")
_META = [b"RFC822.SIZE", b"INTERNALDATE", b"FLAGS", b"BODY.PEEK[HEADER]"]


class MailboxFault(Exception):
    """A mailbox could not be read. The text is a sentence for the person who looks after it."""


class TemporaryMailboxFault(MailboxFault):
    """The connection or the server failed: the same call may succeed later."""


class MailboxRefused(MailboxFault):
    """The server said no for good: wrong password, no such folder, a certificate nobody trusts."""


@dataclass(frozen=True)
class ImapSettings:
    """Where and as whom to read. `security` is "tls", "starttls" or "none"; `timeout` in seconds, `size_limit` in bytes."""

    host: str
    user: str
    password: str
    port: int = 993
    security: Security = "tls"
    folder: str = "INBOX"
    size_limit: int = DEFAULT_SIZE_LIMIT
    timeout: float = 30.0
    ca_file: str = ""
    keys: KeySource | None = None
    """Where the key comes from that stands in for the password."""


@dataclass(frozen=True)
class Cursor:
    """How far a folder was read: UIDs up to `last_uid` are handled while UIDVALIDITY stays the same."""

    uidvalidity: int
    last_uid: int = 0


@dataclass(frozen=True)
class FetchedMail:
    """A mail as it lies in the folder. `internaldate` is when the server got it (UTC), `size` its bytes as the server counts them.

    `raw` holds the headers alone when `too_large`, or when `fault` says why the server would not give the body.
    """

    uid: int
    uidvalidity: int
    internaldate: datetime
    size: int
    raw: bytes
    too_large: bool = False
    fault: str = ""

    @property
    def cursor(self) -> Cursor:
        """The cursor to keep once this mail and all before it are stored."""
        return Cursor(self.uidvalidity, self.uid)


class Mailbox:
    """One connection to one folder; a context manager. Every method raises TemporaryMailboxFault or MailboxRefused."""

    def __init__(self, settings: ImapSettings) -> None:
        self.settings = settings
        self._client: IMAPClient | None = None
        self._uidvalidity = 0
        self._contents: tuple[object, object] = (None, None)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if fault is None:
            self.close()
        else:
            self._drop()

    def open(self) -> None:
        """Connect, sign in and select the folder."""
        with _faults(self.settings):
            self._client = self._connected()
            self._sign_in(self._client)
            self._select()

    def close(self) -> None:
        """Hang up; never raises."""
        if self._client is not None:
            try:
                self._client.logout()
            except (OSError, IMAPClientError, imaplib.IMAP4.error):
                self._drop()
        self._client = None

    def _drop(self) -> None:
        """Hang up without a word: after a fault the server may wait for something else than a LOGOUT, and would leave it unanswered."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError, imaplib.IMAP4.error):
                client.shutdown()

    @property
    def uidvalidity(self) -> int:
        return self._uidvalidity

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mails by itself."""
        with _faults(self.settings):
            return bool(self._open_client().has_capability("IDLE"))

    def new_mails(self, cursor: Cursor | None, *, since: datetime) -> Iterator[FetchedMail]:
        """Mails behind `cursor` by rising UID, seen or not, without those marked as deleted.

        Without a cursor, or when the server renumbered the folder (UIDVALIDITY changed), all mails since the day of `since` (aware) are
        given again: the caller knows by their ids which he has.
        """
        with _faults(self.settings):
            # Selecting again shows what came since, and whether the folder was renumbered.
            self._select()
            uids = self._uids(cursor, since)
        for start in range(0, len(uids), _BATCH):
            yield from self._batch(uids[start : start + _BATCH])

    def _uids(self, cursor: Cursor | None, since: datetime) -> list[int]:
        client = self._open_client()
        if cursor is None or cursor.uidvalidity != self._uidvalidity:
            # A day more: SINCE compares dates without zone.
            day = (since.astimezone(UTC) - timedelta(days=1)).date()
            return sorted(client.search(["SINCE", day]))
        # "n:*" gives the last mail even when its UID is smaller than n.
        return sorted(uid for uid in client.search(["UID", f"{cursor.last_uid + 1}:*"]) if uid > cursor.last_uid)

    def _batch(self, uids: Sequence[int]) -> Iterator[FetchedMail]:
        with _faults(self.settings):
            found = self._open_client().fetch(list(uids), _META)
        kept = [(uid, found[uid]) for uid in sorted(found) if b"\\Deleted" not in found[uid].get(b"FLAGS", ())]
        for group in _grouped(kept, self.settings.size_limit):
            bodies = self._bodies([uid for uid, data in group if self._fits(data)])
            for uid, data in group:
                yield self._fetched(uid, data, bodies)

    def _fits(self, data: Mapping[bytes, Any]) -> bool:
        return int(data.get(b"RFC822.SIZE", 0)) <= self.settings.size_limit

    def _bodies(self, uids: list[int]) -> dict[int, bytes | str]:
        """Whole mails by UID; a string is the server's reason for refusing one. One bad mail does not hide the others."""
        if not uids:
            return {}
        with _faults(self.settings):
            try:
                found = self._open_client().fetch(uids, [b"BODY.PEEK[]"])
                return {uid: data[b"BODY[]"] for uid, data in found.items() if data.get(b"BODY[]") is not None}
            except IMAPClientAbortError:
                raise
            except IMAPClientError as fault:
                if len(uids) == 1:
                    return {uids[0]: str(fault)}
        return {uid: body for one in uids for uid, body in self._bodies([one]).items()}

    def _fetched(self, uid: int, data: Mapping[bytes, Any], bodies: Mapping[int, bytes | str]) -> FetchedMail:
        body = bodies.get(uid, "" if not self._fits(data) else "the mail is gone")
        return FetchedMail(
            uid=uid,
            uidvalidity=self._uidvalidity,
            internaldate=data[b"INTERNALDATE"].astimezone(UTC),
            size=int(data.get(b"RFC822.SIZE", 0)),
            raw=body if isinstance(body, bytes) else data.get(b"BODY[HEADER]") or b"",
            too_large=not self._fits(data),
            fault=body if isinstance(body, str) else "",
        )

    def mark_seen(self, uids: Iterable[int]) -> None:
        """Flag stored mails as read."""
        with _faults(self.settings):
            if chosen := list(uids):
                self._open_client().add_flags(chosen, [b"\\Seen"], silent=True)

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move stored mails to another folder, which must exist; its name in plain text (Cyrillic is encoded for the wire)."""
        with _faults(self.settings):
            chosen, client = list(uids), self._open_client()
            if not chosen:
                return
            if client.has_capability("MOVE"):
                client.move(chosen, folder)
                return
            client.copy(chosen, folder)
            client.delete_messages(chosen, silent=True)
            try:
                client.uid_expunge(chosen)
            except CapabilityError:
                # Without UIDPLUS an EXPUNGE would remove what other people marked: ours stay marked and are skipped.
                return

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait for new mails: by IDLE where offered, else just the time. True when there may be some, False when nothing was said.

        `stop` ends the wait within a second (at once without IDLE).
        """
        if not self.can_idle:
            stop.wait(seconds)
            return True
        with _faults(self.settings):
            known = self._contents
            self._select()
            # What came during the last commands was told in their answers: IDLE says it no second time (RFC 3501 5.2).
            if self._contents != known:
                return True
            return self._idle(self._open_client(), min(seconds, _LONGEST_IDLE), stop)

    def _idle(self, client: IMAPClient, seconds: float, stop: threading.Event) -> bool:
        try:
            client.idle()
        except IMAPClientError as fault:
            # A server may tell of a mail before it agrees to IDLE (RFC 3501 7), which the client takes for a refusal.
            if "EXISTS" not in str(fault):
                raise
            self._drop()
            self.open()
            return True
        told = self._listen(client, seconds, stop)
        _text, said = client.idle_done()
        return told or _tells_of_mail(said)

    def _listen(self, client: IMAPClient, seconds: float, stop: threading.Event) -> bool:
        left = seconds
        while left > 0 and not stop.is_set():
            if _tells_of_mail(client.idle_check(timeout=min(left, _IDLE_SLICE))):
                return True
            left -= _IDLE_SLICE
        return False

    def _connected(self) -> IMAPClient:
        settings = self.settings
        context = tls_context(settings.ca_file)
        client = IMAPClient(settings.host, settings.port, ssl=settings.security == "tls", ssl_context=context, timeout=settings.timeout)
        client.normalise_times = False
        if settings.security == "starttls":
            client.starttls(context)
        return client

    def _sign_in(self, client: IMAPClient) -> None:
        if self.settings.keys:
            self._sign_in_by_key(client, self.settings.keys)
            return
        try:
            # LOGIN carries ASCII alone, AUTHENTICATE PLAIN any letters (RFC 4616).
            plain = not (self.settings.user + self.settings.password).isascii()
            (client.plain_login if plain else client.login)(self.settings.user, self.settings.password)
        except LoginError as fault:
            raise self._not_let_in(fault, "the password") from fault

    def _sign_in_by_key(self, client: IMAPClient, keys: KeySource) -> None:
        """AUTHENTICATE XOAUTH2; a remembered key may be over before its time, so a refused one is replaced once."""
        for fresh in (False, True):
            try:
                conversation = Conversation(self.settings.user, keys.get(fresh))
                client.sasl_login(MECHANISM, conversation)
                return
            except NoKey as fault:
                raise (MailboxRefused if fault.refused else TemporaryMailboxFault)(str(fault)) from fault
            except LoginError as fault:
                if fresh or not conversation.refusal:
                    raise self._not_let_in(fault, "the key", conversation.refusal) from fault

    def _not_let_in(self, fault: LoginError, what: str, said: str = "") -> MailboxFault:
        words = " ".join(part for part in (str(fault), said and f"({said})") if part)
        if any(mark in words.lower() for mark in _TEMPORARY_LOGIN):
            return TemporaryMailboxFault(f"{self.settings.host} does not let {self.settings.user} in for now: {words}")
        return MailboxRefused(f"{self.settings.host} does not accept {what} of {self.settings.user}: {words}")

    def _select(self) -> None:
        client = self._open_client()
        try:
            answer = client.select_folder(self.settings.folder)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as fault:
            raise MailboxRefused(f"Folder {self.settings.folder} cannot be opened on {self.settings.host}: {fault}") from fault
        self._uidvalidity = int(answer[b"UIDVALIDITY"])
        self._contents = (answer.get(b"UIDNEXT"), answer.get(b"EXISTS"))

    def _open_client(self) -> IMAPClient:
        if self._client is None:
            raise TemporaryMailboxFault(f"The mailbox of {self.settings.user} is not connected.")
        return self._client


def _tells_of_mail(said: Iterable[Sequence[Any]]) -> bool:
    return any(len(item) > 1 and item[1] in (b"EXISTS", b"RECENT") for item in said)


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Certificates are checked against the system's authorities, or those of `ca_file` (a corporate mail server)."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else system_authorities()


def _grouped(found: Sequence[tuple[int, Mapping[bytes, Any]]], limit: int) -> Iterator[list[tuple[int, Mapping[bytes, Any]]]]:
    """Mails in order, together as long as their bodies stay under 8 MB: few round trips, little memory."""
    group: list[tuple[int, Mapping[bytes, Any]]] = []
    total = 0
    for uid, data in found:
        size = int(data.get(b"RFC822.SIZE", 0))
        weight = size if size <= limit else 0
        if group and total + weight > _BATCH_BYTES:
            yield group
            group, total = [], 0
        group.append((uid, data))
        total += weight
    if group:
        yield group


class _faults:  # noqa: N801 - read as a statement: with _faults(settings)
    """Turns what the library and the network raise into MailboxFault."""

    def __init__(self, settings: ImapSettings) -> None:
        self._where = f"{settings.host}:{settings.port}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if fault is None or isinstance(fault, MailboxFault):
            return
        if isinstance(fault, ssl.SSLCertVerificationError):
            raise MailboxRefused(f"The certificate of {self._where} is not trusted: {fault.verify_message}.") from fault
        if isinstance(fault, OSError | IMAPClientError | imaplib.IMAP4.error | UnicodeError):
            raise TemporaryMailboxFault(f"{self._where} cannot be read now: {fault or type(fault).__name__}.") from fault
