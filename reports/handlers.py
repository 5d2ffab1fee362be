"""What the reports hear."""

from django.utils import timezone

from core.events import on
from reports.services import facts
from tickets.events import CaseClosed, CaseRated, CaseReopened


@on(CaseClosed)
def count_at_once(event: CaseClosed) -> None:
    """A closed ticket is in the reports the next moment."""
    facts.count(case_ids=[event.case_id], now=timezone.now())


@on(CaseReopened)
def take_out(event: CaseReopened) -> None:
    """A reopened ticket is not closed: it leaves the reports until it is."""
    facts.count(case_ids=[event.case_id], now=timezone.now())


@on(CaseRated)
def count_mark(event: CaseRated) -> None:
    """A mark comes after the close: the ticket is counted anew."""
    facts.count(case_ids=[event.case_id], now=timezone.now())
