"""What a ticket's step makes due for its guest: a notice, the question of satisfaction. Rows in the ticket's own transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from core.statements import Prepared, insert
from tickets import tokens
from tickets.models import Case, GuestNotice, GuestText, Survey, SurveyRule
from tickets.services import branches
from tickets.states import Step
from tickets.telling import GuestStatus, SurveyState, closest, status_of

PURPOSE = "mark"
RUSSIAN = "ru"
_TEXTS = Prepared(lambda status: GuestText.objects.filter(status=status, is_active=True).order_by("pk"))
_RULES = Prepared(lambda active: SurveyRule.objects.filter(is_active=active).order_by("pk"))


def heard(case: Case, step: Step, *, now: datetime, details: Mapping[str, Any] | None = None) -> None:
    """A step of the locked ticket. Nothing is written when nothing is set up to be told, or there is no guest."""
    if case.guest_id is None:
        return
    cause = str((details or {}).get("cause", ""))
    status = status_of(step, case.state, cause)
    if status is not None and (text := _text_for(case, status)):
        insert(GuestNotice(case=case, status=status, wording=text, next_at=now, created_at=now), or_nothing=True)
    if step == Step.CLOSED and (rule := _rule_for(case)) and cause not in rule.skipped_causes:
        _make_due(case, rule, now=now)


def _text_for(case: Case, status: GuestStatus) -> GuestText | None:
    chain_id = case.store.chain_id if case.store_id and case.store else None
    return wording_for(status, topic_id=case.topic_id, chain_id=chain_id, language=language_of(case))


def language_of(case: Case) -> str:
    """In which language its guest is told: as the guest writes in the ticket's dialogue, else as is known of the guest."""
    return case.session.language or (case.guest.language if case.guest else "") or RUSSIAN


def wording_for(status: GuestStatus, *, topic_id: int | None, chain_id: int | None, language: str) -> GuestText | None:
    """The text in use that fits best, Russian where there is none in the language; None = the guest is told nothing of it."""
    texts = _TEXTS.all(status=str(status))
    if not texts:
        return None
    branch = branches.line_of(topic_id) if topic_id is not None else []
    for wanted in dict.fromkeys((language, RUSSIAN)):
        own = [text for text in texts if text.language == wanted]
        at = closest([(text.topic_id, text.chain_id) for text in own], branch=branch, chain_id=chain_id)
        if at is not None:
            return own[at]
    return None


def _rule_for(case: Case) -> SurveyRule | None:
    rules = _RULES.all(active=True)
    at = closest([(rule.topic_id, None) for rule in rules], branch=branches.line_of(case.topic_id), chain_id=None) if rules else None
    return rules[at] if at is not None else None


def _make_due(case: Case, rule: SurveyRule, *, now: datetime) -> None:
    """Once for each ticket; one that was opened again before it was asked is asked after its last close."""
    begins = now + timedelta(minutes=rule.delay_minutes)
    times = {"next_at": begins, "expires_at": begins + timedelta(hours=rule.keeps_hours)}
    survey = Survey(case=case, rule=rule, **times)
    survey.digest = tokens.digest_of(tokens.token_of(PURPOSE, survey.public_id))
    insert(survey, or_nothing=True)
    if survey._state.adding:
        again = Survey.objects.filter(case=case, state__in=[SurveyState.DUE, SurveyState.SKIPPED])
        again.update(state=SurveyState.DUE, why_not="", rule=rule, **times)
