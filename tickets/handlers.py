"""What tickets hear."""

from django.utils import timezone

from core.events import on
from sla.events import ClockBreached
from tickets.models import Case, CaseStep
from tickets.states import Step


@on(ClockBreached)
def write_down_breach(event: ClockBreached) -> None:
    """A missed promise is part of the ticket's history."""
    kind, _colon, number = event.subject.partition(":")
    case = Case.objects.filter(pk=int(number)).first() if kind == "case" else None
    if case is not None:
        CaseStep.objects.create(
            case=case,
            step=Step.BREACHED,
            at=timezone.now(),
            state=case.state,
            group_id=case.group_id,
            owner_id=case.owner_id,
            details={"metric": event.metric},
        )
