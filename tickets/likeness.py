"""Whether two tickets are one matter: facts of both in, a score with its reasons out. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

_PHONE = re.compile(r"(?<!\d)(?:\+7|8)[\s\-(]*(\d{3})[\s\-)]*(\d{3})[\s\-]*(\d{2})[\s\-]*(\d{2})(?!\d)")
_LONG_FIGURES = re.compile(r"\d{6,20}")
MOST_MARKS = 12
# Parts of words are compared in threes, as pg_trgm does: a slip of the hand changes three of them.
_ALMOST = 0.4


class Reason(models.TextChoices):
    SAME_GUEST = "same_guest", _("the same guest")
    SAME_CONTACT = "same_contact", _("the same telephone or e-mail address")
    SAME_NAME = "same_name", _("the same name")
    SAME_FIGURES = "same_figures", _("the same order, receipt or card number")
    OTHER_GUEST = "other_guest", _("another guest, on a topic that is one guest's own")
    COMMON_MATTER = "common_matter", _("another guest, on a topic that many tell of")
    SAME_STORE = "same_store", _("the same store")
    OTHER_STORE = "other_store", _("different stores")
    SAME_TOPIC = "same_topic", _("the same topic")
    SAME_BRANCH = "same_branch", _("a neighbouring topic")
    OTHER_BRANCH = "other_branch", _("topics of different branches")
    AT_ONCE = "at_once", _("at nearly the same time")
    NEAR = "near", _("close in time")
    LATER = "later", _("days apart")
    FAR = "far", _("far apart in time")
    SAME_WORDS = "same_words", _("very similar words")
    LIKE_WORDS = "like_words", _("similar words")
    UNLIKE_WORDS = "unlike_words", _("nothing in common in the words")
    OTHER_FIGURES = "other_figures", _("different order or receipt numbers")


@dataclass(frozen=True)
class Facts:
    """A ticket as it is compared. `contacts` are telephones and addresses of its guest, `words` stems, `last_at` the guest's last word."""

    guest_id: int
    name: str
    contacts: Collection[str]
    store_id: int | None
    topic_id: int
    branch_id: int
    is_shared: bool
    words: Collection[str]
    marks: Collection[str]
    opened_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Verdict:
    """`score` is 0 to 100; `reasons` with their points, the weightiest first."""

    score: int
    reasons: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Numbers:
    """What the rules weigh and where their bounds lie. `same` and `like` are shares of common words, 0 to 1."""

    points: Mapping[str, int]
    at_once: timedelta
    near: timedelta
    far: timedelta
    same: float = 0.5
    like: float = 0.22
    unlike: float = 0.08


def compare(one: Facts, other: Facts, *, numbers: Numbers) -> Verdict:
    """How likely the two tickets are one matter."""
    found = [*_who(one, other), *_where(one, other), *_about(one, other), *_when(one, other, numbers), *_words(one, other, numbers)]
    weighed = [(reason.value, numbers.points.get(reason, 0)) for reason in found]
    told = sorted((pair for pair in weighed if pair[1]), key=lambda pair: -abs(pair[1]))
    return Verdict(score=min(100, max(0, sum(points for _reason, points in told))), reasons=told)


def _who(one: Facts, other: Facts) -> list[Reason]:
    same_figures = [Reason.SAME_FIGURES] if set(one.marks) & set(other.marks) else []
    if not same_figures and one.marks and other.marks:
        same_figures = [Reason.OTHER_FIGURES]
    if one.guest_id == other.guest_id:
        return [Reason.SAME_GUEST, *same_figures]
    if set(one.contacts) & set(other.contacts):
        return [Reason.SAME_CONTACT, *same_figures]
    if len(one.name.split()) > 1 and one.name == other.name:
        return [Reason.SAME_NAME, *same_figures]
    shared = one.is_shared or other.is_shared
    return [Reason.COMMON_MATTER if shared else Reason.OTHER_GUEST, *same_figures]


def _where(one: Facts, other: Facts) -> list[Reason]:
    if one.store_id is None or other.store_id is None:
        return []
    return [Reason.SAME_STORE if one.store_id == other.store_id else Reason.OTHER_STORE]


def _about(one: Facts, other: Facts) -> list[Reason]:
    if one.topic_id == other.topic_id:
        return [Reason.SAME_TOPIC]
    return [Reason.SAME_BRANCH if one.branch_id == other.branch_id else Reason.OTHER_BRANCH]


def _when(one: Facts, other: Facts, numbers: Numbers) -> list[Reason]:
    """Between the later one's opening and the earlier one's last word."""
    earlier, later = sorted((one, other), key=lambda facts: facts.opened_at)
    apart = later.opened_at - earlier.last_at
    bounds = ((numbers.at_once, Reason.AT_ONCE), (numbers.near, Reason.NEAR), (numbers.far, Reason.LATER))
    return [next((reason for bound, reason in bounds if apart <= bound), Reason.FAR)]


def _words(one: Facts, other: Facts, numbers: Numbers) -> list[Reason]:
    if not one.words or not other.words:
        return []
    share = common_share(one.words, other.words)
    if share >= numbers.same:
        return [Reason.SAME_WORDS]
    if share >= numbers.like:
        return [Reason.LIKE_WORDS]
    return [Reason.UNLIKE_WORDS] if share < numbers.unlike else []


def common_share(one: Collection[str], other: Collection[str]) -> float:
    """How much of the shorter text the longer one says too, 0 to 1; words with a slip count by what is left of them."""
    shorter, longer = sorted((set(one), set(other)), key=len)
    if not shorter:
        return 0.0
    exact = shorter & longer
    left = longer - exact
    parts = {word: _threes(word) for word in left}
    almost = sum(_closest(word, parts) for word in shorter - exact)
    # A few words are in each other easily: the length of both counts, the shorter one's more.
    return float((len(exact) + almost) / (len(shorter) ** 0.7 * len(longer) ** 0.3))


def _closest(word: str, parts: Mapping[str, frozenset[str]]) -> float:
    mine = _threes(word)
    best = max((len(mine & theirs) / len(mine | theirs) for theirs in parts.values()), default=0.0)
    return best if best >= _ALMOST else 0.0


def _threes(word: str) -> frozenset[str]:
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def marks_of(text: str) -> list[str]:
    """Long figures in the text, telephones as their last ten."""
    phones = ["".join(found.groups()) for found in _PHONE.finditer(text)]
    figures = _LONG_FIGURES.findall(_PHONE.sub(" ", text))
    return list(dict.fromkeys([*phones, *figures]))[:MOST_MARKS]
