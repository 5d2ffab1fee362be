"""Channels, the inbound journal, conversations, sends, presence."""

from omni.models.accounts import ChannelAccount, Queue
from omni.models.conversations import Attachment, Letter, Message, MessageVersion, Session
from omni.models.journal import InboundEvent
from omni.models.presence import Decision, Presence
from omni.models.sending import Attempt, EarlyStatus

__all__ = [
    "Attachment",
    "Attempt",
    "ChannelAccount",
    "Decision",
    "EarlyStatus",
    "InboundEvent",
    "Letter",
    "Message",
    "MessageVersion",
    "Presence",
    "Queue",
    "Session",
]
