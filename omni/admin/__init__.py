"""Admin pages of omni: channels and queues, the inbound journal, what became of dialogues and sends."""

from omni.admin import accounts, calls, facts, journal

__all__ = ["accounts", "calls", "facts", "journal"]
