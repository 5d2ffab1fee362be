"""Texts of dialogues, cases and topics, in the one shape in which the model learns and is asked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf

from core.statements import Prepared
from omni.models import Message
from omni.states import Direction
from suggestions.models import SuggestionRules
from suggestions.rules import Document, document, is_held_out, what_was_said
from tickets.models import AnswerTemplate, Case, Topic
from tickets.services import joined_topics, topics

# Of a dialogue's messages the newest count: a session may be years old.
NEWEST = 5
Labelled = tuple[str, int]


@dataclass(frozen=True)
class Said:
    """What the guest of a dialogue has said; `message_id` is the newest message, None = nothing yet."""

    message_id: int | None
    text: str
    state: str = ""
    """The dialogue's (omni.states.SessionState)."""


def _of_guest(messages: "QuerySet[Message]") -> "QuerySet[Message]":
    return messages.filter(direction=Direction.IN, is_automatic=False, deleted_at__isnull=True).order_by("-seq")


_TEXT = Coalesce(NullIf(F("visible_text"), Value("", output_field=TextField())), F("text"), output_field=TextField())
_NEWEST = Prepared(
    lambda session: (
        _of_guest(Message.objects.filter(session_id=session))
        .annotate(said=_TEXT)
        .values_list("pk", "session__subject", "session__state", "said")[:NEWEST]
    )
)


def said_in(session_id: int) -> Said:
    """What the guest says in this dialogue."""
    found = _NEWEST.all(session=session_id)
    if not found:
        return Said(None, "")
    message_id, subject, state, _text = found[0]
    return Said(message_id, what_was_said(subject, [text for *_facts, text in found]), state)


def said_before(cases: "QuerySet[Case]") -> Iterator[tuple[int, int, str]]:
    """(case, topic, what the guest had said when it was opened) of these cases; the matter in short where the guest had not written."""
    messages = _of_guest(Message.objects.filter(session=OuterRef("session"), received_at__lte=OuterRef("opened_at")))
    rows = cases.annotate(said=ArraySubquery(messages.annotate(said=_TEXT).values("said")[:NEWEST]))
    for pk, topic, summary, subject, said in rows.values_list("pk", "topic_id", "summary", "session__subject", "said").iterator(2000):
        yield pk, topic, what_was_said(subject, said) if any(said) else summary


def documents() -> Mapping[int, Document]:
    """The own words of each topic that can be chosen."""
    tree = {topic.pk: topic for topic in Topic.objects.filter(is_active=True)}
    answers: dict[int, str] = {}
    for topic_id, text in AnswerTemplate.objects.filter(topic__isnull=False).values_list("topic_id", "text"):
        answers[topic_id] = f"{answers.get(topic_id, '')} {text}".strip()
    return {pk: _document(tree[pk], tree.get(tree[pk].parent_id or 0), answers.get(pk, "")) for pk in leaves() if pk in tree}


def _document(topic: Topic, branch: Topic | None, answers: str) -> Document:
    return document(name=topic.name, branch=branch.name if branch else "", instruction=topic.instruction, answers=answers)


def leaves() -> frozenset[int]:
    """Topics that a ticket can have: in use, none in use below them; at most a few seconds old."""
    facts = {pk: topic for pk, topic in topics.facts().items() if topic.is_active}
    return frozenset(facts) - {topic.parent_id for topic in facts.values() if topic.parent_id}


@dataclass(frozen=True)
class Choices:
    """Texts with the topics that people chose: to train on, and to measure on."""

    train: Sequence[Labelled]
    held_out: Sequence[Labelled]


def choices(rules: SuggestionRules) -> Choices:
    """The newest choices, of no topic more than its share."""
    train: list[Labelled] = []
    held_out: list[Labelled] = []
    of_topic: Counter[int] = Counter()
    usable, joined = leaves(), joined_topics.aliases()
    for case_id, chosen, text in said_before(_newest_cases(rules.most_cases)):
        topic = joined.get(chosen, chosen)
        if topic not in usable or not text.strip() or of_topic[topic] >= rules.most_of_topic:
            continue
        of_topic[topic] += 1
        (held_out if is_held_out(case_id) else train).append((text, topic))
    return Choices(train, held_out)


def _newest_cases(most: int) -> "QuerySet[Case]":
    return Case.objects.order_by("-pk")[:most]
