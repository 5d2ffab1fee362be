"""Events of guests: stored as the webhook stores them, processed as a worker processes them."""

import time

from django.utils import timezone

from bench.words import telegram_update
from omni.channels.contract import RawEvent
from omni.models import ChannelAccount, InboundEvent
from omni.services import journal
from omni.states import EventState
from tests import builders as b


def account(name: str = "bench") -> dict[str, str]:
    """A Telegram account with its queue; what its webhook needs."""
    made = b.an_account()
    return {"id": str(made.public_id), "secret": "demo-secret"}


def keep(*, account_id: str, first: int, number: int, guests: int) -> list[int]:
    """Store `number` events from update id `first` on: every second one of a new guest, the others of `guests` known ones in turn."""
    account = ChannelAccount.objects.get(public_id=account_id)
    for known in range(1, guests + 1):
        _keep(account, update=first - known, chat=known)
    for pk in _waiting(account):
        journal.process(pk, now=timezone.now())
    for update in range(first, first + number):
        _keep(account, update=update, chat=update if update % 2 else 1 + (update // 2) % guests)
    return _waiting(account)


def _waiting(account: ChannelAccount) -> list[int]:
    return list(InboundEvent.objects.filter(account=account, state=EventState.RECEIVED).order_by("pk").values_list("pk", flat=True))


def _keep(account: ChannelAccount, *, update: int, chat: int) -> None:
    body = telegram_update(update, chat=chat)
    journal.keep(account=account, event=RawEvent(body=body, headers={"content-type": "application/json"}, received_at=timezone.now()))


def process(*, ids: list[int]) -> dict[str, float]:
    """Process these events one after another; when it began and ended (this machine's monotonic clock)."""
    begun = time.monotonic()
    states = [journal.process(pk, now=timezone.now()) for pk in ids]
    ended = time.monotonic()
    wrong = [state for state in states if state != EventState.PROCESSED]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(ids)} events were not processed: {wrong[0]}")
    return {"begun": begun, "ended": ended, "number": len(ids)}


def warm_up(*, ids: list[int], warm: int) -> dict[str, float]:
    """`process` with its first `warm` events out of the measure: connections are open and plans are made then."""
    process(ids=ids[:warm])
    return process(ids=ids[warm:])


def stored(*, account_id: str) -> int:
    """How many events the account has."""
    return InboundEvent.objects.filter(account__public_id=account_id).count()
