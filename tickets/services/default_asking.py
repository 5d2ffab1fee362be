"""Shipped letters, notices, questions of satisfaction and rules of approval: all on. docs/runbook.md says how to switch each off.

Guests are told in the dialogue that they began themselves, unless they took their consent back, and never at night.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from accounts.models import Role
from core.shipped import Shipment
from tickets.models import ApprovalRule, GuestText, LetterText, SurveyRule, Topic

DATA = Path(__file__).resolve().parent.parent / "data" / "asking.json"
Facts = Mapping[str, Any]


def load(shipment: Shipment) -> None:
    """Add what was never added before."""
    told = json.loads(DATA.read_text("utf-8"))
    for facts in told["letters"]:
        shipment.add("letter", facts["kind"], partial(_letter, facts))
    for facts in told["notices"]:
        code = facts["status"] if "language" not in facts else f"{facts['status']}:{facts['language']}"
        shipment.add("guest_notice", code, partial(_notice, facts))
    for facts in told["surveys"]:
        shipment.add("survey", facts["code"], partial(_survey, facts))
    for facts in told["approvals"]:
        shipment.add("approval_rule", facts["code"], partial(_approval, facts))


def _letter(facts: Facts) -> None:
    LetterText.objects.get_or_create(kind=facts["kind"], defaults={"heading": facts["heading"], "text": facts["text"]})


def _notice(facts: Facts) -> None:
    """A text of another language is in use where the Russian one is: whoever switched that off is not surprised by this one."""
    language = facts.get("language", "ru")
    first = GuestText.objects.filter(status=facts["status"], topic=None, chain=None, language="ru").first()
    is_active = first.is_active if first and language != "ru" else True
    fields = {"is_active": is_active, **facts}
    GuestText.objects.get_or_create(status=facts["status"], topic=None, chain=None, language=language, defaults=fields)


def _survey(facts: Facts) -> None:
    fields = {name: value for name, value in facts.items() if name != "code"}
    SurveyRule.objects.get_or_create(topic=None, defaults=fields)


def _approval(facts: Facts) -> None:
    """Without the role or topic that it names, which a supervisor has removed, it is off and waits to be looked at."""
    topic, role = Topic.objects.filter(code=facts["topic"]).first(), Role.objects.filter(code=facts["role"]).first()
    then_role = Role.objects.filter(code=facts.get("then_role", "")).first()
    fields = {**facts, "topic": topic, "role": role, "then_role": then_role, "is_active": topic is not None and role is not None}
    ApprovalRule.objects.get_or_create(code=facts["code"], defaults=fields)
