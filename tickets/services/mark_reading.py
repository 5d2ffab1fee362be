"""A guest's message as the answer to the question of satisfaction (registered with omni.readers)."""

from datetime import datetime

from core.statements import Prepared
from customers.models import Identity
from omni.models import ChannelAccount
from omni.readers import Reading
from omni.services import conversations
from tickets.models import Survey
from tickets.services import cases, surveys
from tickets.telling import SurveyState, read_mark

_LIVE = (SurveyState.ASKED, SurveyState.MARKED, SurveyState.DONE)
_LAST = Prepared(
    lambda identity, account, now: (
        Survey.objects.filter(identity_id=identity, asked__account=account, state__in=_LIVE, expires_at__gt=now)
        .order_by("-asked_at")
        .values_list("pk", "case_id", "asked__session_id", "state")[:1]
    )
)


class MarkReader:
    """Only the next message is an answer: a bare mark; after the mark, a comment if one was asked for; another bare mark changes it."""

    def read(self, *, identity: Identity, account: ChannelAccount, text: str, now: datetime) -> Reading | None:
        found, mark = _LAST.first(identity=identity.pk, account=account.pk, now=now), read_mark(text)
        if found is None or (mark is None and found[3] == SurveyState.ASKED):
            return None
        survey_id, case_id, session_id, _state = found
        session = conversations.lock(session_id)
        case = cases.lock(case_id)
        survey = surveys.locked(survey_id)  # as it is now that nobody else can change it
        last = surveys.last_question(session)
        if case.session_id != session_id or last is None or last.pk not in {survey.asked_id, survey.follow_up_id}:
            return None
        survey.case = case
        if mark is not None:
            return Reading(lambda _message: surveys.keep_mark(survey, case, mark, now=now, session=session), session)
        if survey.state != SurveyState.MARKED:
            return None
        if surveys.is_for_people(survey, text):
            return Reading(lambda _message: surveys.keep_comment(survey, text, session=None, now=now))
        return Reading(lambda _message: surveys.keep_comment(survey, text, session=session, now=now), session)
