"""The life of a ticket: one table of moves, every step a history row."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CaseState(models.TextChoices):
    NEW = "new", _("new")
    ROUTED = "routed", _("in the group's queue")
    IN_WORK = "in_work", _("in work")
    WAITING_GUEST = "waiting_guest", _("waiting for the guest")
    WAITING_STORE = "waiting_store", _("waiting for the store")
    WAITING_THIRD = "waiting_third", _("waiting for a third party")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed")
    REOPENED = "reopened", _("reopened")


WAITING = frozenset({CaseState.WAITING_GUEST, CaseState.WAITING_STORE, CaseState.WAITING_THIRD})
# In these states the resolution clock stands: the delay is not ours. A waiting store is ours.
PAUSING = frozenset({CaseState.WAITING_GUEST, CaseState.WAITING_THIRD})
_WORKING = {CaseState.IN_WORK, *WAITING, CaseState.ANSWERED}

CASE_MOVES: dict[str, frozenset[str]] = {
    CaseState.NEW: frozenset({CaseState.ROUTED, CaseState.CLOSED}),
    CaseState.ROUTED: frozenset({CaseState.IN_WORK, CaseState.WAITING_STORE, CaseState.ANSWERED, CaseState.CLOSED}),
    CaseState.IN_WORK: frozenset({CaseState.ROUTED, *WAITING, CaseState.ANSWERED, CaseState.CLOSED}),
    **{state: frozenset((_WORKING - {state}) | {CaseState.ROUTED, CaseState.CLOSED}) for state in WAITING},
    CaseState.ANSWERED: frozenset({CaseState.IN_WORK, CaseState.ROUTED, *WAITING, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset({CaseState.REOPENED}),
    CaseState.REOPENED: frozenset({CaseState.ROUTED, CaseState.IN_WORK, CaseState.CLOSED}),
}


class Step(models.TextChoices):
    """What a history row tells."""

    OPENED = "opened", _("opened")
    ROUTED = "routed", _("routed")
    TAKEN = "taken", _("taken into work")
    MOVED = "moved", _("state changed")
    GUEST_WROTE = "guest_wrote", _("the guest wrote")
    ANSWERED = "answered", _("the guest was answered")
    STORE_ANSWERED = "store_answered", _("the store answered")
    CLOSED = "closed", _("closed")
    REOPENED = "reopened", _("reopened")
    TERMS = "terms", _("other promises")
    BREACHED = "breached", _("the promise was not kept in time")
    RECLASSIFIED = "reclassified", _("another topic")
    REMINDED = "reminded", _("reminded")
    ESCALATED = "escalated", _("escalated")
    LINKED = "linked", _("linked with another ticket")
    UNLINKED = "unlinked", _("link taken back")
    JOINED = "joined", _("joined with another ticket")
    SPLIT = "split", _("split again")
    STORE_ASKED = "store_asked", _("the store was asked by letter")
    TIME_ASKED = "time_asked", _("the store asked for time")
    APPROVAL_ASKED = "approval_asked", _("approval asked for")
    APPROVED = "approved", _("approved")
    DECLINED = "declined", _("declined")
    NOTIFIED = "notified", _("the guest was told")
    RATED = "rated", _("the guest gave a mark")
    COMPENSATED = "compensated", _("compensated with points")
    CALL_SET = "call_set", _("a call was planned")
    CALLED = "called", _("the guest was called")
    WATCHED = "watched", _("followed by")
    PRIORITY = "priority", _("another priority")


class Priority(models.IntegerChoices):
    """What a person may choose; programs may name any number from -10 to 10 (a higher one is served first)."""

    LOW = -1, pgettext_lazy("priority", "low")
    USUAL = 0, pgettext_lazy("priority", "usual")
    HIGH = 1, pgettext_lazy("priority", "high")
    URGENT = 2, pgettext_lazy("priority", "urgent")


class Cause(models.TextChoices):
    """Why a ticket was closed."""

    SOLVED = "solved", _("solved")
    EXPLAINED = "explained", _("explained to the guest")
    NOT_OURS = "not_ours", _("not our matter")
    DUPLICATE = "duplicate", _("duplicate")
    NO_ANSWER = "no_answer", _("the guest did not answer")
