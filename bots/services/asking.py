"""What is known of the guest whom a bot talks with, and carrying out a skill for that guest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from bots.engine import Facts, Result
from bots.models import Run, SkillUse
from bots.skills.contract import FAILED, Asking
from bots.skills.registry import SKILLS
from customers.models import Identity
from omni.models import ChannelAccount, Queue
from sla.rules import NoWorkingTime, deadline
from sla.services import clocks

log = structlog.get_logger(__name__)
GUESSING = timedelta(days=1)


@dataclass(frozen=True)
class Known:
    """Of a guest: telephones that were vouched for, and whether anything was."""

    guest_id: int | None = None
    phones: frozenset[str] = frozenset()
    is_verified: bool = False


def known_of(guest_id: int) -> Known:
    """What the guest's identities, in whatever channels, say for sure."""
    verified = list(Identity.objects.filter(guest=guest_id, is_verified=True).values_list("phone", flat=True))
    return Known(guest_id, frozenset(phone for phone in verified if phone), bool(verified))


def known_caller(number: str, account: ChannelAccount, guest_id: int | None) -> Known:
    """Of a caller: the network tells the number, but it can be forged, so it counts only where the account says it does.

    The guest is then who has shared this very number in another channel, if exactly one has.
    """
    if not number.startswith("+") or not account.settings.get("ivr", {}).get("trust_caller"):
        return Known(guest_id)
    shared = set(Identity.objects.filter(phone=number, is_verified=True, guest__merged_into=None).values_list("guest_id", flat=True))
    return Known(shared.pop() if len(shared) == 1 else guest_id, frozenset({number}), is_verified=True)


def working(queue: Queue, *, now: datetime) -> tuple[bool, str]:
    """Whether the queue's people work now by its promise's calendar, else when they begin, in words."""
    calendar = queue.policy.calendar
    hours = clocks.hours_of(calendar, now=now)
    try:
        first = deadline(hours, now, 1) - timedelta(seconds=1)
    except NoWorkingTime:
        return False, _("the next working day")
    if first <= now:
        return True, ""
    zone = ZoneInfo(hours.zone)
    return False, _opening(first.astimezone(zone), now.astimezone(zone))


def _opening(opens: datetime, here: datetime) -> str:
    days = (opens.date() - here.date()).days
    if days == 0:
        return _("today at %(time)s") % {"time": f"{opens:%H:%M}"}
    if days == 1:
        return _("tomorrow at %(time)s") % {"time": f"{opens:%H:%M}"}
    return _("on %(day)s at %(time)s") % {"day": f"{opens:%d.%m}", "time": f"{opens:%H:%M}"}


def facts_of(known: Known, queue: Queue, *, can_share_phone: bool, now: datetime) -> Facts:
    is_working, opens = working(queue, now=now)
    return Facts(is_working, opens, min(known.phones, default=""), can_share_phone)


def performing(run: Run, known: Known, *, now: datetime) -> Callable[[str, Mapping[str, str]], Result]:
    """Carries skills out for this guest, each in a savepoint of its own and noted. Never raises."""

    def failures(skill: str, outcome: str) -> int:
        return SkillUse.objects.filter(guest=known.guest_id, skill=skill, outcome=outcome, at__gte=now - GUESSING).count()

    asking = Asking(now=now, guest_id=known.guest_id, is_verified=known.is_verified, phones=known.phones, failures=failures)

    def perform(skill: str, values: Mapping[str, str]) -> Result:
        found = attempt(skill, asking, values)
        SkillUse.objects.create(run=run, guest_id=known.guest_id, skill=skill[:40], outcome=found.outcome[:24], at=now)
        return found

    return perform


def attempt(skill: str, asking: Asking, values: Mapping[str, str]) -> Result:
    """One skill; whatever goes wrong in it, a person will see to it."""
    if skill not in SKILLS:
        return Result(FAILED)
    try:
        with transaction.atomic():
            return SKILLS[skill].perform(asking, values)
    except Exception:  # a fault in a skill must not leave the guest without an answer
        log.exception("a bot's skill failed", skill=skill)
        return Result(FAILED)
