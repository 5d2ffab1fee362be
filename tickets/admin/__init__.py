"""What supervisors see of tickets."""

from tickets.admin import cases, promises, topics

__all__ = ["cases", "promises", "topics"]
