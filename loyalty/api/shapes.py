"""Points as the API gives them: plain dictionaries in the shapes of schemas.py."""

from dataclasses import asdict
from typing import Any

from loyalty.models import Card, Compensation, CompensationReason
from loyalty.selectors import Balance

Shape = dict[str, Any]


def compensation(found: Compensation) -> Shape:
    return {
        "id": str(found.pk),
        "subject": found.subject,
        "number": found.number,
        "points": found.points,
        "state": found.state,
        "reason": str(found.reason),
        "comment": found.comment,
        "over": found.over,
        "author": _person(found.author),
        "asked_at": found.asked_at,
        "expires_at": found.expires_at,
        "decided_at": found.decided_at,
        "decision_text": found.decision_text,
        "notice": found.notice,
        "signatures": [{"level": one.level_name, "by": _person(one.by) if one.by else None, "at": one.at} for one in _signatures(found)],
    }


def _signatures(found: Compensation) -> Any:
    return sorted(found.signatures.all(), key=lambda one: one.pk)


def _person(staff: Any) -> Shape:
    return {"id": staff.pk, "name": str(staff)}


def balance(found: Balance) -> Shape:
    return asdict(found)


def card(found: Card) -> Shape:
    return {"number": found.number, "chain": found.chain.name, "state": found.state}


def reason(found: CompensationReason) -> Shape:
    return {"code": found.code, "name": str(found), "usual_points": found.usual_points}
