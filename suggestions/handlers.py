"""What the suggestions hear."""

from django.utils import timezone

from core.events import on
from omni.events import MessageReceived
from suggestions.services import choosing, suggesting
from tickets.events import CaseOpened


@on(MessageReceived)
def suggest(event: MessageReceived) -> None:
    """Topics stand beside the picker before anybody opens it."""
    suggesting.on_message(session_id=event.session_id, now=timezone.now())


@on(CaseOpened)
def note_choice(event: CaseOpened) -> None:
    """The choice beside the suggestion; a sweep finds what is missed here."""
    choosing.note(case_id=event.case_id)
