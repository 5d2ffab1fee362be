"""Reads of articles: by Russian word forms first, by likeness of letters for what is misspelt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import F, FloatField, Q, Value
from django.db.models.functions import Greatest

from core.text import searchable
from knowledge.models import Article, Audience

_WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 12
LIKE_ENOUGH = 0.45
"""Of the trigrams of a misspelt word, how many a title or tag must share (0 to 1)."""
SURE_FROM = 0.3
"""Score from which an article is taken for the answer."""
# Words in nearly every question: they say nothing of the matter.
_EMPTY_WORDS = """
а без бы в вам вас вашем ваш где для до есть если же за и из или как какая какие какой какую ко когда кто ли мне мой моя мы на надо не
нет ну о об он она они от по подскажите подскажи пожалуйста почему при про с скажите скажи со так там то у уже хочу что это я
здравствуйте добрый день можно нужно
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True)
class Found:
    """An article and how well it fits, 0 to 1."""

    article: Article
    score: float

    @property
    def is_sure(self) -> bool:
        return self.score >= SURE_FROM


def find_articles(question: str, *, for_staff: bool = False, limit: int = 5) -> Sequence[Found]:
    """Published articles for a question in a person's own words, the best first; what staff alone may read only `for_staff`."""
    words = [word for word in _WORD.findall(searchable(question)) if word not in _EMPTY][:MOST_WORDS]
    if not words:
        return []
    shown = Article.objects.filter(is_published=True)
    shown = shown if for_staff else shown.filter(audience=Audience.GUEST)
    parts = [SearchQuery(word, config="russian") for word in words]
    query = parts[0]
    for part in parts[1:]:
        query |= part
    rank = SearchRank(F("search"), query, normalization=Value(32))
    likeness = Greatest(*[TrigramWordSimilarity(word, "search_text") for word in words], Value(0.0), output_field=FloatField())
    found = shown.annotate(rank=rank, likeness=likeness).filter(Q(search=query) | Q(likeness__gte=LIKE_ENOUGH))
    # A question of one rare word is as well answered as one of ten.
    ordered = sorted(found.defer("search"), key=lambda one: (-_score(one), one.pk))
    return [Found(one, _score(one)) for one in ordered[:limit]]


def _score(found: Article) -> float:
    rank, likeness = float(getattr(found, "rank", 0)), float(getattr(found, "likeness", 0))
    return min(1.0, rank + (likeness if likeness >= LIKE_ENOUGH else 0) / 2)
