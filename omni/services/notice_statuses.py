"""What becomes of notices that were sent: told by the vendors, or asked of them."""

from datetime import datetime

import structlog
from django.db import transaction

from core.secrets import SecretLost
from core.text import storable
from omni.channels.abilities import Tracking
from omni.channels.contract import PollFault
from omni.channels.phones import without_numbers
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount, Notice, NoticeAttempt
from omni.services.notice_rows import ARRIVED, end, next_question, queue
from omni.states import SEND_MOVES, SendState

log = structlog.get_logger(__name__)


def apply(*, account: ChannelAccount, external_id: str, state: str, error: str, now: datetime) -> None:
    """A vendor's word on one of our sends. Never backwards; it may settle a send whose answer never came."""
    found = NoticeAttempt.objects.filter(account=account, external_ids__contains=[external_id]).order_by("-pk")
    known = found.values_list("pk", "notice_id").first()
    if known is None:
        log.info("a status of a notice that is not ours", account=account.pk)
        return
    with transaction.atomic():
        notice = Notice.objects.select_for_update().get(pk=known[1])
        attempt = NoticeAttempt.objects.select_for_update().get(pk=known[0])
        doubtful = attempt.possibly_delivered and attempt.state == SendState.FAILED
        if state not in SEND_MOVES[attempt.state] and not doubtful:
            return
        attempt.state, attempt.possibly_delivered = SendState(state), False
        attempt.is_permanent = attempt.state == SendState.FAILED
        attempt.error_text = without_numbers(storable(error))[:400] if error else attempt.error_text
        attempt.ask_at = next_question(attempt, now=now) if attempt.state == SendState.SENT else None
        attempt.save()
        _carry_over(notice, attempt, now=now)
        notice.save()


def _carry_over(notice: Notice, attempt: NoticeAttempt, *, now: datetime) -> None:
    """What a try's new state means for its notice: the best of all its tries; if none got through, the next way."""
    states = set(notice.attempts.exclude(pk=attempt.pk).values_list("state", flat=True)) | {attempt.state}
    best = next((state for state in reversed(ARRIVED) if state in states), None)
    if best is not None:
        notice.possibly_delivered = False
        end(notice, best, "", now=now)
    elif notice.state not in (SendState.SENDING, SendState.QUEUED) and not states & {SendState.SENDING}:
        if notice.attempts.exclude(pk=attempt.pk).filter(possibly_delivered=True).exists():
            return
        notice.possibly_delivered = False
        queue(notice, now, code=attempt.error_code or "undelivered", now=now)


def find_unanswered(*, now: datetime, limit: int = 200) -> list[int]:
    """Tries about which the vendor is to be asked."""
    return list(NoticeAttempt.objects.filter(ask_at__lte=now).order_by("ask_at").values_list("pk", flat=True)[:limit])


def ask(attempt_id: int, *, now: datetime) -> None:
    """Ask the vendor what became of a send; it is counted before the question, so that no fault makes it endless."""
    with transaction.atomic():
        open_ones = NoticeAttempt.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=attempt_id, ask_at__lte=now)
        attempt = open_ones.select_related("account").first()
        if attempt is None:
            return
        attempt.asked += 1
        attempt.ask_at = next_question(attempt, now=now)
        attempt.save(update_fields=["asked", "ask_at"])
    account, adapter = attempt.account, adapter_for(attempt.account.kind)
    try:
        item = adapter.track(attempt.external_ids, attempt.recipient, account.config()) if isinstance(adapter, Tracking) else None
    except (PollFault, SecretLost) as fault:
        log.warning("the provider does not say what became of a notice", attempt_id=attempt_id, fault=str(fault))
        return
    if item is not None and item.state is not None:
        apply(account=account, external_id=item.external_id, state=item.state.value, error=item.error, now=now)
