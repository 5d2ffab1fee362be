"""Branches of the topic tree, and the topics whose matters many guests tell of; kept for as long as the tree."""

import json
from collections.abc import Mapping

from tickets.models import SharedTopic
from tickets.routing import TopicFacts
from tickets.services import topics


def branch_of(topic_id: int) -> int:
    """The topic's ancestor without a parent; itself when it is unknown or stands at the top."""
    return line_of(topic_id)[-1]


def line_of(topic_id: int) -> list[int]:
    """The topic and those above it; a circle ends where it closes."""
    tree = topics.facts()
    if topic_id not in tree:
        topics.forget()
        tree = topics.facts()
    ids, here = [topic_id], tree[topic_id].parent_id if topic_id in tree else None
    while here is not None and here not in ids:
        ids.append(here)
        here = tree[here].parent_id if here in tree else None
    return ids


def branches_as_json() -> str:
    """Each topic's branch, by their ids."""
    return json.dumps({topic_id: branch_of(topic_id) for topic_id in topics.facts()})


def is_shared(topic_id: int) -> bool:
    """Whether many guests tell of one matter on this topic: it, or one above it, is named so."""
    return bool(set(line_of(topic_id)) & _shared())


_kept: list[tuple[Mapping[int, TopicFacts], frozenset[int]]] = []


def _shared() -> frozenset[int]:
    tree = topics.facts()
    if not _kept or _kept[0][0] is not tree:
        _kept[:] = [(tree, frozenset(SharedTopic.objects.values_list("topic_id", flat=True)))]
    return _kept[0][1]
