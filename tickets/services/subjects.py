"""What a dialogue is about, told to omni: whoever gets it next should know the subject (skills that dialogues need, by topic)."""

from core.statements import update
from omni.models import Session
from tickets.models import Topic
from tickets.services import topics


def note_topic(session: Session, topic: Topic) -> None:
    """The locked session is about this topic, and so about those above it."""
    codes = codes_of(topic.pk)
    if session.topics != codes:
        session.topics = codes
        update(session, "topics")


def codes_of(topic_id: int) -> list[str]:
    """Codes of the topic and of those above it, the topic's own first."""
    tree = topics.facts()
    return [tree[pk].code for pk in topics.line_of(topic_id) if pk in tree]
