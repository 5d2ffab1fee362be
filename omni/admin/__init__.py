"""Admin pages of omni: channels and queues, the inbound journal, what became of dialogues, sends, notices."""

from omni.admin import accounts, calls, decisions, distribution, facts, journal, notices, outgoing, presence, silence

__all__ = ["accounts", "calls", "decisions", "distribution", "facts", "journal", "notices", "outgoing", "presence", "silence"]
