"""Admin pages of omni: channels and queues, the inbound journal, what became of dialogues, sends, notices."""

from omni.admin import accounts, calls, facts, journal, notices

__all__ = ["accounts", "calls", "facts", "journal", "notices"]
