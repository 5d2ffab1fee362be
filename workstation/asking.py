"""What others were asked about a ticket, on its page: the store, those who approve, the guest; and the commands for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from tickets.approving import ApprovalState, Deed
from tickets.asking import LetterState
from tickets.models import Approval, ApprovalRule, Case, CaseLetter, CaseStep, GuestNotice, StoreLink, Survey
from tickets.services import approval_gates, approvals, store_links
from tickets.states import CaseState, Step
from tickets.telling import SurveyState, TellState, Untold
from worklist.selectors import find_item
from worklist.states import Kind
from workstation.entrances import command
from workstation.feed import moment

Fields = Mapping[str, str]


@dataclass(frozen=True)
class LinkView:
    """How it stands with the store's link, in words."""

    lines: Sequence[str]
    may_send: bool


@dataclass(frozen=True)
class ApprovalView:
    id: int
    name: str
    state: str
    question: str
    until: str
    decisions: Sequence[str]
    may_decide: bool
    may_withdraw: bool


def asking_context(*, case: Case, steps: Sequence[CaseStep], staff: Staff, now: datetime) -> dict[str, Any]:
    """What the ticket's page shows of questions to others. Its `steps` tell what there is: most tickets ask nobody, and cost nothing."""
    works, taken = staff.has_right(Right.CASES_WORK), {step.step for step in steps}
    asks = works and case.state != CaseState.CLOSED and approval_gates.has_rules()
    return {
        "store_link": _link(case, works=works) if case.at_store or Step.STORE_ASKED in taken else None,
        "approvals": _approvals(case, staff, now=now) if Step.APPROVAL_ASKED in taken else [],
        "approval_rules": _open_rules(case) if asks else [],
        "guest_told": _told(case) if taken & {Step.NOTIFIED, Step.RATED} else [],
    }


def _link(case: Case, *, works: bool) -> LinkView | None:
    link = StoreLink.objects.filter(case=case).select_related("store").order_by("-pk").first()
    if link is None:
        return LinkView([], may_send=True) if works and case.at_store else None
    return LinkView([line for line in _link_lines(link) if line], may_send=works and case.at_store)


def _link_lines(link: StoreLink) -> Sequence[str]:
    letter = link.letters.order_by("-pk").first()
    return (
        _letter_line(link, letter),
        _("Opened by the store at %(at)s") % {"at": moment(link.opened_at)} if link.opened_at else "",
        _("The store promised to answer by %(at)s") % {"at": moment(link.promised_at)} if link.promised_at else "",
        _("Answered at %(at)s by %(who)s") % {"at": moment(link.answered_at), "who": link.signed} if link.answered_at else "",
    )


def _letter_line(link: StoreLink, letter: CaseLetter | None) -> str:
    if letter is None:
        return _("The store has no mailbox: no letter went out.")
    if letter.state == LetterState.FAILED:
        return _("The letter to %(address)s was not sent: %(error)s") % {"address": letter.address, "error": letter.error}
    if letter.state == LetterState.SENT:
        return _("Letter to %(address)s sent at %(at)s") % {"address": letter.address, "at": moment(letter.sent_at)}
    return _("Letter to %(address)s: %(state)s") % {"address": letter.address, "state": letter.get_state_display()}


def _approvals(case: Case, staff: Staff, *, now: datetime) -> list[ApprovalView]:
    rows = Approval.objects.filter(case=case).select_related("rule").order_by("-pk").prefetch_related("seats__by")[:5]
    found = []
    for row in rows:
        row.case = case
        found.append(_approval(row, staff, now=now))
    return found


def _approval(row: Approval, staff: Staff, *, now: datetime) -> ApprovalView:
    waits = row.state == ApprovalState.WAITING
    return ApprovalView(
        id=row.pk,
        name=row.rule.name,
        state=row.get_state_display(),
        question=row.question,
        until=moment(row.deadline_at) if waits else "",
        decisions=[f"{seat.by}: {seat.get_decision_display()}. {seat.reason}" for seat in row.seats.all() if seat.by],
        may_decide=waits and row.deadline_at > now and approvals.my_seat(row, staff, now=now) is not None,
        may_withdraw=waits and row.asked_by_id == staff.pk,
    )


def _open_rules(case: Case) -> list[ApprovalRule]:
    """Rules whose approval the ticket lacks and nobody was asked for."""
    missing = [rule for deed in Deed for rule in approval_gates.list_missing(case, deed)]
    waiting = Approval.objects.filter(case=case, rule__in=missing, state=ApprovalState.WAITING).values_list("rule", flat=True)
    asked = set(waiting) if missing else set()
    return [rule for rule in missing if rule.pk not in asked]


def _told(case: Case) -> list[str]:
    """What the guest was told, or why not, and the mark."""
    rows = GuestNotice.objects.filter(case=case).exclude(state=TellState.DUE).order_by("pk")
    lines = [f"{row.get_status_display().capitalize()}: {_outcome(row)}" for row in rows]
    survey = Survey.objects.filter(case=case).first()
    return [*lines, *([_mark(survey)] if survey and survey.state != SurveyState.DUE else [])]


def _outcome(row: GuestNotice) -> str:
    if row.state == TellState.SKIPPED:
        return _("not told, %(why)s") % {"why": Untold(row.why_not).label if row.why_not else "–"}
    return f"{row.get_way_display()}, {moment(row.told_at)}"


def _mark(survey: Survey) -> str:
    if survey.mark is None:
        state = survey.get_why_not_display() or survey.get_state_display()
        return _("Mark: %(state)s") % {"state": state}
    return _("Mark: %(mark)d of 5. %(comment)s") % {"mark": survey.mark, "comment": survey.comment}


# Commands


def _case_id(by: Staff, subject_id: int) -> int:
    return find_item(staff=by, kind=Kind.CASE, subject_id=subject_id).subject_id


def _approval_of(fields: Fields, case_id: int) -> int:
    """The approval that the form names, if it is this ticket's. Raises Refusal."""
    number = fields.get("approval", "")
    found = Approval.objects.filter(pk=int(number), case=case_id).exists() if number.isdecimal() and len(number) < 19 else False
    if not found:
        raise Refusal("not_found", gettext_lazy("There is no such approval."), status=404)
    return int(number)


@command("desk.ask_store", right=Right.CASES_WORK)
def ask_store(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """A new letter to the ticket's store."""
    store_links.send(case_id=_case_id(by, subject_id), by=by, question=fields.get("question", ""), now=now)
    return {"ok": True}


@command("desk.ask_approval", right=Right.CASES_WORK)
def ask_approval(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    number = fields.get("rule", "")
    rule = ApprovalRule.objects.filter(pk=int(number), is_active=True).first() if number.isdecimal() and len(number) < 19 else None
    case_id = _case_id(by, subject_id)
    if rule is None:
        raise Refusal("choose", gettext_lazy("Please choose from the list."), status=400)
    approval = approvals.ask(case_id=case_id, rule=rule, question=fields.get("question", ""), by=by, now=now)
    return {"ok": True, "approval_id": approval.pk}


@command("desk.decide_approval", right=Right.CASES_READ)
def decide_approval(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    approval_id = _approval_of(fields, _case_id(by, subject_id))
    decision = fields.get("decision", "")
    if decision not in {"yes", "no"}:
        raise Refusal("choose", gettext_lazy("Please choose yes or no."), status=400)
    approval = approvals.decide(approval_id=approval_id, yes=decision == "yes", reason=fields.get("reason", ""), by=by, now=now)
    return {"ok": True, "state": approval.state}


@command("desk.withdraw_approval", right=Right.CASES_WORK)
def withdraw_approval(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    approvals.withdraw(approval_id=_approval_of(fields, _case_id(by, subject_id)), by=by, now=now)
    return {"ok": True}
