"""Closing with a cause of the topic's branch."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from tickets.models import Case, ClosingCause
from tickets.services import cases, topics
from tickets.services.kept import Kept
from tickets.states import Cause

_CAUSES = Kept(lambda: list(ClosingCause.objects.filter(is_active=True).order_by("position", "name")))


def list_causes(topic_id: int) -> Sequence[ClosingCause]:
    """What a ticket on the topic may be closed with: the branch's own causes first, the nearest topic's before those above it."""
    branch = topics.line_of(topic_id)
    places = {pk: place for place, pk in enumerate(branch)}
    fitting = [one for one in _CAUSES.get() if one.topic_id is None or one.topic_id in places]
    return sorted(fitting, key=lambda one: places.get(one.topic_id or 0, len(branch)))


def close(*, case_id: int, closing_id: int, note: str, by: Staff, now: datetime) -> Case:
    """Close a ticket with one of its branch's causes. Raises Refusal: a cause of other topics, a missing note."""
    topic_id = Case.objects.values_list("topic_id", flat=True).filter(pk=case_id).first() or 0
    closing = next((one for one in list_causes(topic_id) if one.pk == closing_id), None)
    if closing is None:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    if closing.needs_note and not note.strip():
        raise Refusal("note_needed", _("This cause needs a note: what was done, or why not."), status=400)
    return cases.close(case_id=case_id, cause=Cause(closing.kind), closing=closing, note=note, by=by, now=now)
