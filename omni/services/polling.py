"""Asking the providers that do not deliver by themselves: what they say goes into the journal, then the position moves on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from core.secrets import SecretLost
from omni import dispatch
from omni.channels.abilities import Polling
from omni.channels.contract import Polled, PollFault
from omni.channels.registry import adapter_for, kinds
from omni.models import ChannelAccount, PollPosition
from omni.services import journal
from omni.states import AccountState, EventState

log = structlog.get_logger(__name__)
# Seconds before the next question after the first, second ... fault in a row.
BACK_OFF = (10.0, 30.0, 60.0, 300.0, 900.0)
# Questions in a row to one account before the others get their turn.
AT_ONCE = 50
# Longer than one question may take; renewed with each answer.
CLAIM = timedelta(minutes=10)
# The least time between two questions that notifications ask for.
WAKE_APART = timedelta(seconds=5)
# The counter's column is 15 bits wide; an account may be out of order for months.
MOST_FAILURES = 1000


def find_due(*, now: datetime) -> list[int]:
    """Ids of the accounts whose provider is to be asked now, those that waited longest first."""
    polled = [kind for kind in kinds() if isinstance(adapter_for(kind), Polling)]
    asked = ChannelAccount.objects.filter(kind__in=polled).exclude(state=AccountState.DISABLED)
    new = asked.filter(poll_position=None).values_list("pk", flat=True)
    PollPosition.objects.bulk_create([PollPosition(account_id=pk, next_at=now) for pk in new], ignore_conflicts=True)
    due = PollPosition.objects.filter(account__in=asked, next_at__lte=now)
    return list(due.order_by("next_at").values_list("account_id", flat=True))


class _TakenOver(Exception):
    """Our claim had run out, and another process asks this provider now."""


@dataclass
class _Turn:
    """One process's claim on an account's position: while `next_at` is `until`, nobody else has taken it over."""

    account: ChannelAccount
    until: datetime

    def move(self, **changes: Any) -> None:
        """Change the position, `next_at` among it. Raises _TakenOver."""
        if not PollPosition.objects.filter(account=self.account, next_at=self.until).update(**changes):
            raise _TakenOver
        self.until = changes["next_at"]


def poll(account_id: int, *, now: datetime) -> int:
    """Ask one account's provider for all that is new; returns how many events were new. 0 while another process asks."""
    until = now + CLAIM
    if not PollPosition.objects.filter(account_id=account_id, next_at__lte=now).update(next_at=until):
        return 0
    account = ChannelAccount.objects.get(pk=account_id)
    adapter, turn = adapter_for(account.kind), _Turn(account, until)
    if not isinstance(adapter, Polling) or account.state == AccountState.DISABLED:
        return 0
    kept, heals = 0, False
    try:
        for _time in range(AT_ONCE):
            position = PollPosition.objects.get(account=account)
            page = adapter.poll(account.config(), position.cursor, now=now)
            # What questions broke a question heals, whatever its key.
            heals = page.heals or position.failures > 0
            kept += _keep(turn, page, now=now)
            if not page.more:
                break
        turn.move(next_at=now + timedelta(seconds=_seconds(account, adapter)), failures=0)
    except _TakenOver:
        log.warning("a question took so long that another process has taken the account over", account=account.pk)
        return kept
    except (PollFault, SecretLost) as fault:
        _note_fault(turn, fault, now=now)
        return kept
    except Exception as fault:  # an adapter's bug must be seen as one, and must not hold the account for the whole claim
        log.exception("the channel's adapter failed", account=account.pk)
        _note_fault(turn, PollFault(type(fault).__name__), now=now)
        return kept
    if heals:
        ChannelAccount.objects.filter(pk=account.pk, state=AccountState.DEGRADED).update(state=AccountState.ENABLED, state_reason="")
    return kept


def _seconds(account: ChannelAccount, adapter: Polling) -> float:
    return float(account.settings.get("poll_seconds") or adapter.poll_seconds)


def wake(account_id: int, *, now: datetime) -> None:
    """Ask the provider soon: it says there is something. Not while it is being asked or rests after a fault, nor at every word."""
    position = PollPosition.objects.select_related("account").filter(account_id=account_id, failures=0).first()
    if position is None:
        return  # never asked yet: the sweep does it
    adapter = adapter_for(position.account.kind)
    if not isinstance(adapter, Polling):
        return
    at = max(now, position.read_at + WAKE_APART) if position.read_at else now
    # What is farther away than the next ordinary question is a claim.
    ordinary = now + min(timedelta(seconds=_seconds(position.account, adapter)), CLAIM / 2)
    if PollPosition.objects.filter(account_id=account_id, failures=0, next_at__gt=at, next_at__lte=ordinary).update(next_at=at):
        dispatch.after_commit("omni.tasks.poll_account", delay=(at - now).total_seconds(), expires=60, account_id=account_id)


def _keep(turn: _Turn, page: Polled, *, now: datetime) -> int:
    """The events and the position in one transaction: a killed process neither loses nor repeats anything."""
    with transaction.atomic():
        kept = [journal.keep(account=turn.account, event=event) for event in page.events]
        fresh = [event for event in kept if event is not None and event.state == EventState.RECEIVED]
        turn.move(cursor=dict(page.cursor), read_at=now, next_at=timezone.now() + CLAIM)
        if fresh:
            transaction.on_commit(lambda: dispatch.wake("omni.tasks.drain_journal"))
    return len(fresh)


def _note_fault(turn: _Turn, fault: PollFault | SecretLost, *, now: datetime) -> None:
    """Ask again later; an account that cannot be read counts as degraded, with the reason."""
    with transaction.atomic():
        position = PollPosition.objects.select_for_update().filter(account=turn.account, next_at=turn.until).first()
        if position is None:
            return  # another process has taken it over
        asked = fault.after if isinstance(fault, PollFault) else None
        wait = asked if asked is not None else BACK_OFF[min(position.failures, len(BACK_OFF) - 1)]
        position.failures, position.next_at = min(position.failures + 1, MOST_FAILURES), now + timedelta(seconds=wait)
        position.save(update_fields=["failures", "next_at"])
        if position.failures > 1 or (isinstance(fault, PollFault) and fault.refused):
            ChannelAccount.objects.filter(pk=turn.account.pk).exclude(state=AccountState.DISABLED).update(
                state=AccountState.DEGRADED, state_reason=str(fault)[:240]
            )
    log.warning("provider could not be asked", account=turn.account.pk, reason=str(fault))
