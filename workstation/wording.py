"""Words of the screen that depend on a code: channels, states of a send."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from omni.states import SendState

CHANNELS: Mapping[str, str | Promise] = {
    "telegram": _("Telegram"),
    "email": _("E-mail"),
    "webchat": _("Web chat"),
}
SEND_WORDS: Mapping[str, str | Promise] = {
    SendState.QUEUED: _("In the queue"),
    SendState.SENDING: _("Being sent"),
    SendState.SENT: _("Sent"),
    SendState.DELIVERED: _("Delivered"),
    SendState.READ: _("Read by the guest"),
    SendState.FAILED: _("Not sent"),
    SendState.CANCELLED: _("Taken back"),
}


def channel_name(kind: str) -> str:
    """The channel as people call it; an unknown one by its code."""
    return str(CHANNELS.get(kind, kind))
