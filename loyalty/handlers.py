"""What loyalty hears of itself: a decided compensation is told to the guest at once; the sweep finds what is missed."""

from django.utils import timezone

from core.events import on
from loyalty.events import CompensationDecided
from loyalty.services import telling
from loyalty.states import CompensationState


@on(CompensationDecided)
def tell_the_guest(event: CompensationDecided) -> None:
    if event.state == CompensationState.GRANTED:
        telling.tell(compensation_id=event.compensation_id, now=timezone.now())
