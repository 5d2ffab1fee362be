"""What supervisors see of tickets."""

from tickets.admin import cases, topics

__all__ = ["cases", "topics"]
