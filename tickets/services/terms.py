"""A ticket's promises follow its topic, group and store, unless a person has chosen them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from sla.models import Policy
from sla.services import clocks
from tickets.models import Case
from tickets.services import cases, promising
from tickets.states import CaseState, Step


def reconsider(case: Case, *, by: Staff | None, now: datetime) -> bool:
    """Look for the locked ticket's policy anew, after its topic, group or store has changed; True = it has another one now.

    What the clocks have used stays used. A policy that a person chose stays. Does not save the ticket.
    """
    if "by" in case.routing.get("promise", {}):
        return False
    promise = promising.promise_of(case)
    if promise.policy_id is None:
        return False
    case.routing = {**case.routing, "promise": dict(promise.reason)}
    if promise.policy_id == case.policy_id:
        return False
    policy = Policy.objects.select_related("calendar").get(pk=promise.policy_id)
    details = {"from": case.policy.name, "to": policy.name, **promise.reason}
    clocks.change_policy(subject=case.clock_subject, policy=policy, now=now, store_zone=cases.zone_of(case))
    case.policy = policy
    cases.note_step(case, Step.TERMS, by=by, now=now, details=details)
    audit.record(action="case.terms_changed", by=by, subject=case, now=now, details=details)
    return True


def change_policy(*, case_id: int, policy: Policy, by: Staff, reason: str, now: datetime) -> Case:
    """Other promises for a ticket from now on; what its clocks have used stays used. Raises Refusal."""
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why the promises change."), status=400)
    with transaction.atomic():
        case = cases.lock(case_id)
        if case.state == CaseState.CLOSED:
            raise Refusal("wrong_state", _("The ticket is closed."))
        if case.policy_id == policy.pk:
            return case
        details = {"from": case.policy.name, "to": policy.name, "reason": reason}
        clocks.change_policy(subject=case.clock_subject, policy=policy, now=now, store_zone=cases.zone_of(case))
        case.policy, case.routing = policy, {**case.routing, "promise": {"by": str(by), "reason": reason}}
        cases.note_step(case, Step.TERMS, by=by, now=now, details=details)
        audit.record(action="case.terms_changed", by=by, subject=case, now=now, details=details)
        cases.save(case, now=now)
        return case
