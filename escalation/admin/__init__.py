"""Admin pages of escalation: maps, duty, what runs, what was found."""

from escalation.admin import checks, maps, runs, schedules

__all__ = ["checks", "maps", "runs", "schedules"]
