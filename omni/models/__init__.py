"""Channels, the inbound journal, conversations, sends, presence."""

from omni.models.accounts import ChannelAccount, Queue
from omni.models.calls import Call, Extension
from omni.models.chat import ChatNonce, ChatToken, ChatUpload, SessionFacts
from omni.models.conversations import Attachment, Letter, Message, MessageChoices, MessageVersion, Session
from omni.models.distribution import ChannelLimit, DeclineReason, Offer, Ring, Skill, SkillNeed, StaffSkill
from omni.models.journal import InboundEvent
from omni.models.mailboxes import MailboxCursor
from omni.models.notices import Notice, NoticeAttempt, NoticeConsent, NoticeMedium, PushToken
from omni.models.polling import PollPosition
from omni.models.presence import BreakKind, Decision, Holding, Presence, PresenceSpan
from omni.models.sending import Attempt, EarlyStatus, Fallback, FallbackStep, MessageTemplate, TemplateUse
from omni.models.silence import HourCount, Silence, SilenceRule

__all__ = [
    "Attachment",
    "Attempt",
    "BreakKind",
    "Call",
    "ChannelAccount",
    "ChannelLimit",
    "ChatNonce",
    "ChatToken",
    "ChatUpload",
    "Decision",
    "DeclineReason",
    "EarlyStatus",
    "Extension",
    "Fallback",
    "FallbackStep",
    "Holding",
    "HourCount",
    "InboundEvent",
    "Letter",
    "MailboxCursor",
    "Message",
    "MessageChoices",
    "MessageTemplate",
    "MessageVersion",
    "Notice",
    "NoticeAttempt",
    "NoticeConsent",
    "NoticeMedium",
    "Offer",
    "PollPosition",
    "Presence",
    "PresenceSpan",
    "PushToken",
    "Queue",
    "Ring",
    "Session",
    "SessionFacts",
    "Silence",
    "SilenceRule",
    "Skill",
    "SkillNeed",
    "StaffSkill",
    "TemplateUse",
]
