"""The editor of dialogues with its try-out, and the talks of bots with guests."""

from bots.admin import dialogues, runs, steps, versions

__all__ = ["dialogues", "runs", "steps", "versions"]
