"""Somebody is typing: true for seconds, kept nowhere, lost when Redis is away."""

from core.live import tell_now
from omni.models import Session
from omni.services import webchat

SHOWN_SECONDS = 6


def guest_group(guest_id: int) -> str:
    """The channel layer's group of screens that show this guest's feed."""
    return f"guest.{guest_id}"


def guest_types(*, guest_id: int, session_id: int, text_length: int) -> None:
    """Tell the screens of this guest. `text_length` in characters; 0 = stopped."""
    tell_now(
        guest_group(guest_id), {"kind": "guest_typing", "guest_id": guest_id, "session_id": session_id, "text_length": max(0, text_length)}
    )


def operator_types(*, session_id: int, typing: bool = True) -> None:
    """Tell the guest's open chat; a channel without such a thing hears nothing."""
    session = Session.objects.select_related("account", "identity").filter(pk=session_id).first()
    if session is not None and session.account.kind in webchat.KINDS:
        group = webchat.group_of(session.account.public_id, session.identity.external_id)
        tell_now(group, {"kind": "operator_typing", "typing": typing})
