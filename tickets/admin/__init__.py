"""What supervisors see of tickets."""

from tickets.admin import approvals, asking, cases, life, likeness, mass, promises, rules, telling, topics, versions

__all__ = ["approvals", "asking", "cases", "life", "likeness", "mass", "promises", "rules", "telling", "topics", "versions"]
