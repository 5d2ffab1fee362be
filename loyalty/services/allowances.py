"""What limits say about an author and a guest at this moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet, Sum

from accounts.models import Staff
from loyalty.limits import Allowed, Given, Level, Window
from loyalty.models import Allowance, ApprovalLevel, Compensation, GuestAllowance
from loyalty.states import COUNTED

WEEK = timedelta(days=7)


def allowed_to(staff: Staff) -> Allowed:
    """The largest of the person's roles, field by field; nothing without a role that has a row."""
    found = Allowance.objects.filter(role__staff=staff).aggregate(
        per_operation=Max("per_operation"), per_day=Max("per_day"), per_week=Max("per_week")
    )
    return Allowed(**{name: value or 0 for name, value in found.items()})


def _counted() -> "QuerySet[Compensation]":
    """What counts against the common limits: campaigns have their own."""
    return Compensation.objects.filter(state__in=COUNTED, campaign=None)


def _sum(found: "QuerySet[Compensation]") -> int:
    return int(found.aggregate(points=Sum("points"))["points"] or 0)


def given_by(staff: Staff, *, now: datetime) -> Given:
    """Since midnight where the person works, and in the last 7 days."""
    midnight = now.astimezone(ZoneInfo(staff.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    own = _counted().filter(author=staff)
    return Given(today=_sum(own.filter(asked_at__gte=midnight)), week=_sum(own.filter(asked_at__gt=now - WEEK)))


def windows_of(guest_id: int, *, now: datetime) -> list[Window]:
    """Each limit of a guest with what the guest got in its period."""
    # What a guest got who turned out to be this one was got by this one.
    got = _counted().filter(Q(guest=guest_id) | Q(guest__merged_into=guest_id))
    return [
        Window(row.days, row.points, _sum(got.filter(asked_at__gt=now - timedelta(days=row.days)))) for row in GuestAllowance.objects.all()
    ]


def levels() -> Sequence[Level]:
    return [Level(row.pk, row.above, row.up_to) for row in ApprovalLevel.objects.order_by("above", "pk")]
