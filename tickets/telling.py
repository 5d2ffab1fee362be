"""What guests are told of their tickets, and the marks that they give; pure."""

import re
from collections.abc import Sequence

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.states import CaseState, Cause, Step


class GuestStatus(models.TextChoices):
    """Of what a guest may be told, once for each ticket; of points once for each compensation."""

    OPENED = "opened", _("the ticket is opened")
    IN_WORK = "in_work", _("the ticket is in work")
    WAITING = "waiting", _("we wait for the guest")
    SOLVED = "solved", _("the ticket is solved")
    POINTS = "points", _("points are given")


class TellState(models.TextChoices):
    DUE = "due", _("waits")
    TOLD = "told", _("told")
    SKIPPED = "skipped", _("not told")


class TellWay(models.TextChoices):
    CHANNEL = "channel", _("in the guest's channel")
    NOTICE = "notice", _("by push or SMS")


class Untold(models.TextChoices):
    """Why a guest was not told, or not asked."""

    OUTDATED = "outdated", _("it was no longer so")
    LATE = "late", _("it was too late")
    NOWHERE = "nowhere", _("no channel leads to the guest")
    NO_CONSENT = "no_consent", _("the guest wants no notices")
    RESTING = "resting", _("the guest was asked lately")
    BUSY = "busy", _("the guest was talking with us")


class SurveyState(models.TextChoices):
    """The life of a question of satisfaction."""

    DUE = "due", _("waits")
    ASKED = "asked", _("asked")
    MARKED = "marked", _("marked, a comment was asked for")
    DONE = "done", _("answered")
    SKIPPED = "skipped", _("not asked")


class OnLow(models.TextChoices):
    """What a low mark does."""

    NOTHING = "nothing", _("nothing")
    ALERT = "alert", _("a letter")
    REOPEN = "reopen", _("the ticket is opened again")


# A ticket closed for these causes is nothing that the guest would call solved.
UNSOLVED = frozenset({Cause.DUPLICATE, Cause.NO_ANSWER})
MARKS = range(1, 6)
_STARS = re.compile(r"(?:[⭐★🌟]\ufe0f?){1,5}")
_BARE = re.compile(r"([1-5])(?:\ufe0f?\u20e3)?\s*(?:/\s*5|из\s+5|балл(?:а|ов)?|зв[её]зд(?:а|ы)?)?\s*[.!)]{0,3}", re.IGNORECASE)


def status_of(step: str, state: str, cause: str = "") -> GuestStatus | None:
    """Of what the guest may be told after a step of the ticket; None = of nothing."""
    if step == Step.OPENED:
        return GuestStatus.OPENED
    if step == Step.TAKEN:
        return GuestStatus.IN_WORK
    if step == Step.MOVED and state == CaseState.WAITING_GUEST:
        return GuestStatus.WAITING
    if step == Step.CLOSED and cause not in UNSOLVED:
        return GuestStatus.SOLVED
    return None


def still_so(status: str, state: str) -> bool:
    """Whether what the guest would be told of is the case yet."""
    if status == GuestStatus.SOLVED:
        return state == CaseState.CLOSED
    if status == GuestStatus.WAITING:
        return state == CaseState.WAITING_GUEST
    if status == GuestStatus.IN_WORK:
        return state in {CaseState.IN_WORK, CaseState.WAITING_STORE, CaseState.WAITING_THIRD}
    return state != CaseState.CLOSED


def read_mark(text: str) -> int | None:
    """The mark that a message is, from 1 to 5; None = it is a message like any other. Only a bare mark is one: digit, key cap, stars."""
    said = text.strip()
    if found := _BARE.fullmatch(said):
        return int(found[1])
    if _STARS.fullmatch(said):
        return sum(said.count(star) for star in "⭐★🌟")
    return None


def closest(rows: Sequence[tuple[int | None, int | None]], *, branch: Sequence[int], chain_id: int | None) -> int | None:
    """Which of the rows (topic, chain; None = any) fits best: the nearest topic of the branch, then the chain. Its place, None = none.

    `branch` is the ticket's topic and those above it, nearest first. Of equals the first.
    """

    def rank(row: tuple[int | None, int | None]) -> tuple[int, int]:
        return (branch.index(row[0]) if row[0] is not None else len(branch), 0 if row[1] is not None else 1)

    fitting = [at for at, (topic, chain) in enumerate(rows) if (topic is None or topic in branch) and chain in {None, chain_id}]
    return min(fitting, key=lambda at: (rank(rows[at]), at), default=None)


def wakes(comment: str, *, mark: int, low: int) -> bool:
    """Whether a comment after a mark is for people, too: after a low mark, or when it asks something."""
    return "?" in comment or mark <= low
