"""A message that failed for good: its queue may want another channel to be tried by itself."""

from datetime import datetime

from omni import dispatch
from omni.models import Fallback, FallbackStep, Message, Session


def note(*, session: Session, message: Message, now: datetime) -> None:
    """Write the wish down in the transaction of the failure; the worker, or the sweep, looks for a channel. Once for each message."""
    if message.author_id is None and not Fallback.objects.filter(message=message).exists():
        return  # what a machine wrote is worth no second channel, unless it is itself a second try
    if not FallbackStep.objects.filter(queue=session.queue_id).exists():
        return
    reason = message.send_error[:240]
    wish, made = Fallback.objects.get_or_create(origin=message, defaults={"reason": reason, "at": now})
    if made:
        dispatch.after_commit("omni.tasks.fall_back", fallback_id=wish.pk)


def forget(message: Message) -> None:
    """A person sends the message again in its own channel: no other one is looked for."""
    Fallback.objects.filter(origin=message, message=None).delete()
