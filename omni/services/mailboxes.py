"""Reading our mailboxes: each mail into the journal first, then flagged on its server, then understood by a worker."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from core import audit
from core.locks import only_one
from core.models import AuditEntry
from core.secrets import SecretLost
from omni import dispatch
from omni.channels.contract import RawEvent
from omni.channels.email.adapter import TOO_LARGE_HEADER, imap_settings
from omni.channels.email.fetching import Cursor, FetchedMail, ImapSettings, Mailbox, MailboxFault
from omni.models import ChannelAccount, MailboxCursor
from omni.services import journal
from omni.states import AccountState, EventState

log = structlog.get_logger(__name__)
KIND = "email"
DEFAULT_POLL_SECONDS = 30.0
# A server that tells of new mails by itself is still asked now and then: its connection may be dead without a word.
# What the server tells together with its consent to IDLE lies in the client's buffer until the wait ends.
IDLE_SECONDS = 20.0
# Mails kept in one transaction, and how many bytes of them at most.
BATCH, BATCH_BYTES = 50, 8 * 1024 * 1024
_FAULT = "mailbox.fault"
# Seconds before the next try after the first, second ... fault in a row.
BACK_OFF = (2.0, 5.0, 15.0, 30.0, 60.0)
# A folder that was renumbered is read again from so long before the last reading; what we have is recognised by its id.
OVERLAP = timedelta(days=3)


def read_new(*, account: ChannelAccount, mailbox: Mailbox, now: datetime) -> int:
    """Put the mails that came since the last reading into the journal, and flag or move them. Returns how many there were.

    `imap.move_to` in the account's settings names a folder for what was kept; without it mails are flagged as read.
    Raises MailboxFault; what was kept before it stays kept.
    """
    position = _position(account, mailbox.settings)
    cursor = Cursor(position.uidvalidity, position.last_uid) if position else None
    since = position.read_at - OVERLAP if position else account.created_at
    number = 0
    for batch in _batches(mailbox.new_mails(cursor, since=since)):
        _keep(account, mailbox, batch, now=now)
        _confirm(account, mailbox, batch)
        number += len(batch)
    return number


def _position(account: ChannelAccount, settings: ImapSettings) -> MailboxCursor | None:
    return MailboxCursor.objects.filter(account=account, mailbox=_named(settings)).first()


def _named(settings: ImapSettings) -> str:
    return f"{settings.user}@{settings.host}:{settings.port}/{settings.folder}"[:400]


def _batches(mails: Iterator[FetchedMail]) -> Iterator[Sequence[FetchedMail]]:
    batch: list[FetchedMail] = []
    for mail in mails:
        batch.append(mail)
        if len(batch) >= BATCH or sum(len(one.raw) for one in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _keep(account: ChannelAccount, mailbox: Mailbox, mails: Sequence[FetchedMail], *, now: datetime) -> None:
    """The mails and the cursor in one transaction: a killed fetcher neither loses nor repeats anything."""
    with transaction.atomic():
        for mail in mails:
            _keep_one(account, mail, now=now)
        _remember(account, mailbox, mails[-1].cursor, now=now)


def _keep_one(account: ChannelAccount, mail: FetchedMail, *, now: datetime) -> None:
    event = RawEvent(
        body=mail.raw,
        headers={TOO_LARGE_HEADER: str(mail.size)} if mail.too_large else {},
        # When the server got it stands for a date that the mail lacks or has wrong (RFC 9051 2.3.3).
        received_at=min(mail.internaldate, now),
    )
    if mail.fault:
        journal.keep_refused(account=account, event=event, reason=f"The mail server did not give the mail's body: {mail.fault}")
        return
    kept = journal.keep(account=account, event=event)
    if kept is not None and kept.state == EventState.RECEIVED:
        dispatch.after_commit("omni.tasks.process_event", event_id=kept.pk)


def _remember(account: ChannelAccount, mailbox: Mailbox, cursor: Cursor, *, now: datetime) -> None:
    fields = {"mailbox": _named(mailbox.settings), "uidvalidity": cursor.uidvalidity, "last_uid": cursor.last_uid, "read_at": now}
    MailboxCursor.objects.update_or_create(account=account, defaults=fields)


def _confirm(account: ChannelAccount, mailbox: Mailbox, mails: Sequence[FetchedMail]) -> None:
    folder = str(account.settings.get("imap", {}).get("move_to", ""))
    stored = [mail.uid for mail in mails if not mail.fault]
    if folder:
        mailbox.move(stored, folder)
    else:
        mailbox.mark_seen(stored)


def note_fault(*, account_id: int, reason: str, now: datetime) -> None:
    """The mailbox cannot be read: its account counts as degraded, with the reason. A switched-off account stays so."""
    with transaction.atomic():
        account = ChannelAccount.objects.select_for_update().get(pk=account_id)
        if account.state == AccountState.DISABLED or (account.state == AccountState.DEGRADED and account.state_reason == reason[:240]):
            return
        account.state, account.state_reason = AccountState.DEGRADED, reason[:240]
        account.save(update_fields=["state", "state_reason"])
        audit.record(action=_FAULT, by=None, subject=account, now=now, details={"reason": reason[:240]})


def note_recovery(*, account_id: int, now: datetime) -> None:
    """The mailbox can be read again. A degradation with another cause (the sending side's) stays."""
    with transaction.atomic():
        account = ChannelAccount.objects.select_for_update().get(pk=account_id)
        ours = AuditEntry.objects.filter(action=_FAULT, subject=audit.subject_of(account), details__reason=account.state_reason)
        if account.state != AccountState.DEGRADED or not ours.exists():
            return
        account.state, account.state_reason = AccountState.ENABLED, ""
        account.save(update_fields=["state", "state_reason"])
        audit.record(action="mailbox.recovered", by=None, subject=account, now=now)


class Reader:
    """Reads one account's mailbox until told to stop, whatever happens to the mail server or the database meanwhile.

    Of several readers of one account, in whatever processes, one at a time reads.
    """

    def __init__(self, account_id: int, stop: threading.Event) -> None:
        self.account_id, self.stop = account_id, stop
        self._log = log.bind(account=account_id)
        self._faults = 0

    def run(self) -> None:
        """Read until `stop` is set. Never raises."""
        try:
            while not self.stop.is_set():
                self._try()
        finally:
            connection.close()

    def _try(self) -> None:
        try:
            with only_one(f"mailbox:{self.account_id}") as mine:
                if mine:
                    self._read()
                else:
                    self.stop.wait(BACK_OFF[0])
        except (DatabaseError, InterfaceError) as fault:
            # The lock went with the connection: begin anew on a fresh one.
            self._log.warning("the database is away; the mailbox waits", fault=str(fault))
            connection.close()
            self._pause()

    def _read(self) -> None:
        account = ChannelAccount.objects.filter(pk=self.account_id).first()
        if account is None:
            self.stop.set()
            return
        try:
            with Mailbox(imap_settings(account.config())) as mailbox:
                self._read_on(account, mailbox)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as fault:  # noqa: BLE001  a wrong setting as well as a mail server that is down: said on the account, tried again
            self._failed(fault)

    def _read_on(self, account: ChannelAccount, mailbox: Mailbox) -> None:
        read_new(account=account, mailbox=mailbox, now=timezone.now())
        note_recovery(account_id=account.pk, now=timezone.now())
        self._faults = 0
        while not self.stop.is_set():
            mailbox.wait(IDLE_SECONDS if mailbox.can_idle else _poll_seconds(account), self.stop)
            if not self.stop.is_set():
                read_new(account=account, mailbox=mailbox, now=timezone.now())

    def _failed(self, fault: Exception) -> None:
        if self.stop.is_set():
            return
        expected = isinstance(fault, MailboxFault | SecretLost)
        self._log.warning("the mailbox cannot be read", fault=str(fault), exc_info=not expected)
        note_fault(account_id=self.account_id, reason=str(fault) or type(fault).__name__, now=timezone.now())
        self._pause()

    def _pause(self) -> None:
        self.stop.wait(BACK_OFF[min(self._faults, len(BACK_OFF) - 1)])
        self._faults += 1


def _poll_seconds(account: ChannelAccount) -> float:
    return float(account.settings.get("poll_seconds") or DEFAULT_POLL_SECONDS)
