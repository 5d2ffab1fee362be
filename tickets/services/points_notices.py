"""Guests hear of a compensation by push or SMS, as they agreed to, in their language (registered with loyalty.notices)."""

from datetime import datetime

from core.statements import insert
from core.text import first_line
from loyalty.models import Compensation
from omni.services import notice_routes, notices
from tickets.asking import fill
from tickets.models import Case, CaseStep, GuestText
from tickets.services import guest_news
from tickets.states import Step
from tickets.telling import GuestStatus


class PointsNotices:
    """One notice for each compensation, in the words that are set up for the ticket's topic and chain, outside the guest's night."""

    def tell(self, compensation: Compensation, *, now: datetime) -> bool:
        """Queue the notice; False when no text is in use, or neither a device nor a telephone with consent is known."""
        case = _case_of(compensation)
        wording = _wording(compensation, case)
        if wording is None or not notice_routes.leads_to(compensation.guest):
            return False
        title, text = (_filled(words, compensation, case, wording.language) for words in (wording.title, wording.text))
        key, data = f"compensation:{compensation.pk}", {"case": compensation.number}
        notices.notify(guest=compensation.guest, title=title, text=text, key=key, now=now, data=data)
        if case is not None:
            _note(case, compensation, now=now)
        return True


def _case_of(compensation: Compensation) -> Case | None:
    kind, _colon, number = compensation.subject.partition(":")
    return Case.objects.select_related("topic", "store", "session", "guest").filter(pk=int(number)).first() if kind == "case" else None


def _wording(compensation: Compensation, case: Case | None) -> GuestText | None:
    chain_id = case.store.chain_id if case and case.store else None
    language = guest_news.language_of(case) if case else compensation.guest.language
    return guest_news.wording_for(GuestStatus.POINTS, topic_id=case.topic_id if case else None, chain_id=chain_id, language=language)


def _filled(text: str, compensation: Compensation, case: Case | None, language: str) -> str:
    topic = case.topic.name_in(language) if case else ""
    values = {"number": compensation.number, "topic": topic, "points": str(compensation.points)}
    return fill(text, {**values, "guest": first_line(compensation.guest.name, 60).split(" ")[0]})


def _note(case: Case, compensation: Compensation, *, now: datetime) -> None:
    at = {"state": case.state, "group_id": case.group_id, "owner_id": case.owner_id}
    insert(CaseStep(case=case, step=Step.NOTIFIED, at=now, by=None, details={"points": compensation.points}, **at))
