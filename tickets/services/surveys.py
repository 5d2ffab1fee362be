"""The question of satisfaction: asked once after a ticket is closed; its answer is known by a bare mark, and kept with the ticket."""

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core import audit, events
from core.refusal import Refusal
from core.text import storable
from customers.services import identities
from omni.channels.registry import adapter_for
from omni.models import Message, Session
from omni.services import conversations
from omni.states import Direction, SessionState
from tickets import tokens
from tickets.asking import LetterKind
from tickets.events import CaseRated
from tickets.models import Case, Survey, SurveyRule
from tickets.services import cases, letters, telling
from tickets.services.guest_news import PURPOSE
from tickets.states import CaseState, Step
from tickets.telling import MARKS, OnLow, SurveyState, Untold, read_mark, wakes

BATCH = 200
# A guest who talks with us just now is not asked in the middle of it.
BUSY_PAUSE = timedelta(hours=1)
# The letter about a low mark waits for the comment.
ALERT_AFTER = timedelta(minutes=15)
LABELS = tuple(str(mark) for mark in reversed(MARKS))
ANSWERED = (SurveyState.MARKED, SurveyState.DONE)


def ask_due(*, now: datetime) -> int:
    """Ask what is due; returns how many rows were looked at. Call again while it returns BATCH."""
    due = Survey.objects.filter(state=SurveyState.DUE, next_at__lte=now).order_by("next_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    with translation.override(settings.LANGUAGE_CODE):
        for survey_id in ids:
            _ask(survey_id, now=now)
    return len(ids)


@transaction.atomic
def _ask(survey_id: int, *, now: datetime) -> None:
    case = cases.lock(Survey.objects.values_list("case_id", flat=True).get(pk=survey_id))
    survey = locked(survey_id)
    if survey.state != SurveyState.DUE or survey.next_at is None or survey.next_at > now:
        return
    session = conversations.lock(case.session_id)
    if why := _pointless(survey, case, now=now):
        _skip(survey, why)
    elif session.state != SessionState.CLOSED:
        _put_off(survey, now + BUSY_PAUSE)
    elif (moment := telling.allowed_at(session, now=now)) > now:
        _put_off(survey, moment)
    else:
        _put(survey, case, session, now=now)


def locked(survey_id: int) -> Survey:
    """The row, locked behind its ticket."""
    return Survey.objects.select_for_update(of=("self",)).select_related("rule").get(pk=survey_id)


def _pointless(survey: Survey, case: Case, *, now: datetime) -> str:
    if survey.rule is None or not survey.rule.is_active or case.state != CaseState.CLOSED:
        return Untold.OUTDATED
    if survey.expires_at <= now:
        return Untold.LATE
    since = now - timedelta(days=survey.rule.rest_days)
    lately = Survey.objects.filter(case__guest=case.guest_id, asked_at__gt=since).exclude(pk=survey.pk)
    return Untold.RESTING if survey.rule.rest_days and lately.exists() else ""


def _skip(survey: Survey, why: str) -> None:
    Survey.objects.filter(pk=survey.pk).update(state=SurveyState.SKIPPED, why_not=why, next_at=None)


def _put_off(survey: Survey, moment: datetime) -> None:
    Survey.objects.filter(pk=survey.pk).update(next_at=moment)


def _put(survey: Survey, case: Case, session: Session, *, now: datetime) -> None:
    """In the guest's channel, with buttons where it has some; a mail holds a link; else by push or SMS, with the link."""
    rule = cast(SurveyRule, survey.rule)
    by_mail = adapter_for(session.account.kind).capabilities.subject
    with_link = telling.filled(rule.link_question, case, link=address_of(survey))
    text = with_link if by_mail else telling.filled(rule.question, case)
    told = telling.in_channel(session, text, choices=() if by_mail else LABELS, now=now)
    if told.why_not == Untold.NOWHERE and rule.falls_back:
        told = telling.by_notice(case, title=_t("Your ticket"), text=with_link, key="mark", now=now)
    if told.why_not:
        _skip(survey, told.why_not)
        return
    survey.state, survey.way, survey.asked, survey.asked_at, survey.next_at = SurveyState.ASKED, told.way, told.message, now, None
    survey.identity = session.identity if told.message else None
    survey.expires_at = now + timedelta(hours=rule.keeps_hours)
    survey.save()


def address_of(survey: Survey) -> str:
    """Where the guest gives the mark by link."""
    token = tokens.token_with(PURPOSE, survey.public_id, digest=survey.digest)
    return settings.PUBLIC_URL + reverse("mark_link", kwargs={"token": token})


def last_question(session: Session) -> Message | None:
    """Our last word, if the guest has said nothing since but marks."""
    last = session.messages.filter(direction=Direction.OUT).order_by("-seq").first()
    since = session.messages.filter(direction=Direction.IN, seq__gt=last.seq if last else 0).values_list("visible_text", "text")
    return last if all(read_mark(visible or text) is not None for visible, text in since) else None


def keep_mark(survey: Survey, case: Case, mark: int, *, now: datetime, session: Session | None) -> None:
    """The mark of a locked ticket, the first or another one. `session` = the locked dialogue to go on in; None = on a page.

    A first mark brings the thanks or the question for a comment, and what the rule does about a low one.
    """
    is_first = survey.mark is None
    survey.mark, survey.marked_at = mark, now
    if is_first:
        survey.state = SurveyState.DONE
        if session is not None:
            _follow_up(survey, case, session, now=now)
    survey.save()
    cases.note_step(case, Step.RATED, by=None, now=now, details={"mark": mark})
    audit.record(action="case.rated", by=None, subject=case, now=now, details={"mark": mark})
    if is_first and survey.rule is not None and mark <= survey.rule.low_mark:
        _on_low(survey.rule, case, mark, now=now)
    events.publish(CaseRated(case_id=case.pk))


def _follow_up(survey: Survey, case: Case, session: Session, *, now: datetime) -> None:
    rule = survey.rule
    wanted = rule.comment_question if rule else ""
    text = wanted or (rule.thanks if rule else "")
    if text:
        survey.follow_up = telling.in_channel(session, telling.filled(text, case), choices=(), now=now).message
    if wanted and survey.follow_up:
        survey.state = SurveyState.MARKED


def _on_low(rule: SurveyRule, case: Case, mark: int, *, now: datetime) -> None:
    if rule.on_low == OnLow.ALERT:
        letters.queue(
            kind=LetterKind.LOW_MARK, case=case, address=rule.alert_address, key=f"mark:{case.pk}", now=now, not_before=now + ALERT_AFTER
        )
    elif rule.on_low == OnLow.REOPEN and case.state == CaseState.CLOSED:
        cases.reopen(case_id=case.pk, by=None, reason=_t("The guest's mark is %(mark)d") % {"mark": mark}, now=now)


def keep_comment(survey: Survey, words: str, *, session: Session | None, now: datetime) -> None:
    """The guest's comment on the mark, with thanks when it came in the dialogue and nobody else will answer."""
    survey.comment, survey.state = storable(words).strip()[:4000], SurveyState.DONE
    survey.save(update_fields=["comment", "state"])
    if session is not None and survey.rule is not None and survey.rule.thanks:
        telling.in_channel(session, telling.filled(survey.rule.thanks, survey.case), choices=(), now=now)


def is_for_people(survey: Survey, words: str) -> bool:
    """Whether a comment must be read by somebody now."""
    return wakes(words, mark=survey.mark or 0, low=survey.rule.low_mark if survey.rule else 0)


# By link


def find(token: str, *, now: datetime) -> Survey:
    """The question of a link. Raises Refusal: not ours, or its time is over."""
    public_id = tokens.read(PURPOSE, token)
    found = Survey.objects.select_related("case__topic", "case__session", "rule").filter(digest=tokens.digest_of(token))
    survey = found.filter(public_id=public_id).first() if public_id else None
    if survey is None:
        raise Refusal("link_forged", _("This link is not right: was it cut when it was copied?"), status=404)
    if survey.expires_at <= now:
        raise Refusal("link_expired", _("The time to answer is over. Thank you for being with us!"), status=410)
    return survey


@transaction.atomic
def answer_by_link(*, token: str, mark: int, comment: str, now: datetime) -> Survey:
    """A mark given on the page, with or without a comment; given again it is changed, a comment stays the first. Raises Refusal."""
    if mark not in MARKS:
        raise Refusal("no_mark", _("Please choose a mark from 1 to 5."), status=400)
    known = find(token, now=now)
    # Before the dialogue, as everywhere: a low mark may open it again.
    identities.lock(known.case.session.identity_id)
    case = cases.lock(known.case_id)
    survey = locked(known.pk)
    if survey.mark != mark:
        keep_mark(survey, case, mark, now=now, session=None)
    if comment.strip() and not survey.comment:
        keep_comment(survey, comment, session=None, now=now)
    return survey
