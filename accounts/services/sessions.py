"""What signing in and out leaves behind."""

from datetime import datetime

from django.db import transaction

from accounts.models import Staff
from core import audit


def signed_in(*, staff: Staff, now: datetime, address: str | None) -> None:
    with transaction.atomic():
        audit.record(action="signed_in", by=staff, subject=staff, now=now, address=address)


def signed_out(*, staff: Staff, now: datetime) -> None:
    with transaction.atomic():
        audit.record(action="signed_out", by=staff, subject=staff, now=now)
