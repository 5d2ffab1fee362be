"""What supervisors see of tickets."""

from tickets.admin import cases, life, likeness, mass, promises, rules, topics, versions

__all__ = ["cases", "life", "likeness", "mass", "promises", "rules", "topics", "versions"]
