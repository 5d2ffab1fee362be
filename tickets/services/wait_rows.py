"""The row of a ticket's wait: ended with the wait itself, whatever ended it."""

from datetime import datetime

from tickets.models import Case, CaseWait


def end(case: Case, *, now: datetime) -> None:
    """The locked ticket waits no longer: its timer stops."""
    CaseWait.objects.filter(case=case, ended_at__isnull=True).update(ended_at=now, next_at=None)
