"""Compensations: given within limits, asked for above them."""

from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.events import publish
from core.live import announce
from core.locks import serialise
from core.refusal import Refusal
from loyalty import grounds
from loyalty.events import CompensationAsked, CompensationDecided
from loyalty.limits import Over, passed, signatures, weighed
from loyalty.models import ApprovalLevel, Budget, Campaign, Compensation, CompensationReason, Signature
from loyalty.services import accounts, allowances, outbox, reservations
from loyalty.services.ledger import again, must, post
from loyalty.services.points import terms_of
from loyalty.states import COUNTED, CompensationState, NoticeState, TransferKind
from loyalty.types import Order, Outcome


def compensate(
    *,
    id: UUID,
    subject: str,
    points: int,
    reason: CompensationReason,
    by: Staff,
    now: datetime,
    comment: str = "",
    campaign: Campaign | None = None,
) -> Compensation:
    """Give the guest of a case points: at once within the limits, else it waits for signatures with its budget reserved.

    The same id again returns the same compensation. Raises Refusal: `not_found` (no such case for this person), `given_already` (one
    for each case), `too_much` (nobody may approve so much), `no_budget`, `budget_empty`, `wrong_points`, `reason_unknown`,
    `campaign_over`, `id_reused`.
    """
    if points <= 0:
        raise Refusal("wrong_points", _("Say how many points the guest gets."), status=400)
    if not reason.is_active:
        raise Refusal("reason_unknown", _("There is no such reason of compensations."), status=400)
    wanted = Compensation(id=id, subject=subject, points=points, reason=reason, comment=comment[:400], campaign=campaign, author=by)
    return again(lambda: _compensate(wanted, by, now))


def _compensate(wanted: Compensation, by: Staff, now: datetime) -> Compensation:
    with transaction.atomic():
        ground = grounds.find(staff=by, subject=wanted.subject)
        # Whoever gives to the same guest, and whatever the same person gives, one after another: limits are read under these locks.
        serialise(f"loyalty guest {ground.guest_id}")
        serialise(f"compensations of {by.pk}")
        if known := Compensation.objects.filter(pk=wanted.pk).first():
            return _same(known, wanted)
        wanted.guest_id, wanted.number, wanted.asked_at = ground.guest_id, ground.number, now
        _check_once(wanted)
        over = _over(wanted, by, now)
        wanted.budget = _budget_of(by)
        wanted.over, wanted.weighed_points = [one.as_json() for one in over], weighed(wanted.points, over)
        return _ask(wanted, by, now) if over else _give(wanted, by, now)


def _same(known: Compensation, wanted: Compensation) -> Compensation:
    fields = ("subject", "points", "reason_id", "campaign_id", "author_id")
    if any(getattr(known, name) != getattr(wanted, name) for name in fields):
        must(Outcome.REUSED)
    return known


def _check_once(wanted: Compensation) -> None:
    if Compensation.objects.filter(subject=wanted.subject, state__in=COUNTED).exists():
        raise Refusal("given_already", _("This ticket has its compensation already."))


def _over(wanted: Compensation, by: Staff, now: datetime) -> list[Over]:
    """The limits that it passes; a campaign has its own, and nothing above it."""
    if wanted.campaign is not None:
        _check_campaign(wanted, wanted.campaign, now)
        return []
    windows = allowances.windows_of(wanted.guest_id, now=now)
    return passed(wanted.points, allowed=allowances.allowed_to(by), given=allowances.given_by(by, now=now), windows=windows)


def _check_campaign(wanted: Compensation, campaign: Campaign, now: datetime) -> None:
    if not campaign.starts_at <= now < campaign.ends_at:
        raise Refusal("campaign_over", _("The campaign is not running."))
    if wanted.points > campaign.points:
        raise Refusal("too_much", _("The campaign gives a guest %(points)s points at most.") % {"points": campaign.points})
    if Compensation.objects.filter(campaign=campaign, guest=wanted.guest_id, state__in=COUNTED).exists():
        raise Refusal("given_already", _("The guest has had the points of this campaign."))


def _budget_of(by: Staff) -> Budget:
    """Of one of the author's groups, else the common one."""
    own = Budget.objects.filter(group__in=by.group_ids).order_by("pk").first()
    found = own or Budget.objects.filter(group=None).first()
    if found is None:
        raise Refusal("no_budget", _("There is no budget for compensations."))
    return found


def _give(wanted: Compensation, by: Staff, now: datetime) -> Compensation:
    order = Order(
        wanted.pk,
        TransferKind.COMPENSATION,
        wanted.budget.account_id,
        guest_account(wanted, now),
        wanted.points,
        ends_of(now),
        wanted.subject,
        wanted.reason.name,
        by.pk,
    )
    if post([order], now=now) == [Outcome.SHORT]:
        _refuse_empty()
    _granted(wanted, now)
    wanted.save(force_insert=True)
    outbox.queue(transfer=wanted.pk, kind=TransferKind.COMPENSATION, guest_id=wanted.guest_id, points=wanted.points, now=now)
    record(wanted, "given", by, now)
    publish(CompensationDecided(wanted.pk, wanted.state))
    return wanted


def _ask(wanted: Compensation, by: Staff, now: datetime) -> Compensation:
    levels = signatures(wanted.weighed_points, allowances.levels())
    if not levels:
        raise Refusal("too_much", _("Nobody may approve so many points."))
    wanted.state, wanted.expires_at = CompensationState.AWAITING, now + timedelta(days=wanted.budget.decision_days)
    _reserve(wanted, now)
    wanted.save(force_insert=True)
    names = {level.pk: str(level.role) for level in ApprovalLevel.objects.select_related("role")}
    Signature.objects.bulk_create(Signature(compensation=wanted, level_id=one.id, level_name=names[one.id]) for one in levels)
    record(wanted, "asked", by, now)
    publish(CompensationAsked(wanted.pk))
    return wanted


def _reserve(wanted: Compensation, now: datetime) -> None:
    assert wanted.expires_at is not None
    try:
        reservations.reserve(
            id=wanted.pk,
            account=wanted.budget.account_id,
            credit=guest_account(wanted, now),
            amount=wanted.points,
            kind=TransferKind.COMPENSATION,
            # A day longer than the decision: whoever decides at the last moment still finds it.
            expires_at=wanted.expires_at + timedelta(days=1),
            now=now,
            subject=wanted.subject,
        )
    except Refusal as refusal:
        if refusal.code == Outcome.SHORT:
            _refuse_empty()
        raise


def _refuse_empty() -> NoReturn:
    raise Refusal("budget_empty", _("The budget of compensations is used up."))


def guest_account(compensation: Compensation, now: datetime) -> int:
    """Where the guest's points arrive."""
    return accounts.account_of(accounts.wallet_of(compensation.guest, now=now).pk)


def ends_of(now: datetime) -> datetime:
    return now + timedelta(days=terms_of(None).compensation_life_days)


def _granted(compensation: Compensation, now: datetime) -> None:
    compensation.state, compensation.decided_at = CompensationState.GRANTED, now
    compensation.notice, compensation.notice_next_at = NoticeState.WAITING, now


def record(compensation: Compensation, deed: str, by: Staff | None, now: datetime) -> None:
    """The audit row of a deed, and news for the author's open screens."""
    details = {"case": compensation.subject, "points": compensation.points, "state": compensation.state}
    audit.record(action=f"compensation.{deed}", by=by, subject=f"compensation:{compensation.pk}", now=now, details=details)
    text = compensation.decision_text or str(compensation.reason)
    grounds.tell(compensation.subject, deed, points=compensation.points, by=by, now=now, text=text)
    news = {"id": str(compensation.pk), "subject": compensation.subject, "state": compensation.state, "points": compensation.points}
    announce(kind="compensation", payload=news, topics=[f"staff:{compensation.author_id}"])
