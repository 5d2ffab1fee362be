"""A message as its channel gets it."""

from collections.abc import Sequence

from core.statements import Prepared
from omni.channels.contract import Outgoing, OutgoingFile, Template
from omni.channels.registry import adapter_for
from omni.models import Attachment, Attempt, Message, MessageChoices, TemplateUse
from omni.services import files

REFERENCES = 20


def build(attempt: Attempt) -> Outgoing:
    """What the adapter sends for this attempt; the same message has the same key at every try."""
    message = attempt.message
    session = message.session
    # Both sides' ids: whoever answers to any of them stays in this thread.
    references = _BEFORE.all(session=session.pk, seq=message.seq)
    chosen = MessageChoices.objects.filter(message=message.pk).first() if message.is_automatic else None
    return Outgoing(
        key=str(message.public_id),
        recipient=session.identity.address or session.identity.external_id,
        text=message.text,
        files=[OutgoingFile(name=file.name, mime=file.mime, data=files.read(file)) for file in files_of(message.pk)],
        reply_to=message.reply_to,
        subject=session.subject,
        references=references[::-1],
        token=str(session.pk),
        automatic=message.is_automatic,
        already_sent=_already_sent(attempt),
        choices=chosen.labels if chosen else None,
        asks_phone=bool(chosen and chosen.asks_phone),
        template=_template(message.pk) if adapter_for(attempt.account.kind).capabilities.templates else None,
    )


_BEFORE = Prepared(
    lambda session, seq: (
        Message.objects.filter(session_id=session, seq__lt=seq)
        .exclude(external_id="")
        .order_by("-seq")
        .values_list("external_id", flat=True)[:REFERENCES]
    )
)
_FILES = Prepared(lambda message: Attachment.objects.filter(message_id=message).order_by("pk"))


def files_of(message_id: int) -> Sequence[Attachment]:
    """The files that go with a message, in their order."""
    return _FILES.all(message=message_id)


def _template(message_id: int) -> Template | None:
    used = TemplateUse.objects.filter(message=message_id).first()
    return Template(name=used.name, language=used.language, parameters=tuple(used.parameters)) if used else None


def _already_sent(attempt: Attempt) -> list[str]:
    """Parts that earlier attempts of a message of several calls got through."""
    if attempt.number == 1:
        return []
    earlier = Attempt.objects.filter(message=attempt.message_id, number__lt=attempt.number).order_by("number")
    return [ref for refs in earlier.values_list("external_ids", flat=True) for ref in refs]
