"""Our day against the processing's day."""

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Sum

from loyalty.models import Operation, Processing
from loyalty.processing.contract import DayTotals, NoAnswer, Processor
from loyalty.services.outbox import processor_of
from loyalty.services.proof import Finding, raise_alarm
from loyalty.states import AlarmCheck, OperationState


def own_totals(processing: Processing, day: date) -> DayTotals:
    """What the processing confirmed to us of the operations made on this day (UTC)."""
    begins = datetime.combine(day, time(), UTC)
    found = Operation.objects.filter(
        processing=processing, state=OperationState.CONFIRMED, created_at__gte=begins, created_at__lt=begins + timedelta(days=1)
    ).aggregate(operations=Count("pk"), points=Sum("points"))
    return DayTotals(found["operations"], found["points"] or 0)


def compare(*, processing: Processing, day: date, now: datetime, processor: Processor | None = None) -> bool:
    """Whether both sides have the same day; a difference raises an alarm. Raises NoAnswer."""
    theirs, ours = (processor or processor_of(processing)).totals(day), own_totals(processing, day)
    if theirs == ours:
        return True
    text = f"{ours.operations} operations here, {theirs.operations} there"
    raise_alarm(Finding(AlarmCheck.PROCESSING, f"day:{processing.pk}:{day}", ours.points, theirs.points), now=now, text=text)
    return False


def compare_all(*, day: date, now: datetime) -> None:
    """The day at every active processing; one that gives no answer raises an alarm, too."""
    for processing in Processing.objects.filter(is_active=True):
        try:
            compare(processing=processing, day=day, now=now)
        except NoAnswer as fault:
            raise_alarm(Finding(AlarmCheck.PROCESSING, f"day:{processing.pk}:{day}", None, None), now=now, text=str(fault))
