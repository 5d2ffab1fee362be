"""What people chose in the end: the measure of the suggestions, and what the next model learns from."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from core.statements import Prepared, insert, update
from suggestions.models import Suggestion
from suggestions.rules import what_was_said
from suggestions.services import current, suggesting
from suggestions.services.words import said_before
from tickets.models import Case

# A choice that no event brought is found within this time.
LOOKED_BACK = timedelta(days=2)
AT_ONCE = 500
# A suggestion that came to no ticket serves nothing any more.
KEPT_WITHOUT_CHOICE = timedelta(days=30)

_CASE = Prepared(lambda pk: Case.objects.filter(pk=pk).values_list("session_id", "topic_id", "opened_at"))
_WAITING = Prepared(lambda session: Suggestion.objects.filter(session_id=session, case__isnull=True))


def note(*, case_id: int) -> bool:
    """Write down the topic of a new ticket beside what was suggested for its dialogue. False when nothing was suggested."""
    found = _CASE.first(pk=case_id)
    waiting = _WAITING.first(session=found[0]) if found else None
    if found is None or waiting is None or waiting.at > found[2]:
        return False
    waiting.case_id, waiting.chosen_id, waiting.chosen_at = case_id, found[1], found[2]
    update(waiting, "case", "chosen", "chosen_at")
    return True


def note_missed(*, now: datetime) -> int:
    """Choices that no event brought, and tickets for which nothing had been suggested: these are asked about now, unseen by anybody.

    Returns how many were written down; at most AT_ONCE a call.
    """
    if not current.rules().is_on:
        return 0
    known = Exists(Suggestion.objects.filter(case=OuterRef("pk")))
    missed = Case.objects.filter(
        ~known, guest__isnull=False, opened_at__gte=now - LOOKED_BACK, opened_at__lt=now - timedelta(minutes=1)
    ).order_by("pk")
    opened = dict(missed.values_list("pk", "opened_at")[:AT_ONCE])
    for pk, topic, text in said_before(missed.filter(pk__in=list(opened)).order_by("pk")):
        if not note(case_id=pk):
            _ask_unseen(pk, topic, text, opened[pk])
    return len(opened)


def _ask_unseen(case_id: int, topic_id: int, text: str, opened_at: datetime) -> None:
    found = suggesting.find(what_was_said("", [text]))
    asked = Suggestion(
        session_id=Case.objects.values_list("session_id", flat=True).get(pk=case_id),
        at=opened_at,
        version_id=found.version_id,
        topics=[guess.topic_id for guess in found.guesses],
        confidences=[round(guess.confidence, 4) for guess in found.guesses],
        case_id=case_id,
        chosen_id=topic_id,
        chosen_at=opened_at,
    )
    insert(asked, or_nothing=True)


def forget_unchosen(*, now: datetime) -> int:
    """Remove suggestions that came to nothing; returns how many."""
    return Suggestion.objects.filter(case__isnull=True, at__lt=now - KEPT_WITHOUT_CHOICE).delete()[0]
