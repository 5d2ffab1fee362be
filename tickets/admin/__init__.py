"""What supervisors see of tickets."""

from tickets.admin import cases, life, promises, rules, topics, versions

__all__ = ["cases", "life", "promises", "rules", "topics", "versions"]
