"""Approvals of what is done to a ticket: asked for, decided by several, withdrawn. The ticket's lock orders all of it.

Compensations in points have approvals of their own (loyalty.services.approvals): there the money is reserved and levels sign.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import NotAllowed, Refusal
from core.text import storable
from omni.services import conversations
from omni.states import Direction
from tickets.approving import ApprovalState, Away, Decision, Deed, SeatFacts, acting, seat_for, verdict
from tickets.asking import LetterKind
from tickets.models import Absence, Approval, ApprovalRule, ApprovalSeat, Case
from tickets.services import approval_gates, cases, letters
from tickets.states import CaseState, Step

# More people than this are no quorum but a mailing.
MOST_SEATS = 50
_STEPS = {ApprovalState.APPROVED: Step.APPROVED, ApprovalState.DECLINED: Step.DECLINED, ApprovalState.EXPIRED: Step.DECLINED}


@transaction.atomic
def ask(*, case_id: int, rule: ApprovalRule, question: str, by: Staff, now: datetime) -> Approval:
    """Ask those whom the rule names; each gets a letter.

    Raises Refusal: nothing written, the rule is not for this ticket, it is asked already, the ticket is closed, or too few may decide.
    """
    question = storable(question).strip()[:4000]
    if not question:
        raise Refusal("empty", _("Write what is to be approved, and why."), status=400)
    case = cases.lock(case_id)
    if case.state == CaseState.CLOSED:
        raise Refusal("wrong_state", _("The ticket is closed."))
    if rule not in approval_gates.list_rules(case, Deed(rule.deed)):
        raise Refusal("other_rule", _("This rule is not for tickets of this topic."), status=400)
    if Approval.objects.filter(case=case, rule=rule, state=ApprovalState.WAITING).exists():
        raise Refusal("asked_already", _("This approval was asked for already."))
    people = people_of(rule, round=1).exclude(pk__in=barred(case, by.pk))[:MOST_SEATS]
    if len(people) < rule.quorum:
        raise Refusal("too_few", _("Too few people may decide about this. Please tell your supervisor."))
    times = {"asked_at": now, "deadline_at": now + timedelta(hours=rule.hours)}
    approval = Approval.objects.create(case=case, rule=rule, question=question, asked_by=by, **times)
    seat(approval, people, now=now)
    cases.note_step(case, Step.APPROVAL_ASKED, by=by, now=now, details={"rule": rule.name, "reason": question[:200]})
    audit.record(action="case.approval_asked", by=by, subject=case, now=now, details={"rule": rule.code, "seats": len(people)})
    return approval


def people_of(rule: ApprovalRule, *, round: int) -> "QuerySet[Staff]":
    """Those who work here and whom the rule names for the round."""
    role, group = (rule.role_id, rule.group_id) if round == 1 else (rule.then_role_id, rule.then_group_id)
    found = set(rule.people.values_list("pk", flat=True)) if round == 1 else set()
    found |= set(Staff.objects.filter(roles=role).values_list("pk", flat=True)) if role else set()
    found |= set(Staff.objects.filter(memberships__group=group).values_list("pk", flat=True)) if group else set()
    return Staff.objects.filter(pk__in=found, is_active=True).order_by("pk")


def barred(case: Case, asked_by: int) -> set[int]:
    """Four eyes: who asked, who opened the ticket and who has it now do not decide about it."""
    return {pk for pk in (asked_by, case.opened_by_id, case.owner_id) if pk}


def seat(approval: Approval, people: "Sequence[Staff] | QuerySet[Staff]", *, now: datetime) -> None:
    """New parts in the approval, and letters to who acts for them today; sets the next reminder."""
    have = set(approval.seats.values_list("staff", flat=True))
    rows = [ApprovalSeat(approval=approval, staff=one, round=approval.round) for one in people if one.pk not in have]
    ApprovalSeat.objects.bulk_create(rows)
    write_to(approval, LetterKind.APPROVAL_ASKED, now=now)
    set_next(approval, now=now)


def set_next(approval: Approval, *, now: datetime) -> None:
    """When there is something to do: a reminder, or the end of the time."""
    hours = approval.rule.remind_hours
    reminder = now + timedelta(hours=hours) if hours else approval.deadline_at
    approval.next_at = min(reminder, approval.deadline_at)
    approval.save()


def write_to(approval: Approval, kind: LetterKind, *, now: datetime) -> int:
    """Letters to all who have not decided, or to who stands in for them; returns how many are new."""
    seats = facts_of(approval)
    done = {one.by_id for one in seats if one.by_id}
    without = barred(approval.case, approval.asked_by_id)
    away, day = list_away(now), localdate(now)
    who = {acting(one.staff_id, away, day=day, barred=without) for one in seats if not one.decision} - done - without
    people = Staff.objects.filter(pk__in=who, is_active=True).exclude(email="").order_by("pk")
    key = f"approval:{approval.pk}:{approval.round}:{approval.reminders}"
    return sum(
        letters.queue(
            kind=kind, case=approval.case, approval=approval, address=one.email, key=f"{key}:{one.pk}", now=now
        )
        for one in people
    )  # fmt: skip


def facts_of(approval: Approval) -> list[SeatFacts]:
    rows = approval.seats.order_by("pk").values_list("pk", "staff", "decision", "by")
    return [SeatFacts(pk, staff, decision, by) for pk, staff, decision, by in rows]


def list_away(now: datetime) -> list[Away]:
    """Who is away today."""
    today = localdate(now)
    rows = Absence.objects.filter(since__lte=today, until__gte=today).order_by("pk")
    return [Away(*row) for row in rows.values_list("staff", "substitute", "since", "until")]


def my_seat(approval: Approval, by: Staff, *, now: datetime) -> SeatFacts | None:
    """The part that the person may decide now; None = none."""
    without: Collection[int] = barred(approval.case, approval.asked_by_id)
    return seat_for(by.pk, facts_of(approval), list_away(now), day=localdate(now), barred=without)


@transaction.atomic
def decide(*, approval_id: int, yes: bool, reason: str, by: Staff, now: datetime) -> Approval:
    """One person's yes or no, with the reason; the last one needed settles it. Two at once count one after the other.

    Raises Refusal: no reason, decided already, too late, own matter, or no part in it.
    """
    reason = storable(reason).strip()[:2000]
    if not reason:
        raise Refusal("reason_needed", _("Please say why."), status=400)
    case, approval = lock(approval_id)
    if approval.state != ApprovalState.WAITING:
        raise Refusal("decided", _("This was decided already."))
    if approval.deadline_at <= now:
        raise Refusal("too_late", _("The time to decide about this is over."))
    if by.pk in barred(case, approval.asked_by_id):
        raise Refusal("own", _("Nobody approves what is one's own: another person must decide."), status=403)
    mine = my_seat(approval, by, now=now)
    if mine is None:
        raise NotAllowed(_("You have decided already, or it is not yours to decide."))
    decision = Decision.YES if yes else Decision.NO
    ApprovalSeat.objects.filter(pk=mine.id, decision="").update(decision=decision, reason=reason, by=by, at=now)
    details = {"approval": approval.pk, "decision": decision, "for": mine.staff_id, "reason": reason}
    audit.record(action="case.approval_decided", by=by, subject=case, now=now, details=details)
    state = verdict(facts_of(approval), quorum=approval.rule.quorum, refusals=approval.rule.refusals)
    if state != ApprovalState.WAITING:
        settle(approval, state, by=by, reason=reason, now=now)
    return approval


def lock(approval_id: int) -> tuple[Case, Approval]:
    """The ticket and the approval, locked in this order. Raises Refusal (404)."""
    case_id = Approval.objects.filter(pk=approval_id).values_list("case_id", flat=True).first()
    if case_id is None:
        raise Refusal("not_found", _("There is no such approval."), status=404)
    case = cases.lock(case_id)
    approval = Approval.objects.select_for_update(of=("self",)).select_related("rule").get(pk=approval_id)
    approval.case = case
    return case, approval


def settle(approval: Approval, state: ApprovalState, *, by: Staff | None, reason: str, now: datetime) -> None:
    """The locked approval is over: a step, a note in the feed, news for who has the ticket."""
    approval.state, approval.decided_at, approval.next_at = state, now, None
    approval.save(update_fields=["state", "decided_at", "next_at"])
    case, details = approval.case, {"rule": approval.rule.name, "outcome": state, "reason": reason}
    cases.note_step(case, _STEPS[state], by=by, now=now, details=details)
    words = {"rule": approval.rule.name, "outcome": str(state.label), "reason": reason}
    line = _t("%(rule)s: %(outcome)s. %(reason)s") % words
    note = conversations.add_line(session=conversations.lock(case.session_id), direction=Direction.NOTE, text=line, by=by, now=now)
    case.unread += 1
    cases.save(case, now=now, preview=note)


@transaction.atomic
def withdraw(*, approval_id: int, by: Staff, now: datetime) -> Approval:
    """Who asked takes the question back. Raises Refusal: decided already, or asked by another person."""
    case, approval = lock(approval_id)
    if approval.state != ApprovalState.WAITING:
        raise Refusal("decided", _("This was decided already."))
    if approval.asked_by_id != by.pk:
        raise NotAllowed(_("Only who asked takes it back."))
    approval.state, approval.decided_at, approval.next_at = ApprovalState.WITHDRAWN, now, None
    approval.save(update_fields=["state", "decided_at", "next_at"])
    audit.record(action="case.approval_withdrawn", by=by, subject=case, now=now, details={"approval": approval.pk})
    return approval
