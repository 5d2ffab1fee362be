"""To have a matter in hand is to have its subject: a ticket is taken together with its ladder."""

from datetime import datetime

from django.db import transaction

from accounts.models import Staff
from escalation import subjects
from escalation.models import Run
from escalation.services import runs
from escalation.states import OPEN


def take(*, run_id: int, by: Staff, now: datetime) -> Run:
    """“I am on it”: the person takes the subject and its ladder. Taking what one has confirms it. Raises Run.DoesNotExist, Refusal."""
    run = Run.objects.get(pk=run_id)
    with transaction.atomic():
        found = subjects.of(run.subject)
        if found is not None and run.state in OPEN and run.holder_id != by.pk:
            kind, subject_id = found
            kind.take(subject_id, by=by, now=now)
        return runs.take(run_id=run_id, by=by, now=now)
