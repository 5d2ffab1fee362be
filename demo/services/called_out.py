"""What is called out in the demo day: people play the roles of the maps, tickets near their promise climb their ladders."""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Staff
from escalation import subjects
from escalation.models import Delivery, DutyRole, EscalationMap
from escalation.services import tick
from escalation.states import DeliveryState

# Who plays which role of the shipped maps.
PLAYED = {"lead": "senior", "supervisor": "supervisor", "owner": "supervisor"}
ANSWERS_FOR_MAPS = "supervisor"
REVIEWED_AGO = timedelta(days=12)


def call_out(*, now: datetime) -> None:
    """Start the ladders that are due; what they tell counts as told, nothing goes out."""
    people = {staff.login: staff for staff in Staff.objects.filter(login__in=PLAYED.values())}
    for code, login in PLAYED.items():
        if login in people:
            DutyRole.objects.filter(code=code, staff=None).update(staff=people[login])
    _review_maps(now=now)
    for kind in subjects.kinds():
        kind.start_due(now=now)
    while tick.tick(now=now) == tick.BATCH:
        pass
    Delivery.objects.filter(state__in=[DeliveryState.QUEUED, DeliveryState.NO_SENDER]).update(
        state=DeliveryState.SENT, next_at=None, sent_at=now
    )  # fmt: skip


def _review_maps(*, now: datetime) -> None:
    """The shipped maps have somebody who answers for them and has read them lately."""
    owner = Staff.objects.filter(login=ANSWERS_FOR_MAPS).first()
    if owner:
        reviewed_on = timezone.localdate(now - REVIEWED_AGO)
        EscalationMap.objects.filter(owner=None, reviewed_on=None).update(owner=owner, reviewed_on=reviewed_on)
