"""Whether a guest can be written to in a dialogue just now, and if not, what can be done instead."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from omni.channels.abilities import PartlyAnswerable, PartlyPublic
from omni.channels.contract import Capabilities
from omni.channels.registry import adapter_for
from omni.models import MessageTemplate, Session
from omni.states import AccountState, TemplateState


def capabilities_of(session: Session) -> Capabilities:
    return adapter_for(session.account.kind).capabilities


def is_private(session: Session) -> bool:
    """Whether what is said in this dialogue stays between the guest and us."""
    adapter = adapter_for(session.account.kind)
    if isinstance(adapter, PartlyPublic):
        return adapter.is_private(session.identity.external_id)
    return adapter.capabilities.private


def has_private(kind: str) -> bool:
    """Whether any dialogue of the channel is private."""
    adapter = adapter_for(kind)
    return adapter.capabilities.private or isinstance(adapter, PartlyPublic)


def window_is_over(session: Session, *, now: datetime) -> bool:
    """Whether the channel lets only approved texts through, since the guest wrote too long ago or never."""
    window = capabilities_of(session).reply_window
    return window is not None and (session.last_inbound_at is None or now - session.last_inbound_at > window)


def obstacle(session: Session, *, now: datetime, approved: bool = False) -> Refusal | None:
    """Why nothing can be sent to the guest of this dialogue; None = nothing is in the way. `approved` = of a text the provider approved."""
    if refusal := _mute(session):
        return refusal
    if session.identity.blocked_at:
        return Refusal("blocked", _("The guest has blocked us in this channel."))
    if approved or not window_is_over(session, now=now):
        return None
    if capabilities_of(session).templates and has_approved(session):
        return Refusal("window_closed", _("The reply window of this channel is over. Only an approved text can be sent: choose one."))
    return Refusal("window_closed", _("The reply window of this channel is over. The guest can be reached through another channel only."))


def _mute(session: Session) -> Refusal | None:
    """The refusal of a dialogue that no text can be sent in, whatever the moment."""
    adapter = adapter_for(session.account.kind)
    if adapter.capabilities.text_limit == 0:
        return Refusal("unanswerable", _("This channel cannot be answered by text."), status=400)
    if isinstance(adapter, PartlyAnswerable) and not adapter.is_answerable(session.identity.external_id):
        words = _("This source cannot be answered from here; the answer must be written on its own site.")
        return Refusal("unanswerable", words, status=400)
    return None


def has_approved(session: Session) -> bool:
    return MessageTemplate.objects.filter(account=session.account_id, state=TemplateState.APPROVED).exists()


def is_switched_off(session: Session) -> bool:
    return session.account.state == AccountState.DISABLED
