"""A look at a guest's contacts: each one is recorded."""

from datetime import datetime

from django.db import transaction

from accounts.models import Staff
from core import audit
from customers.models import Guest


@transaction.atomic
def reveal(*, guest: Guest, by: Staff, now: datetime) -> dict[str, str]:
    """The guest's telephone and e-mail unmasked. The caller has checked the right and that the guest may be seen."""
    audit.record(action="guest.contacts_seen", by=by, subject=guest, now=now)
    return {"phone": guest.phone, "email": guest.email}
