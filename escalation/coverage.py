"""Times in which a level would reach nobody: pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from escalation.states import HoleKind

# What a level reaches at an instant: None = it is covered, else the kind of hole and who is missing.
Finding = tuple[HoleKind, str] | None


@dataclass(frozen=True)
class Gap:
    kind: HoleKind
    starts_at: datetime
    ends_at: datetime
    missing: str


def gaps(edges: Sequence[datetime], until: datetime, look: Callable[[datetime], Finding]) -> Iterator[Gap]:
    """Holes between the first edge and `until`, equal neighbours joined. `edges` are the instants at which anything may change."""
    open_gap: Gap | None = None
    for start, end in zip(edges, [*edges[1:], until], strict=True):
        found = look(start)
        if open_gap and found and (open_gap.kind, open_gap.missing) == found:
            open_gap = Gap(open_gap.kind, open_gap.starts_at, end, open_gap.missing)
            continue
        if open_gap:
            yield open_gap
        open_gap = Gap(found[0], start, end, found[1]) if found else None
    if open_gap:
        yield open_gap
