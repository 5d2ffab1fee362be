"""A mail that came back: our message was not delivered."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from core.text import storable
from omni.channels.contract import DeliveryState, Inbound
from omni.channels.email.threading import read_key
from omni.models import ChannelAccount, Message
from omni.services import conversations, sending
from omni.states import Direction, SendState


def apply(*, account: ChannelAccount, item: Inbound, now: datetime) -> Message | None:
    """Mark our message failed (permanent) or leave it as it is (delayed); a line in the dialogue says why.

    None = not about a message of ours.

    `item.extra["bounce"]` as the mail channel gives it: recipient, status, permanent, address_invalid, diagnostic, original_message_id.
    """
    known = Message.objects.filter(account=account, external_id=storable(item.external_id)[:255]).first()
    if known is not None:
        return known
    report: Mapping[str, Any] = item.extra.get("bounce") or {}
    message = _ours(account, item, report)
    if message is None:
        return None
    words = in_words(report)
    session = conversations.lock(message.session_id)
    if report.get("permanent") and message.send_state != SendState.FAILED:
        ours = message.external_id or str(report.get("original_message_id", ""))
        sending.apply_status(account=account, external_id=ours, state=DeliveryState.FAILED.value, error=words, now=now)
    return conversations.add_line(session=session, direction=Direction.SYSTEM, text=words, by=None, now=now, external_id=item.external_id)


def _ours(account: ChannelAccount, item: Inbound, report: Mapping[str, Any]) -> Message | None:
    """By the signed id of the returned mail, else by the id we stored for it."""
    sent = Message.objects.filter(account=account, direction=Direction.OUT)
    for key in item.thread_keys:
        public_id = _message_id(key)
        message = sent.filter(public_id=public_id).first() if public_id else None
        if message is not None:
            return message
    original = storable(str(report.get("original_message_id") or ""))[:255]
    return sent.filter(external_id=original).first() if original else None


def _message_id(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(read_key(key).message)
    except ValueError:
        return None


def in_words(report: Mapping[str, Any]) -> str:
    """A delivery report for the operator."""
    if report.get("address_invalid"):
        sentence = _("The mail was not delivered: there is no mailbox %(recipient)s.")
    elif report.get("permanent"):
        sentence = _("The mail to %(recipient)s was not delivered.")
    else:
        sentence = _("The mail to %(recipient)s is delayed; its mail server goes on trying.")
    told = sentence.replace("%(recipient)s", str(report.get("recipient") or "?"))
    reason = " ".join(part for part in (str(report.get("status") or ""), str(report.get("diagnostic") or "")) if part)
    return f"{told} {reason}".strip()[:240]
