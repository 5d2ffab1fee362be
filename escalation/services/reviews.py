"""Maps whose review is due: whoever answers for one hears of it, and again while nothing is done."""

from collections.abc import Iterator
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from escalation.models import Delivery, EscalationMap, EscalationSettings
from escalation.services import limits
from escalation.services.dry_run import is_stale
from escalation.services.people import Person, read_people
from escalation.states import Channel


def tell_owners(*, now: datetime) -> int:
    """Write the notices that are due, each map's at most once in the days that the settings name; returns how many maps are out of date."""
    numbers = limits.current()
    today = timezone.localdate(now)
    stale = [of for of in EscalationMap.objects.filter(is_active=True).order_by("pk") if is_stale(of, numbers, today=today)]
    if numbers.review_again_days:
        people = read_people({of.owner_id for of in stale if of.owner_id})
        owned = [(of, people[of.owner_id]) for of in stale if of.owner_id and of.owner_id in people]
        told = [one for of, owner in owned for one in _notices(of, owner, numbers, today=today, now=now)]
        Delivery.objects.bulk_create(told, ignore_conflicts=True)
    return len(stale)


def _notices(of: EscalationMap, owner: Person, numbers: EscalationSettings, *, today: date, now: datetime) -> Iterator[Delivery]:
    """By e-mail, else by whatever there is."""
    heading, message = _words(of, owner, numbers, today=today)
    key = f"review:{of.pk}:{_turn(of, numbers, today=today)}"
    for channel, address in owner.reached_by([Channel.EMAIL]):
        yield Delivery(
            key=key, channel=channel, recipient=f"staff:{owner.staff_id}", staff_id=owner.staff_id, address=address,
            heading=heading[:200], message=message, created_at=now, next_at=now,
        )  # fmt: skip


def _turn(of: EscalationMap, numbers: EscalationSettings, *, today: date) -> str:
    """The same on all days between two notices; a review begins them anew."""
    since = of.reviewed_on.toordinal() + numbers.review_days + 1 if of.reviewed_on else 0
    return f"{since}:{(today.toordinal() - since) // numbers.review_again_days}"


def _words(of: EscalationMap, owner: Person, numbers: EscalationSettings, *, today: date) -> tuple[str, str]:
    link = settings.PUBLIC_URL + reverse("admin:escalation_escalationmap_change", args=[of.pk])
    with translation.override(owner.language):
        heading = _("The escalation map “%(name)s” has to be reviewed") % {"name": of.name}
        if of.reviewed_on is None:
            text = _("The escalation map “%(name)s” was never reviewed. You answer for it.") % {"name": of.name}
        else:
            facts = {
                "name": of.name,
                "date": date_format(of.reviewed_on, "SHORT_DATE_FORMAT"),
                "days": (today - of.reviewed_on).days,
                "most": numbers.review_days,
            }
            text = _("The escalation map “%(name)s” was last reviewed on %(date)s, %(days)d days ago; it should be every %(most)d.") % facts
        todo = _("Please read its lines, people and addresses, mend what has changed and set the date of the review:")
        return heading, f"{text}\n{todo}\n{link}"
