"""What customers hears: a guest who becomes known belongs to a segment at once; the night finds what is missed here."""

from django.utils import timezone

from core.events import on
from customers.events import GuestsMerged, IdentityVerified
from customers.models import Identity
from customers.services import segments


@on(IdentityVerified)
def count_the_known(event: IdentityVerified) -> None:
    guest_id = Identity.objects.filter(pk=event.identity_id).values_list("guest_id", flat=True).first()
    if guest_id is not None:
        segments.count_one(guest_id, now=timezone.now())


@on(GuestsMerged)
def count_the_joined(event: GuestsMerged) -> None:
    for guest_id in sorted({event.kept_id, event.gone_id}):
        segments.count_one(guest_id, now=timezone.now())
