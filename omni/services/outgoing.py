"""A message as its channel gets it."""

from omni.channels.contract import Outgoing, OutgoingFile
from omni.models import Attempt, Letter
from omni.services import files


def build(attempt: Attempt) -> Outgoing:
    """What the adapter sends for this attempt; the same message has the same key at every try."""
    message = attempt.message
    session = message.session
    letters = Letter.objects.filter(message__session=session).order_by("-message__seq")
    references = [letter.rfc_message_id for letter in letters[:20] if letter.rfc_message_id]
    return Outgoing(
        key=str(message.public_id),
        recipient=session.identity.address or session.identity.external_id,
        text=message.text,
        files=[OutgoingFile(name=file.name, mime=file.mime, data=files.read(file)) for file in message.attachments.order_by("pk")],
        reply_to=message.reply_to,
        subject=session.subject,
        references=references[::-1],
        token=str(session.pk),
        automatic=message.is_automatic,
    )
