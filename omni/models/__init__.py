"""Channels, the inbound journal, conversations, sends, presence."""

from omni.models.accounts import ChannelAccount, Queue
from omni.models.calls import Call, Extension
from omni.models.chat import ChatNonce, ChatToken, ChatUpload
from omni.models.conversations import Attachment, Letter, Message, MessageVersion, Session
from omni.models.journal import InboundEvent
from omni.models.mailboxes import MailboxCursor
from omni.models.polling import PollPosition
from omni.models.presence import Decision, Presence
from omni.models.sending import Attempt, EarlyStatus

__all__ = [
    "Attachment",
    "Attempt",
    "Call",
    "ChannelAccount",
    "ChatNonce",
    "ChatToken",
    "ChatUpload",
    "Decision",
    "EarlyStatus",
    "Extension",
    "InboundEvent",
    "Letter",
    "MailboxCursor",
    "Message",
    "MessageVersion",
    "PollPosition",
    "Presence",
    "Queue",
    "Session",
]
