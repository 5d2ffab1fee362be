"""What the bots hear."""

from django.utils import timezone

from bots.services import talking
from core.events import on
from omni.events import SendFailed


@on(SendFailed)
def leave_to_people(event: SendFailed) -> None:
    """A word of a bot that never reaches the guest leaves somebody waiting; the silence's end finds what is missed here."""
    if event.author_id is None:
        talking.leave(event.message_id, now=timezone.now())
