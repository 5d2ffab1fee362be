"""Listening to telephone exchanges that do not post: each event into the journal, and a look at the channels after every gap."""

import threading
import time
from collections import deque
from datetime import timedelta

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from core.locks import only_one
from core.secrets import SecretLost
from omni import dispatch
from omni.channels.asterisk.wire import ExchangeFault, Wire, open_wire
from omni.channels.contract import RawEvent
from omni.models import ChannelAccount
from omni.services import calls, journal
from omni.states import AccountState, EventState

log = structlog.get_logger(__name__)
KIND = "asterisk"
SLICE = 1.0
LOOK_SECONDS = 60.0
"""The channels are compared with our books that often: an end may be missed without the connection having broken."""
GRACE = timedelta(seconds=10)
"""A leg that we heard of so lately may not have been in the list when it was made."""
# Seconds before the next try after the first, second ... fault in a row.
BACK_OFF = (1.0, 2.0, 5.0, 15.0, 30.0)


class Listener:
    """Listens to one account's exchange until told to stop, whatever happens to the exchange or the database meanwhile.

    Of several listeners of one account, in whatever processes, one at a time listens.
    """

    def __init__(self, account_id: int, stop: threading.Event) -> None:
        self.account_id, self.stop = account_id, stop
        self._log = log.bind(account=account_id)
        self._faults = 0
        self._unkept: deque[RawEvent] = deque()
        self._shown: set[str] = set()
        """Channels of the last look: told once, whether they say anything to us or not."""

    def run(self) -> None:
        """Listen until `stop` is set. Never raises."""
        try:
            while not self.stop.is_set():
                self._try()
        finally:
            connection.close()

    def _try(self) -> None:
        try:
            with only_one(f"exchange:{self.account_id}") as mine:
                if mine:
                    self._listen()
                else:
                    self.stop.wait(BACK_OFF[0])
        except (DatabaseError, InterfaceError) as fault:
            # The lock went with the connection; what was heard and not kept is kept first thing.
            self._log.warning("the database is away; the exchange is heard again soon", fault=str(fault))
            connection.close()
            self._pause()

    def _listen(self) -> None:
        account = ChannelAccount.objects.filter(pk=self.account_id).first()
        if account is None:
            self.stop.set()
            return
        self._keep_all(account)
        try:
            with open_wire(account.config()) as wire:
                self._listen_on(account, wire)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as fault:  # noqa: BLE001  a wrong setting as well as an exchange that is down: said on the account, tried again
            self._failed(fault)

    def _listen_on(self, account: ChannelAccount, wire: Wire) -> None:
        looked = float("-inf")
        while not self.stop.is_set():
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._look(account, wire)
                looked = time.monotonic()
                note_recovery(account_id=account.pk)
                self._faults = 0
            body = wire.next(SLICE)
            if body is not None:
                self._hear(account, body)

    def _look(self, account: ChannelAccount, wire: Wire) -> None:
        """What the exchange has and we do not know, and what we know and it has no longer, become events like all others."""
        now = timezone.now()
        known = calls.list_open_legs(account, quiet_since=now - GRACE)
        all_known = calls.list_open_legs(account)
        seen = wire.seen()
        for leg in seen.keys() - all_known.keys() - self._shown:
            self._hear(account, seen[leg])
        self._shown = set(seen)
        for leg, call in known.items():
            if leg not in seen:
                self._hear(account, wire.gone(leg, call, now))

    def _hear(self, account: ChannelAccount, body: bytes) -> None:
        self._unkept.append(RawEvent(body=body, headers={}, received_at=timezone.now()))
        self._keep_all(account)

    def _keep_all(self, account: ChannelAccount) -> None:
        """Into the journal, oldest first; what the database does not take now stays with us."""
        while self._unkept:
            keep(account=account, event=self._unkept[0])
            self._unkept.popleft()

    def _failed(self, fault: Exception) -> None:
        if self.stop.is_set():
            return
        expected = isinstance(fault, ExchangeFault | SecretLost)
        self._log.warning("the exchange cannot be heard", fault=str(fault), exc_info=not expected)
        if self._faults:  # one break in the connection is nothing a supervisor must see
            note_fault(account_id=self.account_id, reason=str(fault) if expected else type(fault).__name__)
        self._pause()

    def _pause(self) -> None:
        self.stop.wait(BACK_OFF[min(self._faults, len(BACK_OFF) - 1)])
        self._faults += 1


def keep(*, account: ChannelAccount, event: RawEvent) -> None:
    """Into the journal; a worker understands it."""
    with transaction.atomic():
        kept = journal.keep(account=account, event=event)
        if kept is not None and kept.state == EventState.RECEIVED:
            dispatch.wake("omni.tasks.drain_journal")


def note_fault(*, account_id: int, reason: str) -> None:
    """The exchange cannot be heard: its account counts as degraded, with the reason. A switched-off account stays so."""
    heard = ChannelAccount.objects.filter(pk=account_id).exclude(state=AccountState.DISABLED)
    heard.update(state=AccountState.DEGRADED, state_reason=reason[:240])


def note_recovery(*, account_id: int) -> None:
    ChannelAccount.objects.filter(pk=account_id, state=AccountState.DEGRADED).update(state=AccountState.ENABLED, state_reason="")


def listen(account_id: int, stop: threading.Event) -> None:
    """Listen to the account's exchange until `stop` is set."""
    Listener(account_id, stop).run()
