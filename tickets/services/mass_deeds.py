"""What a mass job does to one ticket: each deed is the service that a person's click would call."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core.refusal import Refusal
from core.text import first_line
from omni.models import Session
from omni.services import answering, continuing
from omni.services.approved import Choice, filled
from omni.services.reach import is_switched_off, window_is_over
from omni.states import SessionState
from tickets.asking import fill
from tickets.models import Case, CaseLink, MassJob, Topic
from tickets.services import cases, handing, linking, rerouting, telling
from tickets.states import CaseState, Cause, Step

Kind = MassJob.Kind
SPEAKING = (Kind.ANSWER, Kind.CLOSE)
"""Kinds whose text is written to the guests."""
Params = Mapping[str, Any]


def checked(kind: MassJob.Kind, text: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the kind needs, each there. Raises Refusal."""
    if kind == Kind.ANSWER:
        if not text:
            raise Refusal("empty", _("Write something first."), status=400)
        return {"templates": _templates(params.get("templates") or {})}
    name, exists = _NEEDS[kind]
    value = params.get(name)
    if value in (None, "") or not exists(value):
        raise Refusal("choose", _("Please choose from the list."), status=400)
    reason = first_line(str(params.get("reason") or ""), 200)
    if kind in {Kind.GROUP, Kind.TOPIC} and not reason:
        raise Refusal("reason_needed", _("Please say why the ticket goes to another group."), status=400)
    templates = {"templates": _templates(params.get("templates") or {})} if text else {}
    return {name: value, "reason": reason} | templates


def _templates(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(account): {"template": int(one["template"]), "values": [str(value) for value in one.get("values", [])]}
        for account, one in given.items()
    }


def _is_topic(pk: Any) -> bool:
    return Topic.objects.filter(pk=pk, is_active=True).exists()


def _is_group(pk: Any) -> bool:
    return Group.objects.filter(pk=pk, is_active=True).exists()


def _is_person(pk: Any) -> bool:
    return Staff.objects.filter(pk=pk, is_active=True).exists()


def _is_case(pk: Any) -> bool:
    return Case.objects.filter(pk=pk).exists()


_NEEDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    Kind.TOPIC: ("topic", _is_topic),
    Kind.GROUP: ("group", _is_group),
    Kind.OWNER: ("owner", _is_person),
    Kind.CLOSE: ("cause", lambda cause: cause in Cause.values),
    Kind.LINK: ("main", _is_case),
}


def in_words(kind: MassJob.Kind, params: Params) -> str:
    """The change as a line of the list."""
    value: Any = params.get(_NEEDS[kind][0])
    names: Mapping[str, Callable[[], object]] = {
        Kind.TOPIC: lambda: Topic.objects.get(pk=value),
        Kind.GROUP: lambda: Group.objects.get(pk=value),
        Kind.OWNER: lambda: Staff.objects.get(pk=value).full_name,
        Kind.CLOSE: lambda: Cause(value).label,
        Kind.LINK: lambda: Case.objects.get(pk=value),
    }
    return _t("%(deed)s: %(value)s") % {"deed": Kind(kind).label, "value": names[kind]()}


def text_for(job: MassJob, case: Case) -> str:
    """The answer with the guest's name and the ticket's number filled in."""
    return fill(job.text, {"guest": first_line(case.guest_name, 160), "number": case.number})


def do(job: MassJob, case: Case, *, speaks: bool, now: datetime) -> int | None:
    """The job's deed on one ticket, in the caller's transaction; the id of the message that was written. Raises Refusal.

    Not `speaks` = the guest gets the job's text by another ticket of the same dialogue.
    """
    message = _answer(job, case, now) if job.text and speaks else None
    if job.kind in _DEEDS:
        _DEEDS[job.kind](job, case, now)
    return message


def _answer(job: MassJob, case: Case, now: datetime) -> int:
    """A guest whose dialogue is over is written to all the same, in the channel by which they came."""
    session = continuing.lock(case.session_id)
    if refusal := unwanted(session):
        raise refusal
    given: dict[str, Any] = {"session_id": session.pk, "by": job.made_by, "now": now, "even_closed": True}
    template = template_for(job, session, now=now)
    if template:
        choice = Choice(template_id=template["template"], values=template["values"])
        message = answering.answer_with_template(**given, choice=choice)
    else:
        message = answering.answer(**given, text=text_for(job, case))
    told = cases.lock(case.pk)
    if told.state == CaseState.CLOSED:  # an open one is told by its dialogue
        cases.note_step(told, Step.ANSWERED, by=job.made_by, now=now, details={"message": message.pk})
    return message.pk


def words_for(job: MassJob, case: Case, session: Session, *, now: datetime) -> tuple[str, bool]:
    """What the guest of the ticket would read now, and whether it is an approved text. Raises Refusal: that is not allowed any more."""
    template = template_for(job, session, now=now)
    if template is None:
        return text_for(job, case), False
    return filled(session, Choice(template_id=template["template"], values=template["values"]))[1], True


def template_for(job: MassJob, session: Session, *, now: datetime) -> Mapping[str, Any] | None:
    """The approved text that this guest has to get instead; None = a free text may be sent."""
    found: Mapping[str, Any] | None = job.params.get("templates", {}).get(str(session.account_id))
    return found if found and window_is_over(session, now=now) else None


def unwanted(session: Session) -> Refusal | None:
    """Why nobody should begin to write in this dialogue, or nobody can; None = nothing is in the way."""
    if is_switched_off(session):
        return Refusal("switched_off", _("The channel is switched off."))
    if session.state == SessionState.CLOSED and telling.refuses(session):
        return Refusal("no_consent", _("The guest does not want to be written to first."))
    return None


def _topic(job: MassJob, case: Case, now: datetime) -> None:
    topic = Topic.objects.get(pk=job.params["topic"])
    if case.topic_id != topic.pk:
        rerouting.reroute(case_id=case.pk, change=rerouting.Change(topic=topic), by=job.made_by, reason=job.params["reason"], now=now)


def _group(job: MassJob, case: Case, now: datetime) -> None:
    group = Group.objects.get(pk=job.params["group"])
    if case.group_id != group.pk:
        cases.route(case_id=case.pk, group=group, by=job.made_by, reason=job.params["reason"], now=now)


def _owner(job: MassJob, case: Case, now: datetime) -> None:
    handing.hand_to(case_id=case.pk, to=Staff.objects.get(pk=job.params["owner"]), note="", by=job.made_by, now=now)


def _close(job: MassJob, case: Case, now: datetime) -> None:
    if cases.lock(case.pk).state == CaseState.CLOSED:  # perhaps with the one that it was joined to, and its own cause
        return
    cases.close(case_id=case.pk, cause=Cause(job.params["cause"]), by=job.made_by, now=now)


def _link(job: MassJob, case: Case, now: datetime) -> None:
    linking.link(case_id=case.pk, main_id=job.params["main"], kind=CaseLink.Kind.CHILD, by=job.made_by, now=now)


_DEEDS: Mapping[str, Callable[[MassJob, Case, datetime], None]] = {
    Kind.TOPIC: _topic,
    Kind.GROUP: _group,
    Kind.OWNER: _owner,
    Kind.CLOSE: _close,
    Kind.LINK: _link,
}
