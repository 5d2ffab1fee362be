"""The tickets of a running mass job, one after another: the deed and its mark are one transaction, so a kill repeats nothing."""

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone, translation

from core.refusal import Refusal
from tickets.models import MassItem, MassJob
from tickets.services import mass_deeds

log = structlog.get_logger(__name__)
SLICE = 50
State = MassItem.State


def work(job_id: int) -> int:
    """Carry out at most SLICE tickets of the job; how many. Ends early when the job is stopped, or others have the rest."""
    with translation.override(settings.LANGUAGE_CODE):
        for number in range(SLICE):
            try:
                if not _next(job_id):
                    return number
            except OperationalError:
                # Another transaction had what we wanted: the ticket waits for the next slice.
                log.warning("a ticket of a mass job begins again", job=job_id)
    return SLICE


@transaction.atomic
def _next(job_id: int) -> bool:
    waiting = MassItem.objects.select_for_update(of=("self",), skip_locked=True).filter(job=job_id, state=State.WAITING)
    item = waiting.filter(job__state=MassJob.State.RUNNING).select_related("job__made_by", "case").order_by("pk").first()
    if item is None:
        return False
    now = timezone.now()
    item.at = now
    try:
        with transaction.atomic():
            item.message_id = mass_deeds.do(item.job, item.case, speaks=item.session_id is not None, now=now)
        item.state = State.DONE
    except Refusal as refusal:
        item.state, item.code, item.reason = State.REFUSED, refusal.code[:32], str(refusal.text)[:240]
    except OperationalError:
        raise
    except Exception:  # one ticket's fault must not stop the others
        log.exception("a ticket of a mass job failed", job=job_id, case=item.case_id)
        item.state, item.code = State.REFUSED, "fault"
    item.save(update_fields=["at", "message_id", "state", "code", "reason"])
    done, refused = (item.state == State.DONE), (item.state == State.REFUSED)
    MassJob.objects.filter(pk=job_id).update(done=F("done") + int(done), refused=F("refused") + int(refused))
    return True
