"""The inbound journal: keep first, understand later. Replaying anything changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Staff
from core import audit
from core.statements import Prepared, insert, update
from core.text import first_line, storable
from omni import dispatch
from omni.channels.abilities import Acknowledging
from omni.channels.contract import Inbound, InboundKind, RawEvent, Unreadable
from omni.channels.email.adapter import TOO_LARGE_HEADER
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount, InboundEvent, Message
from omni.services import inbound
from omni.states import EventState

log = structlog.get_logger(__name__)
# A failure that is not the event's own fault (a database restart) passes: tried again after these seconds, then shown.
RETRY_AFTER = (5, 30, 120, 600)
SECRET_QUERY = "key"  # noqa: S105 - the name of a parameter
KEPT_HEADERS = frozenset({"content-type", "user-agent", "x-request-id", "content-length", TOO_LARGE_HEADER})


def keep(*, account: ChannelAccount, event: RawEvent) -> InboundEvent | None:
    """Store an event under its provider's key; None = it is there already. Call `process` after the commit."""
    key = storable(adapter_for(account.kind).event_key(event))[:200]
    made = InboundEvent(
        account=account,
        key=key,
        body=event.body,
        headers=_shown(event.headers),
        query=_asked(event.query, account),
        received_at=event.received_at,
    )
    # One statement and its own commit outside a transaction.
    insert(made, or_nothing=True)
    if not made._state.adding:
        return made
    return InboundEvent.objects.filter(account=account, key=key).defer("body").first()


def keep_refused(*, account: ChannelAccount, event: RawEvent, reason: str) -> None:
    """Store what cannot be taken as it is (too large, cut), with the reason, for a person to look at."""
    key = storable(f"refused:{adapter_for(account.kind).event_key(event)}")[:200]
    InboundEvent.objects.bulk_create(
        [
            InboundEvent(
                account=account,
                key=key,
                body=event.body,
                headers=_shown(event.headers),
                received_at=event.received_at,
                state=EventState.UNREADABLE,
                reason=reason,
            )
        ],
        ignore_conflicts=True,
    )


def _asked(query: Mapping[str, str], account: ChannelAccount) -> dict[str, str]:
    """The query of an event without the secret that a provider which signs nothing got as a part of our address."""
    hidden = set(account.config().secrets.values()) if query else set()
    return {name: value for name, value in query.items() if name != SECRET_QUERY and value not in hidden}


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers worth keeping; secrets and cookies are not."""
    return {name: storable(value) for name, value in headers.items() if name in KEPT_HEADERS}


def process(event_id: int, *, now: datetime, again: bool = False) -> EventState | None:
    """Turn a stored event into messages; safe to run twice and in parallel. None = another process has it, or it is done.

    `again` replays an event that was processed, ignored, unreadable or failed before.
    """
    try:
        with transaction.atomic():
            event = _claim(event_id, again=again)
            if event is None:
                return None
            _apply(event, now=now)
    except Exception as fault:  # whatever it was, the event stays in the journal with the reason
        log.exception("event could not be processed", event_id=event_id)
        _mark_failed(event_id, fault, now=now)
        return EventState.FAILED
    return EventState(event.state)


def _claim(event_id: int, *, again: bool) -> InboundEvent | None:
    return (_ANY if again else _RECEIVED).first(pk=event_id)


_ANY = Prepared(
    lambda pk: (
        InboundEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("account__queue__policy__calendar")
        .filter(pk=pk)
    )
)
_RECEIVED = Prepared(lambda pk: _ANY.queryset().filter(state=EventState.RECEIVED))


def _apply(event: InboundEvent, *, now: datetime) -> None:
    account = event.account
    try:
        items = adapter_for(account.kind).parse(event.raw(), account.config())
    except Unreadable as fault:
        _finish(event, EventState.UNREADABLE, reason=str(fault), now=now)
        return
    made = [inbound.apply(account=account, item=item, now=now) for item in items]
    messages = [message.pk for message in made if message is not None]
    if _comes_too_early(event, items, made):
        _wait(event, now=now)
        return
    ignored = [item for item in items if item.kind is InboundKind.IGNORED]
    if not items or len(ignored) == len(items):
        _finish(event, EventState.IGNORED, reason=_reason(ignored), now=now)
    else:
        event.message_ids = sorted({*event.message_ids, *messages})
        first = event.processed_at is None
        _finish(event, EventState.PROCESSED, reason="", now=now)
        if first and _awaited(event, items):
            dispatch.after_commit("omni.tasks.acknowledge_event", expires=60, event_id=event.pk)


def _comes_too_early(event: InboundEvent, items: Sequence[Inbound], made: Sequence[Message | None]) -> bool:
    """Whether a message is taken back, or a dialogue answered from outside, that is not here yet: vendors promise no order."""
    if event.processed_at is not None or event.tries >= len(RETRY_AFTER):
        return False
    return any(item.kind in _AFTER_ANOTHER and message is None for item, message in zip(items, made, strict=True))


_AFTER_ANOTHER = frozenset({InboundKind.DELETE, InboundKind.OUTSIDE})


def _wait(event: InboundEvent, *, now: datetime) -> None:
    """Look at the event again later; what else is in it is done and known by then."""
    event.reason, event.next_at = "what it is about is not here yet", now + timedelta(seconds=RETRY_AFTER[event.tries])
    event.tries += 1
    update(event, "reason", "next_at", "tries")


def _awaited(event: InboundEvent, items: Sequence[Inbound]) -> list[Inbound]:
    adapter = adapter_for(event.account.kind)
    return [item for item in items if isinstance(adapter, Acknowledging) and adapter.awaits(item)]


def acknowledge(event_id: int) -> None:
    """Tell the provider what it waits for about an event that was processed; a fault is only logged."""
    event = InboundEvent.objects.select_related("account").get(pk=event_id)
    adapter, config = adapter_for(event.account.kind), event.account.config()
    if not isinstance(adapter, Acknowledging):
        return
    for item in _awaited(event, adapter_for(event.account.kind).parse(event.raw(), config)):
        if not adapter.acknowledge(item, config):
            log.info("the provider did not take our acknowledgement", event_id=event_id)


def _reason(ignored: list[Inbound]) -> str:
    told = [f"{item.machine}: {first_line(item.subject or item.text)}" if item.machine else item.text for item in ignored]
    return "; ".join(one for one in told if one) or "nothing in it is for us"


def _finish(event: InboundEvent, state: EventState, *, reason: str, now: datetime) -> None:
    event.state, event.reason, event.processed_at = state, storable(reason), now
    update(event, "state", "reason", "processed_at", "message_ids")


def _mark_failed(event_id: int, fault: Exception, *, now: datetime) -> None:
    with transaction.atomic():
        event = InboundEvent.objects.select_for_update().get(pk=event_id)
        again = event.tries < len(RETRY_AFTER)
        event.reason = storable(f"{type(fault).__name__}: {fault}")[:2000]
        event.next_at = now + timedelta(seconds=RETRY_AFTER[event.tries]) if again else None
        event.state = EventState.RECEIVED if again else EventState.FAILED
        event.tries += 1
        event.save(update_fields=["state", "reason", "tries", "next_at"])


def find_left_behind(*, now: datetime, older_than: timedelta = timedelta(seconds=5), limit: int = 500) -> list[int]:
    """Ids of stored events that nobody has processed: their process died, or the queue lost them."""
    due = InboundEvent.objects.filter(state=EventState.RECEIVED, received_at__lt=now - older_than)
    waiting = due.exclude(next_at__gt=now)
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:limit])


def replay(*, event_ids: list[int], by: Staff, now: datetime) -> dict[str, int]:
    """Process the events anew, whatever became of them before; returns how many ended in which state."""
    with transaction.atomic():
        InboundEvent.objects.filter(pk__in=event_ids).update(tries=F("tries") + 1)
        details = {"events": event_ids[:1000], "count": len(event_ids)}
        audit.record(action="journal.replayed", by=by, subject="journal", now=now, details=details)
    ended: dict[str, int] = {}
    for event_id in event_ids:
        state = process(event_id, now=timezone.now(), again=True)
        ended[state or "busy"] = ended.get(state or "busy", 0) + 1
    return ended
