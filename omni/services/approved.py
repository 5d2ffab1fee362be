"""Texts that a provider has approved: the only way to a guest whose reply window is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.text import storable
from omni.message_templates import fill
from omni.models import Message, MessageTemplate, Session, TemplateUse
from omni.services.reach import capabilities_of
from omni.states import TemplateState


@dataclass(frozen=True)
class Choice:
    """An approved text with the values of its places."""

    template_id: int
    values: Sequence[str] = ()


def list_approved(session: Session) -> Sequence[MessageTemplate]:
    """The texts that may be sent in this dialogue."""
    if not capabilities_of(session).templates:
        return []
    return list(MessageTemplate.objects.filter(account=session.account_id, state=TemplateState.APPROVED).order_by("name", "language"))


def filled(session: Session, choice: Choice) -> tuple[MessageTemplate, str]:
    """The chosen row and its text with the places filled in. Raises Refusal."""
    if not capabilities_of(session).templates:
        raise Refusal("no_templates", _("This channel has no approved texts."), status=400)
    row = MessageTemplate.objects.filter(account=session.account_id, pk=choice.template_id).first()
    if row is None or row.state != TemplateState.APPROVED:
        raise Refusal("template_unknown", _("There is no such approved text, or the provider no longer allows it."), status=400)
    try:
        return row, fill(row.body, [storable(value) for value in choice.values])
    except ValueError:
        raise Refusal("template_values", _("Fill in every place of the text, each in one line."), status=400) from None


def keep_use(*, message: Message, row: MessageTemplate, choice: Choice) -> None:
    """The message is this approved text; what was chosen stays with it."""
    values = [storable(value) for value in choice.values]
    TemplateUse.objects.create(message=message, name=row.name, language=row.language, parameters=values)
