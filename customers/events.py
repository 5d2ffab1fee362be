"""What customers tells, after commit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IdentityVerified:
    """Who an identity is has been vouched for; a sweep over `link_due` finds those whose news was lost."""

    identity_id: int


@dataclass(frozen=True)
class GuestsMerged:
    """`gone` goes on as `kept`, or (`undone`) is a guest of its own again."""

    kept_id: int
    gone_id: int
    undone: bool = False
