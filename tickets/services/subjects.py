"""What a dialogue is about, told to omni: whoever gets it next should know the subject (skills that dialogues need, by topic)."""

from core.statements import Among, Prepared, update
from omni.models import Session
from tickets.models import Topic
from tickets.services import topics

_CODES = Prepared(lambda ids: Topic.objects.filter(Among("pk", ids)).values_list("pk", "code"))


def note_topic(session: Session, topic: Topic) -> None:
    """The locked session is about this topic, and so about those above it."""
    codes = codes_of(topic.pk)
    if session.topics != codes:
        session.topics = codes
        update(session, "topics")


def codes_of(topic_id: int) -> list[str]:
    """Codes of the topic and of those above it, the topic's own first."""
    ids = topics.line_of(topic_id)
    codes = dict(_CODES.all(ids=ids))
    return [codes[pk] for pk in ids if pk in codes]
