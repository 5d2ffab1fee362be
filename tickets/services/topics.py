"""The topic tree as a whole, kept in the process for a moment: a thousand openings read it once."""

from collections import defaultdict
from collections.abc import Mapping

from tickets.models import Topic, TopicDetail
from tickets.routing import DetailRule, Resolved, TopicFacts, resolve
from tickets.services.kept import Kept

_FIELDS = (
    "id", "parent_id", "name", "group_id", "policy_id", "line_id", "store_involved", "store_required", "instruction", "is_active",
    "needs_approval", "code",
)  # fmt: skip


def _read() -> Mapping[int, TopicFacts]:
    details: dict[int, list[DetailRule]] = defaultdict(list)
    for topic_id, code, need in TopicDetail.objects.values_list("topic_id", "detail__code", "need"):
        details[topic_id].append(DetailRule(code, need))
    return {row["id"]: TopicFacts(**row, details=tuple(details[row["id"]])) for row in Topic.objects.values(*_FIELDS)}


_kept = Kept(_read)


def facts() -> Mapping[int, TopicFacts]:
    """All topics by id, as published; a publication is noticed within a second."""
    return _kept.get()


def forget() -> None:
    """Read the tree anew at the next use."""
    _kept.forget()


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
