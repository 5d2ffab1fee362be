"""Calendars and promises as rows that a supervisor edits, and the clocks that run."""

from sla.admin import calendars, clocks

__all__ = ["calendars", "clocks"]
