"""What a dialogue is about, as the distribution is told."""

from tickets.models import Topic

DEEPEST = 10


def line_of(code: str) -> list[str]:
    """The code of a topic and of those above it; empty when there is no such topic (any more)."""
    line: list[str] = []
    topic = Topic.objects.filter(code=code).first() if code else None
    while topic is not None and len(line) < DEEPEST:
        line.append(topic.code)
        topic = Topic.objects.filter(pk=topic.parent_id).first() if topic.parent_id else None
    return line
