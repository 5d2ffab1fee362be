"""What loyalty hears: a decided compensation is told to the guest, wallets follow their guests; sweeps find what is missed."""

from django.utils import timezone

from core.events import on
from customers.events import GuestsMerged
from loyalty.events import CompensationDecided
from loyalty.services import guest_merges, telling
from loyalty.states import CompensationState


@on(CompensationDecided)
def tell_the_guest(event: CompensationDecided) -> None:
    if event.state == CompensationState.GRANTED:
        telling.tell(compensation_id=event.compensation_id, now=timezone.now())


@on(GuestsMerged)
def wallets_follow(event: GuestsMerged) -> None:
    guest_merges.follow(guest_id=event.gone_id, now=timezone.now())
