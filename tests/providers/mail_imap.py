"""IMAP4rev1 over the demo's mails (RFC 3501), by Twisted's server: one INBOX per address."""

import io
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP as WIRE
from functools import partial
from typing import Any

from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor, threads
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ServerFactory
from twisted.mail import imap4
from zope.interface import implementer  # type: ignore[import-untyped]

from tests.providers.mail_store import Store, StoredMail

FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]
Accepts = Callable[[str, str], bool]
# Names with capitals are Twisted's.


@implementer(imap4.IMessage, imap4.IMessageFile)
class ImapMessage:
    """A stored mail, or a part of one."""

    def __init__(self, stored: StoredMail, part: Message | None = None) -> None:
        self.stored = stored
        self.part = message_from_bytes(stored.raw) if part is None else part
        self.raw = stored.raw if part is None else part.as_bytes(policy=WIRE)

    def getUID(self) -> int:  # noqa: N802
        return self.stored.uid

    def getFlags(self) -> list[str]:  # noqa: N802
        return sorted(self.stored.flags)

    def getInternalDate(self) -> str:  # noqa: N802
        return self.stored.at.strftime("%d-%b-%Y %H:%M:%S +0000")

    def getHeaders(self, negate: bool, *names: str | bytes) -> dict[str, str]:  # noqa: N802
        wanted = {(name if isinstance(name, str) else name.decode()).lower() for name in names}
        chosen = ((name, str(value)) for name, value in self.part.items() if not wanted or (name.lower() in wanted) != negate)
        # Twisted writes headers alone as ASCII and drops the connection over anything else; the whole mail goes out byte for byte.
        return {name: re.sub(r"\r?\n", "\r\n", value.encode("ascii", "replace").decode()) for name, value in chosen}

    def getBodyFile(self) -> io.BytesIO:  # noqa: N802
        return io.BytesIO(re.split(rb"\r?\n\r?\n", self.raw, maxsplit=1)[-1])

    def getSize(self) -> int:  # noqa: N802
        return len(self.raw)

    def isMultipart(self) -> bool:  # noqa: N802
        return self.part.is_multipart()

    def getSubPart(self, number: int) -> "ImapMessage":  # noqa: N802
        parts = self.part.get_payload()
        if not isinstance(parts, list):
            raise IndexError(number)
        return ImapMessage(self.stored, parts[number])

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.raw)


@implementer(imap4.IMailbox)
class Inbox:
    """INBOX of one address."""

    def __init__(self, mails: Store, address: str) -> None:
        self.mails, self.address = mails, address
        self.told: dict[Any, Callable[[], None]] = {}

    def getUIDValidity(self) -> int:  # noqa: N802
        return self.mails.uidvalidity

    def getUIDNext(self) -> int:  # noqa: N802
        return max((mail.uid for mail in self.mails.mails(self.address)), default=0) + 1

    def getUID(self, place: int) -> int:  # noqa: N802
        return self.mails.mails(self.address)[place - 1].uid

    def getMessageCount(self) -> int:  # noqa: N802
        return len(self.mails.mails(self.address))

    def getRecentCount(self) -> int:  # noqa: N802
        return 0

    def getUnseenCount(self) -> int:  # noqa: N802
        return sum("\\Seen" not in mail.flags for mail in self.mails.mails(self.address))

    def isWriteable(self) -> bool:  # noqa: N802
        return True

    def getFlags(self) -> list[str]:  # noqa: N802
        return FLAGS

    def getHierarchicalDelimiter(self) -> str:  # noqa: N802
        return "/"

    def requestStatus(self, names: list[str]) -> Any:  # noqa: N802
        return imap4.statusRequestHelper(self, names)

    def addListener(self, listener: Any) -> None:  # noqa: N802
        """The client's connection: told of each new mail (IDLE, RFC 2177)."""
        self.told[listener] = partial(self.tell, listener)
        self.mails.watch(self.address, self.told[listener])

    def removeListener(self, listener: Any) -> None:  # noqa: N802
        self.mails.unwatch(self.address, self.told.pop(listener))

    def tell(self, listener: Any) -> None:
        reactor.callFromThread(listener.newMessages, self.getMessageCount(), None)

    def addMessage(self, message: Any, flags: Any = (), date: Any = None) -> int:  # noqa: N802
        self.mails.deliver(self.address, message.read())
        return self.getMessageCount()

    def destroy(self) -> None:
        raise imap4.MailboxException("INBOX stays")

    def expunge(self) -> list[int]:
        return self.mails.expunge(self.address)

    def fetch(self, wanted: Any, uid: bool) -> list[tuple[int, ImapMessage]]:
        mails = self.mails.mails(self.address)
        wanted.last = (mails[-1].uid if uid else len(mails)) if mails else 0
        return [(place, ImapMessage(mail)) for place, mail in enumerate(mails, 1) if (mail.uid if uid else place) in wanted]

    def store(self, wanted: Any, flags: Any, mode: int, uid: bool) -> dict[int, list[str]]:
        """`mode` 1 adds the flags, -1 takes them away, 0 replaces."""
        changed = {}
        for place, message in self.fetch(wanted, uid):
            kept = message.stored.flags
            message.stored.flags = set(flags) if mode == 0 else kept | set(flags) if mode > 0 else kept - set(flags)
            changed[place] = message.getFlags()
        return changed


class Account(imap4.MemoryAccountWithoutNamespaces):
    def _emptyMailbox(self, name: str, number: int) -> Any:  # noqa: N802
        raise imap4.MailboxException("there is only INBOX here")


class Server(imap4.IMAP4Server):
    def __init__(self, mails: Store, accepts: Accepts) -> None:
        super().__init__()
        self.mails, self.accepts = mails, accepts

    def authenticateLogin(self, user: bytes, password: bytes) -> tuple[Any, Account, Callable[[], None]]:  # noqa: N802
        name = user.decode("utf-8", "replace")
        if not self.accepts(name, password.decode("utf-8", "replace")):
            raise UnauthorizedLogin
        account = Account(name)
        account.addMailbox("INBOX", Inbox(self.mails, name))
        return imap4.IAccount, account, lambda: None

    def search_SINCE(self, query: list[Any], number: int, message: Any) -> bool:  # noqa: N802
        """Twisted reads the client's date as text but has it as bytes; RFC 3501 6.4.4 compares dates without time."""
        since = datetime.strptime(query.pop(0).decode("ascii"), "%d-%b-%Y").replace(tzinfo=UTC)
        return bool(message.stored.at.date() >= since.date())


class Factory(ServerFactory):
    def __init__(self, mails: Store, accepts: Accepts) -> None:
        self.mails, self.accepts = mails, accepts

    def buildProtocol(self, address: Any) -> imap4.IMAP4Server:  # noqa: N802
        server = Server(self.mails, self.accepts)
        server.factory = self
        return server


_running = threading.Lock()


def listen(mails: Store, accepts: Accepts, port: int) -> Any:
    """Serve on 127.0.0.1:`port` (0 = a free one) until `stop`; returns Twisted's port. Raises OSError."""
    with _running:
        if not reactor.running:
            # The reactor lives as long as the process: Twisted cannot start it twice.
            threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True, name="imap").start()
    factory = Factory(mails, accepts)
    try:
        return threads.blockingCallFromThread(reactor, reactor.listenTCP, port, factory, interface="127.0.0.1")
    except CannotListenError as error:
        raise OSError(error.socketError.errno, f"port {port} cannot be used") from error


def stop(port: Any) -> None:
    threads.blockingCallFromThread(reactor, port.stopListening)
