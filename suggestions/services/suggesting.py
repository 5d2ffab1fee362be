"""Topics are suggested: for a dialogue when its guest writes, or for any text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from core.statements import Prepared, insert, update
from omni.services import transfers
from omni.states import SessionState
from suggestions.models import Suggestion
from suggestions.rules import Guess, Sureness, guesses, sureness
from suggestions.services import current
from suggestions.services.words import Said, leaves, said_in
from tickets.models import Topic


def _waiting(suggestions: "QuerySet[Suggestion]") -> "QuerySet[Suggestion]":
    return suggestions.filter(case__isnull=True)


_WAITING = Prepared(lambda session: _waiting(Suggestion.objects.filter(session_id=session)))
# A session with a ticket goes to the ticket's people: nobody opens another one for each of its messages.
_OPEN_STATES = (SessionState.WAITING, SessionState.ACTIVE)


@dataclass(frozen=True)
class Found:
    """What is suggested, and by which version (None = the words of the topic tree)."""

    version_id: int | None
    guesses: Sequence[Guess]


def find(text: str) -> Found:
    """Topics for a text; none while suggestions are switched off. Nothing is kept."""
    rules = current.rules()
    if not rules.is_on:
        return Found(None, ())
    version, weights = current.model()
    found = weights.confidences(text)
    return Found(version, guesses(found, allowed=leaves(), most=rules.most_shown, least=rules.least_confidence))


def on_message(*, session_id: int, now: datetime) -> Suggestion | None:
    """The guest has written: suggest anew for the dialogue. None when it is switched off or the dialogue has its ticket."""
    said = said_in(session_id) if current.rules().is_on else None
    if said is None or said.state not in _OPEN_STATES:
        return None
    suggestion = _fresh(session_id, said, now=now)
    if suggestion is not None and said.state == SessionState.WAITING:
        _tell_distribution(suggestion)
    return suggestion


def show(*, session_id: int, now: datetime) -> Suggestion | None:
    """What to show a person who chooses a topic for this dialogue; it is written down that it was shown. None when switched off."""
    if not current.rules().is_on:
        return None
    suggestion = _fresh(session_id, said_in(session_id), now=now)
    if suggestion is not None and suggestion.shown_at is None:
        suggestion.shown_at = now
        update(suggestion, "shown_at")
    return suggestion


def guesses_of(suggestion: Suggestion) -> Sequence[Guess]:
    return [Guess(topic, confidence) for topic, confidence in zip(suggestion.topics, suggestion.confidences, strict=True)]


def in_words(confidence: float) -> Sureness:
    """The confidence in a word, by the rules."""
    rules = current.rules()
    return sureness(confidence, likely_from=rules.likely_from, possible_from=rules.possible_from)


def _fresh(session_id: int, said: Said, *, now: datetime) -> Suggestion | None:
    """The dialogue's suggestion, made anew if the guest has written since. None when the guest has said nothing.

    Two processes at the same time: the first one's row stays, and is made anew at the next message or look.
    """
    if said.message_id is None:
        return None
    waiting = _WAITING.first(session=session_id)
    if waiting is not None and waiting.message_id == said.message_id:
        return waiting
    found = find(said.text)
    suggestion = waiting or Suggestion(session_id=session_id)
    suggestion.message_id, suggestion.at, suggestion.version_id, suggestion.shown_at = said.message_id, now, found.version_id, None
    suggestion.topics = [guess.topic_id for guess in found.guesses]
    suggestion.confidences = [round(guess.confidence, 4) for guess in found.guesses]
    if waiting is not None:
        update(waiting, "message", "at", "version", "topics", "confidences", "shown_at")
        return waiting
    made = insert(suggestion, or_nothing=True)
    return _WAITING.first(session=session_id) if made._state.adding else made


def _tell_distribution(suggestion: Suggestion) -> None:
    rules = current.rules()
    if not rules.for_distribution or not suggestion.topics or suggestion.confidences[0] < rules.likely_from:
        return
    with transaction.atomic():
        transfers.tell_topic(session_id=suggestion.session_id, topics=line_of(suggestion.topics[0]))


def line_of(topic_id: int) -> Sequence[str]:
    """Codes of the topic and of those above it."""
    above = dict(Topic.objects.values_list("pk", "parent_id"))
    line: list[int] = []
    here: int | None = topic_id
    while here is not None and here not in line:
        line.append(here)
        here = above.get(here)
    codes = dict(Topic.objects.filter(pk__in=line).values_list("pk", "code"))
    return [codes[pk] for pk in line if pk in codes]
