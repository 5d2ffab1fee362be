"""Topics that turned out to be one: the retired one keeps its tickets, and what names it means the other one from then on."""

from collections.abc import Mapping
from typing import Any

from tickets.models import AnswerTemplate, Topic


def join(code: str, into: str) -> None:
    """Retire a topic that is in use in favour of another one. Nothing when either is gone or has been retired by somebody already."""
    topic, other = (Topic.objects.filter(code=one, is_active=True).first() for one in (code, into))
    if topic is None or other is None or topic == other:
        return
    topic.is_active, topic.goes_on_as = False, other
    topic.save(update_fields=["is_active", "goes_on_as"])
    AnswerTemplate.objects.filter(topic=topic).update(topic=other)


def ship(facts: Mapping[str, Any]) -> None:
    """A joining that comes with the product."""
    join(facts["code"], facts["into"])


def going_on(topic: Topic) -> Topic:
    """The topic itself, or the one that it was joined to; an active one stands for itself whatever was once."""
    seen: set[int] = set()
    while not topic.is_active and topic.goes_on_as is not None and topic.pk not in seen:
        seen.add(topic.pk)
        topic = topic.goes_on_as
    return topic


def aliases() -> Mapping[int, int]:
    """Ids of retired topics and of those that they go on as."""
    retired = Topic.objects.filter(is_active=False, goes_on_as__isnull=False).select_related("goes_on_as")
    return {topic.pk: going_on(topic).pk for topic in retired}
