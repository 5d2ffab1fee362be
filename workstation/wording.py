"""Words of the screen that depend on a code: channels, states of a send."""

from collections.abc import Mapping
from functools import cache

from django.conf.locale import LANG_INFO
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from omni.channels.registry import adapter_for, kinds
from omni.channels.telephony.exchange import Exchange
from omni.states import SendState

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
    return channel_names().get(kind, kind)


def channel_names() -> dict[str, str]:
    """All channels by their code, as people call them, in the order of their names."""
    return _channel_names(get_language())


@cache
def _channel_names(_language: str) -> dict[str, str]:
    return dict(sorted(((kind, str(adapter_for(kind).form.name)) for kind in kinds()), key=lambda one: one[1].lower()))


def language_name(code: str) -> str:
    """The language by its two letters (ISO 639-1) as the reader calls it; one that Django does not know by the letters."""
    return str(_t(LANG_INFO[code]["name"])) if code in LANG_INFO else code


@cache
def call_channels() -> list[str]:
    """Codes of the channels that are heard, not read."""
    return [kind for kind in kinds() if isinstance(adapter_for(kind), Exchange)]
