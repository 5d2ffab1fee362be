"""Reads of suggestions: what to show beside the picker, and how often the model was right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from suggestions.models import Suggestion
from suggestions.rules import Guess, Hits, Sureness, percent
from suggestions.services.suggesting import in_words
from tickets.models import Topic
from tickets.selectors import list_topics

WEEKS = 12
SURENESS: dict[Sureness, str | Promise] = {
    Sureness.LIKELY: _("likely"),
    Sureness.POSSIBLE: _("possible"),
    Sureness.UNSURE: _("unsure"),
}


@dataclass(frozen=True)
class Offer:
    """A suggested topic as a person or a program reads it. `path` ends with `name`; `percent` and `words` say how sure it is."""

    id: int
    code: str
    name: str
    path: str
    store_required: bool
    confidence: float
    percent: int
    words: str


def offers(guesses: Sequence[Guess]) -> Sequence[Offer]:
    """The guesses with their topics' names in the reader's language; topics that were switched off meanwhile are left out."""
    if not guesses:
        return []
    choices = {topic.id: topic for topic in list_topics()}
    codes = dict(Topic.objects.filter(pk__in=[guess.topic_id for guess in guesses]).values_list("pk", "code"))
    return [_offer(guess, choices[guess.topic_id], codes[guess.topic_id]) for guess in guesses if guess.topic_id in choices]


def _offer(guess: Guess, topic: Any, code: str) -> Offer:
    return Offer(
        id=topic.id,
        code=code,
        name=topic.path.rpartition(" › ")[2],
        path=topic.path,
        store_required=topic.store_required,
        confidence=guess.confidence,
        percent=percent(guess.confidence),
        words=str(SURENESS[in_words(guess.confidence)]),
    )


@dataclass(frozen=True)
class Week:
    """Choices of a week (it begins on Monday), those before which the suggestions were seen, and those of which nobody saw any."""

    begins: date
    all: Hits
    seen: Hits
    unseen: Hits


_FIRST, _SEEN = Q(chosen_id=F("topics__0")), Q(shown_at__isnull=False)
_AMONG = Q(chosen_id=F("topics__0")) | Q(chosen_id=F("topics__1")) | Q(chosen_id=F("topics__2"))


def weeks(*, now: datetime) -> Sequence[Week]:
    """Hit rates of real choices, the newest week first."""
    since = now - timedelta(weeks=WEEKS)
    chosen = Suggestion.objects.filter(chosen_at__gte=since)
    rows = (
        chosen.annotate(week=TruncWeek("chosen_at", tzinfo=timezone.get_current_timezone()))
        .order_by("-week")
        .values("week")
        .annotate(
            of=Count("pk"),
            hit_first=Count("pk", filter=_FIRST),
            hit_third=Count("pk", filter=_AMONG),
            seen=Count("pk", filter=_SEEN),
            seen_first=Count("pk", filter=_SEEN & _FIRST),
            seen_third=Count("pk", filter=_SEEN & _AMONG),
        )
    )
    return [_week(row) for row in rows]


def _week(row: Mapping[str, Any]) -> Week:
    whole, seen = Hits(row["of"], row["hit_first"], row["hit_third"]), Hits(row["seen"], row["seen_first"], row["seen_third"])
    return Week(row["week"].date(), whole, seen, Hits(whole.of - seen.of, whole.first - seen.first, whole.third - seen.third))
