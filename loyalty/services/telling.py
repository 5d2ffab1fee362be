"""Guests hear of their points: by the event at once, and by a sweep whatever was missed."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from loyalty.models import Compensation
from loyalty.notices import notifiers
from loyalty.states import NoticeState

log = structlog.get_logger(__name__)
AT_ONCE = 100
PAUSE = timedelta(minutes=1)
TRIES = 20


def tell_due(*, now: datetime) -> int:
    """Give the notices that wait; how many guests were told. A way that is at fault is tried again, TRIES times."""
    due = Compensation.objects.filter(notice=NoticeState.WAITING, notice_next_at__lte=now).order_by("notice_next_at")
    return sum(tell(compensation_id=pk, now=now) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


def tell(*, compensation_id: UUID, now: datetime) -> bool:
    """Tell the guest once; False when another process is at it, nobody has a way, or the way is at fault."""
    if not notifiers():  # none is registered yet: it waits as for a way that is at fault
        _later(compensation_id, now)
        return False
    try:
        with transaction.atomic():
            found = (
                Compensation.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
                .select_related("guest")
                .filter(pk=compensation_id, notice=NoticeState.WAITING)
                .first()
            )
            if found is None:
                return False
            told = any(notifier.tell(found, now=now) for notifier in notifiers())
            state = NoticeState.GIVEN if told else NoticeState.NO_WAY
            Compensation.objects.filter(pk=found.pk).update(notice=state, notice_next_at=None)
            return told
    except Exception:  # whatever is wrong with one way to one guest must not hold up the others
        log.exception("notice of points failed", compensation=str(compensation_id))
        _later(compensation_id, now)
        return False


def _later(compensation_id: UUID, now: datetime) -> None:
    found = Compensation.objects.get(pk=compensation_id)
    tries = found.notice_tries + 1
    state, next_at = (NoticeState.NO_WAY, None) if tries >= TRIES else (NoticeState.WAITING, now + PAUSE * tries)
    waiting = Compensation.objects.filter(pk=found.pk, notice=NoticeState.WAITING)
    waiting.update(notice_tries=tries, notice=state, notice_next_at=next_at)
