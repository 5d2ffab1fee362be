"""Asking the providers that do not deliver by themselves: what they say goes into the journal, then the position moves on."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from core.secrets import SecretLost
from omni import dispatch
from omni.channels.contract import Polled, PollFault, Polling
from omni.channels.registry import ADAPTERS, adapter_for
from omni.models import ChannelAccount, PollPosition
from omni.services import journal
from omni.states import AccountState, EventState

log = structlog.get_logger(__name__)
# Seconds before the next question after the first, second ... fault in a row.
BACK_OFF = (10.0, 30.0, 60.0, 300.0, 900.0)
# Questions in a row to one account before the others get their turn.
AT_ONCE = 50
CLAIM = timedelta(minutes=10)


def find_due(*, now: datetime) -> list[int]:
    """Ids of the accounts whose provider is to be asked now, those that waited longest first."""
    kinds = [adapter.kind for adapter in ADAPTERS if isinstance(adapter, Polling)]
    asked = ChannelAccount.objects.filter(kind__in=kinds).exclude(state=AccountState.DISABLED)
    new = asked.filter(poll_position=None).values_list("pk", flat=True)
    PollPosition.objects.bulk_create([PollPosition(account_id=pk, next_at=now) for pk in new], ignore_conflicts=True)
    due = PollPosition.objects.filter(account__in=asked, next_at__lte=now)
    return list(due.order_by("next_at").values_list("account_id", flat=True))


def poll(account_id: int, *, now: datetime) -> int:
    """Ask one account's provider for all that is new; returns how many events were new. 0 while another process asks."""
    if not PollPosition.objects.filter(account_id=account_id, next_at__lte=now).update(next_at=now + CLAIM):
        return 0
    account = ChannelAccount.objects.get(pk=account_id)
    adapter = adapter_for(account.kind)
    if not isinstance(adapter, Polling):
        return 0
    seconds = float(account.settings.get("poll_seconds") or adapter.poll_seconds)
    kept = 0
    try:
        for _time in range(AT_ONCE):
            page = adapter.poll(account.config(), PollPosition.objects.get(account=account).cursor, now=now)
            kept += _keep(account, page, now=now)
            if not page.more:
                break
    except (PollFault, SecretLost) as fault:
        _note_fault(account, fault, now=now)
        return kept
    PollPosition.objects.filter(account=account).update(next_at=now + timedelta(seconds=seconds), failures=0)
    ChannelAccount.objects.filter(pk=account.pk, state=AccountState.DEGRADED).update(state=AccountState.ENABLED, state_reason="")
    return kept


def _keep(account: ChannelAccount, page: Polled, *, now: datetime) -> int:
    """The events and the position in one transaction: a killed process neither loses nor repeats anything."""
    with transaction.atomic():
        kept = [journal.keep(account=account, event=event) for event in page.events]
        fresh = [event for event in kept if event is not None and event.state == EventState.RECEIVED]
        PollPosition.objects.filter(account=account).update(cursor=dict(page.cursor), read_at=now)
        if fresh:
            transaction.on_commit(lambda: dispatch.wake("omni.tasks.drain_journal"))
    return len(fresh)


def _note_fault(account: ChannelAccount, fault: PollFault | SecretLost, *, now: datetime) -> None:
    """Ask again later; an account that cannot be read counts as degraded, with the reason."""
    with transaction.atomic():
        position = PollPosition.objects.select_for_update().get(account=account)
        asked = fault.after if isinstance(fault, PollFault) else None
        wait = asked if asked is not None else BACK_OFF[min(position.failures, len(BACK_OFF) - 1)]
        position.failures, position.next_at = position.failures + 1, now + timedelta(seconds=wait)
        position.save(update_fields=["failures", "next_at"])
        if position.failures > 1 or (isinstance(fault, PollFault) and fault.refused):
            ChannelAccount.objects.filter(pk=account.pk).exclude(state=AccountState.DISABLED).update(
                state=AccountState.DEGRADED, state_reason=str(fault)[:240]
            )
    log.warning("provider could not be asked", account=account.pk, reason=str(fault))
