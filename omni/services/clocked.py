"""Dialogues whose clocks get other terms because a policy or a calendar has changed (registered with sla)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from omni.models import Session
from omni.services import conversations
from sla.services import clocks
from worklist.services import items
from worklist.states import Kind


class SessionClocks:
    """The dialogue is locked first, its row in the lists follows."""

    kind = "session"

    def carry_out(self, subject_id: int, deed: Callable[[str], int], *, policy: str, now: datetime) -> int:
        if not Session.objects.filter(pk=subject_id).exists():
            return 0
        session = conversations.lock(subject_id)
        changed = deed("")
        if changed:
            due = next((clock for clock in clocks.running(session.clock_subject) if clock.paused_at is None), None)
            values = {"due_at": due.due_at if due else None, "target_seconds": due.target_seconds if due else 0}
            items.put(kind=Kind.SESSION, subject_id=session.pk, values=values)
        return changed

    def names(self, ids: Sequence[int]) -> Mapping[int, str]:
        return {pk: _("dialogue %(number)d") % {"number": pk} for pk in ids}

    def find(self, words: str) -> Sequence[int]:
        """By the dialogue's number."""
        return [int(words)] if words.isdecimal() and len(words) <= 18 else []
