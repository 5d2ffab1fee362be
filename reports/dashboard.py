"""The admin panel's home: what waits, who is at work, which promises run out, how the channels are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from omni.models import Attempt, ChannelAccount, InboundEvent, Presence, Silence
from omni.services.silence import in_words
from omni.states import AccountState, EventState, PresenceState, SendState
from reports.models import CaseFact
from sla.models import Clock
from worklist.models import Item
from worklist.states import Kind

# More than this is told as "more than": counting on would cost and say nothing new.
COUNTED = 1000
AT_RISK = timedelta(minutes=30)
LATE = timedelta(minutes=1)
RECENTLY = timedelta(minutes=15)
PEOPLE = 200


@dataclass(frozen=True)
class Card:
    """A number at a glance. `alarm` = somebody should act."""

    name: Any
    value: str
    alarm: bool = False
    link: str = ""


@dataclass(frozen=True)
class Waiting:
    """What waits for nobody in particular in a group; `oldest` in seconds."""

    group: str
    dialogues: int
    tickets: int
    oldest: int

    @property
    def longest(self) -> str:
        return _clock(self.oldest)


@dataclass(frozen=True)
class Health:
    """A channel account: its state, what came in lately, what should have gone out by now."""

    account: ChannelAccount
    received: int
    late: int

    @property
    def troubled(self) -> bool:
        return self.account.state != AccountState.ENABLED or self.late > 0


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """DASHBOARD_CALLBACK of the admin panel: the parts that the person's rights allow; htmx gets the live part alone."""
    person, now = request.user, timezone.now()
    context["layout"] = "admin/otklik/fragment.html" if request.headers.get("HX-Request") else "admin/base.html"
    context["now"] = now
    if not isinstance(person, Staff):
        return context
    if person.has_right(Right.SUPERVISE):
        waiting = list_waiting(now=now)
        people = list_people()
        context |= {"waiting": waiting, "people": people, "states": count_states(people), "cards": cards(waiting, people, now=now)}
        context["channels"] = list_health(now=now)
    if person.has_right(Right.JOURNAL):
        context["troubles"] = count_troubles(now=now)
        context["silences"] = [in_words(silence) for silence in Silence.objects.filter(ended_at=None).select_related("account")[:20]]
    return context


def cards(waiting: Sequence[Waiting], people: Sequence[Presence], *, now: datetime) -> Sequence[Card]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    queue = sum(row.dialogues + row.tickets for row in waiting)
    overdue = _capped(Item.objects.open().filter(due_at__lt=now))
    at_risk = _capped(Item.objects.open().filter(due_at__gte=now, due_at__lt=now + AT_RISK))
    breached = Clock.objects.filter(breached_at__gte=midnight).count()
    ready = sum(person.state == PresenceState.READY for person in people)
    return [
        Card(_("In the queue"), str(queue)),
        Card(_("Longest wait"), _clock(max((row.oldest for row in waiting), default=0))),
        Card(_("Operators ready"), str(ready), alarm=bool(queue) and not ready),
        Card(_("Overdue now"), _told(overdue), alarm=overdue > 0, link="admin:worklist_item_changelist"),
        Card(_("Due within 30 minutes"), _told(at_risk)),
        Card(_("Promises missed today"), str(breached), alarm=breached > 0),
        Card(_("Tickets closed today"), str(CaseFact.objects.filter(closed_at__gte=midnight).count())),
    ]


def _capped(rows: "QuerySet[Any]") -> int:
    return rows.order_by()[: COUNTED + 1].count()


def _told(number: int) -> str:
    return f"> {COUNTED}" if number > COUNTED else str(number)


def _clock(seconds: int) -> str:
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def list_waiting(*, now: datetime) -> Sequence[Waiting]:
    """Groups in which something waits, the longest wait first."""
    rows = Item.objects.waiting().order_by().values("group__name", "kind").annotate(number=Count("pk"), oldest=Min("waiting_since"))
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        group = found.setdefault(row["group__name"], {Kind.SESSION: 0, Kind.CASE: 0, "oldest": 0})
        group[row["kind"]] = row["number"]
        group["oldest"] = max(group["oldest"], int((now - row["oldest"]).total_seconds()))
    listed = [Waiting(name, group[Kind.SESSION], group[Kind.CASE], group["oldest"]) for name, group in found.items()]
    return sorted(listed, key=lambda row: (-row.oldest, row.group))


def list_people() -> Sequence[Presence]:
    """Operators who are on line, the fullest first."""
    present = Presence.objects.exclude(state=PresenceState.OFFLINE).select_related("staff")
    return list(present.order_by("state", "-load", "staff__full_name")[:PEOPLE])


def count_states(people: Sequence[Presence]) -> Sequence[tuple[str, int]]:
    """How many are in which state."""
    return [
        (str(state.label), sum(person.state == state for person in people)) for state in PresenceState if state != PresenceState.OFFLINE
    ]


def list_health(*, now: datetime) -> Sequence[Health]:
    """Channel accounts, the troubled ones first."""
    came = InboundEvent.objects.filter(received_at__gte=now - RECENTLY).order_by().values_list("account_id").annotate(Count("pk"))
    due = Attempt.objects.filter(state=SendState.QUEUED, next_at__lt=now - LATE).order_by().values_list("account_id").annotate(Count("pk"))
    received, late = dict(came), dict(due)
    accounts = ChannelAccount.objects.select_related("queue")
    found = [Health(account, received.get(account.pk, 0), late.get(account.pk, 0)) for account in accounts]
    return sorted(found, key=lambda health: (not health.troubled, health.account.name))


@dataclass(frozen=True)
class Troubles:
    """Events of the journal: not understood, failed, and kept but not processed for more than a minute."""

    unreadable: int
    failed: int
    waiting: int

    @property
    def any(self) -> bool:
        return bool(self.unreadable or self.failed or self.waiting)


def count_troubles(*, now: datetime) -> Troubles:
    """Each number up to COUNTED + 1."""
    return Troubles(
        unreadable=_capped(InboundEvent.objects.filter(state=EventState.UNREADABLE)),
        failed=_capped(InboundEvent.objects.filter(state=EventState.FAILED)),
        waiting=_capped(InboundEvent.objects.filter(state=EventState.RECEIVED, received_at__lt=now - LATE)),
    )
