"""The topic tree as a whole, kept in the process for a moment: a thousand openings read it once."""

import time
from collections.abc import Mapping

from tickets.models import Topic
from tickets.routing import Resolved, TopicFacts, resolve

KEPT_SECONDS = 10
_kept: list[tuple[float, Mapping[int, TopicFacts]]] = []


def facts() -> Mapping[int, TopicFacts]:
    """All topics by id, at most KEPT_SECONDS old."""
    if _kept and time.monotonic() - _kept[0][0] < KEPT_SECONDS:
        return _kept[0][1]
    fields = (
        "id", "parent_id", "name", "group_id", "policy_id", "line_id", "store_involved", "store_required", "instruction", "is_active",
    )  # fmt: skip
    found = {row["id"]: TopicFacts(**row) for row in Topic.objects.values(*fields)}
    _kept[:] = [(time.monotonic(), found)]
    return found


def forget() -> None:
    """Read the tree anew at the next use."""
    _kept.clear()


def resolved(topic: Topic) -> Resolved:
    """The topic with what it inherits."""
    tree = facts()
    if topic.pk not in tree:
        forget()
        tree = facts()
    return resolve(topic.pk, tree)


def line_of(topic_id: int) -> list[int]:
    """The topic and those above it, its own id first; a circle ends where it closes."""
    tree, ids = facts(), []
    here: int | None = topic_id
    while here is not None and here not in ids:
        ids.append(here)
        here = tree[here].parent_id if here in tree else None
    return ids
