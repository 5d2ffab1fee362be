"""What may not be done to a ticket before it is approved: asked inside the deed's own transaction."""

import time
from collections.abc import Sequence

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import Prepared
from tickets.approving import ApprovalState, Deed
from tickets.models import Approval, ApprovalRule, Case, CaseStep
from tickets.routing import resolve
from tickets.services import branches, topics
from tickets.states import Step

# How old the answer of `has_rules` may be: it only decides whether a page looks for rules at all.
KEPT_SECONDS = 10
_kept: list[tuple[float, bool]] = []
_RULES = Prepared(lambda deed: ApprovalRule.objects.filter(deed=deed, is_active=True).order_by("pk"))


def check(case: Case, deed: Deed, *, cause: str = "") -> None:
    """Raises Refusal `approval_needed` when a rule asks for an approval that the ticket has not."""
    if missing := list_missing(case, deed, cause=cause):
        text = _("This needs an approval first: %(rule)s. Ask for it in the ticket.")
        raise Refusal("approval_needed", text % {"rule": missing[0].name})


def has_rules() -> bool:
    """Whether any rule is in use, at most KEPT_SECONDS ago."""
    if not _kept or time.monotonic() - _kept[0][0] >= KEPT_SECONDS:
        _kept[:] = [(time.monotonic(), ApprovalRule.objects.filter(is_active=True).exists())]
    return _kept[0][1]


def forget() -> None:
    """Look anew at the next use."""
    _kept.clear()


def list_missing(case: Case, deed: Deed, *, cause: str = "") -> Sequence[ApprovalRule]:
    """Rules for the deed under which the ticket is not approved; what was approved before it was opened again is spent."""
    rules = [rule for rule in list_rules(case, deed) if not cause or cause not in rule.skipped_causes]
    if not rules:
        return []
    since = CaseStep.objects.filter(case=case, step=Step.REOPENED).aggregate(at=Max("at"))["at"] or case.opened_at
    given = Approval.objects.filter(case=case, state=ApprovalState.APPROVED, asked_at__gte=since).values_list("rule", flat=True)
    return [rule for rule in rules if rule.pk not in set(given)]


def list_rules(case: Case, deed: Deed) -> Sequence[ApprovalRule]:
    """Rules that the ticket's topic comes under."""
    rules = _RULES.all(deed=str(deed))
    if not rules:
        return []
    line = branches.line_of(case.topic_id)
    flagged = resolve(case.topic_id, topics.facts()).needs_approval
    return [rule for rule in rules if (rule.topic_id in line if rule.topic_id else flagged)]
