"""The right panel: who the guest is, and the ticket with its clocks and its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Group, Staff
from accounts.rights import Right
from core.statements import Prepared
from customers.models import Consent, Guest, Identity
from customers.services import segments
from omni.services import session_facts
from sla.models import Clock, Metric
from sla.services import clocks
from tickets import wording
from tickets.models import Case, CaseStep
from tickets.selectors import list_steps
from tickets.states import CASE_MOVES, CaseState, Step
from worklist.models import Item
from worklist.querysets import is_visible
from worklist.states import Kind
from workstation import life
from workstation.asking import asking_context
from workstation.compensations import points_context
from workstation.escalations import escalation_context
from workstation.feed import day_of, moment
from workstation.rules import ClockFace, clock_face, masked_email, masked_phone
from workstation.selectors import Opened, list_cases_of, list_cases_of_dialogue
from workstation.wording import channel_name


class Panel(models.TextChoices):
    """Tabs of the right panel."""

    GUEST = "guest", gettext_lazy("Guest")
    TICKET = "ticket", gettext_lazy("Ticket")
    KNOWLEDGE = "knowledge", gettext_lazy("Knowledge")
    HISTORY = "history", gettext_lazy("History")
    ORDERS = "orders", gettext_lazy("Orders")


def panels_of(staff: Staff) -> Sequence[Panel]:
    """The person's tabs: store staff see nothing of the guest's orders."""
    return [panel for panel in Panel if panel != Panel.ORDERS or staff.has_right(Right.DESK)]


@dataclass(frozen=True)
class IdentityView:
    id: int
    channel: str
    channel_name: str
    name: str
    is_blocked: bool
    is_verified: bool
    agrees: bool


@dataclass(frozen=True)
class StepView:
    """A step of the way: what, who, where, when, and how long the ticket stayed before the next one."""

    name: str
    who: str
    where: str
    at: str
    iso: str
    lasted: str
    reason: str
    is_last: bool


@dataclass(frozen=True)
class ClockView:
    name: str
    due_iso: str
    due: str
    target_seconds: int
    face: ClockFace
    is_paused: bool


def guest_context(*, opened: Opened, staff: Staff, base: str) -> dict[str, Any]:
    """What the tab "Guest" shows."""
    guest = opened.session.guest
    by_desk = staff.has_right(Right.DESK)
    return {
        "guest": guest,
        "phone": masked_phone(guest.phone) if by_desk else "",
        "email": masked_email(guest.email) if by_desk else "",
        "may_reveal": by_desk and staff.has_right(Right.PERSONAL) and bool(guest.phone or guest.email),
        "may_join": staff.has_right(Right.JOIN_GUESTS),
        "first_seen": day_of(guest.created_at),
        **segment_context(guest, staff),
        "facts": session_facts.shown(opened.session) if by_desk else [],
        "identities": list_identities(guest) if by_desk else [],
        "cases": [
            _line_of(item, base, staff)
            for item in list_cases_of(guest.pk)
            if _is_other(item, opened.item) and (by_desk or is_visible(item, staff))
        ],
    }


def segment_context(guest: Guest, staff: Staff) -> dict[str, Any]:
    """The guest's segment and who has said so; the form for who may say otherwise."""
    if not staff.has_right(Right.DESK) or not guest.is_person:
        return {"segment_name": "", "segments": ()}
    named = {segment.code: segment.shown_name for segment in segments.list_segments()}
    mark = segments.mark_of(guest.pk)
    return {
        "segment_name": named.get(guest.segment, guest.segment),
        "segment_mark": mark,
        "segment_marked_at": day_of(mark.at) if mark else "",
        "segments": list(named.items()) if staff.has_right(Right.SUPERVISE) else (),
    }


def _is_other(item: Item, current: Item) -> bool:
    return (item.kind, item.subject_id) != (current.kind, current.subject_id)


def case_link(item: Item, base: str) -> dict[str, Any]:
    """A ticket as a line of the panel."""
    return {
        "url": f"{base}case/{item.subject_id}/",
        "number": item.number,
        "title": item.title,
        "state": item.get_state_display(),
        "at": moment(item.last_at),
        "is_closed": item.state == "closed",
    }


def _line_of(item: Item, base: str, staff: Staff) -> dict[str, Any]:
    """A line of the ticket; one that the person may not open tells whose it is."""
    line = case_link(item, base)
    return line if is_visible(item, staff) else {**line, "url": "", "group": item.group.name if item.group else ""}


_IDENTITIES = Prepared(lambda guest: Identity.objects.select_related("consent").filter(guest_id=guest).order_by("channel", "pk")[:20])


def list_identities(guest: Guest) -> Sequence[IdentityView]:
    """How the channels know the guest."""
    return [_identity(identity) for identity in _IDENTITIES.all(guest=guest.pk)]


def _identity(identity: Identity) -> IdentityView:
    consent: Consent | None = getattr(identity, "consent", None)
    return IdentityView(
        id=identity.pk,
        channel=identity.channel,
        channel_name=channel_name(identity.channel),
        name=identity.display_name,
        is_blocked=identity.blocked_at is not None,
        is_verified=identity.is_verified,
        agrees=consent is not None and consent.withdrawn_at is None,
    )


def ticket_context(*, opened: Opened, staff: Staff, base: str, now: datetime) -> dict[str, Any]:
    """What the tab "Ticket" shows: the ticket, or the form for a new one."""
    works = staff.has_right(Right.CASES_WORK)
    if opened.case is None:
        cases = list_cases_of_dialogue(opened.session.pk)
        return {"case": None, "may_work": works, "cases": [_line_of(item, base, staff) for item in cases]}
    case = opened.case
    moves, steps = CASE_MOVES[case.state], list_steps(case)
    return {
        "case": case,
        **escalation_context(case, staff),
        **points_context(case, staff, now=now),
        "case_state": case.get_state_display(),
        "priority": wording.priority_word(case.priority),
        "may_prioritise": works and case.state != CaseState.CLOSED,
        "topic_path": " › ".join(case.routing.get("path") or [case.topic.shown_name]),
        "why": why_here(case),
        "clocks": list_clocks(case, now=now),
        "steps": list_way(steps, now=now),
        "may_work": works,
        "may_take": works and case.owner_id is None and case.state != CaseState.CLOSED,
        "may_route": works and CaseState.ROUTED in moves,
        "waits": life.wait_choices(case) if works and case.state != CaseState.CLOSED else (),
        "causes": life.cause_choices(case) if works and CaseState.CLOSED in moves else (),
        "may_reopen": works and case.state == CaseState.CLOSED,
        "may_answer_for_store": case.at_store,
        **asking_context(case=case, steps=steps, staff=staff, now=now),
        **life.context_of(case, staff=staff, now=now),
    }


def why_here(case: Case) -> str:
    """The reasons of the routing, one after another."""
    return ". ".join(wording.why_here(case.routing))


def list_clocks(case: Case, *, now: datetime) -> Sequence[ClockView]:
    """The ticket's running and paused promises."""
    return [_clock(clock, now) for clock in clocks.running(case.clock_subject)]


def _clock(clock: Clock, now: datetime) -> ClockView:
    paused = clock.paused_at is not None
    return ClockView(
        name=str(Metric(clock.metric).label),
        due_iso="" if paused else clock.due_at.isoformat(),
        due=moment(clock.due_at),
        target_seconds=clock.target_seconds,
        face=clock_face(None if paused else clock.due_at, clock.target_seconds, now),
        is_paused=paused,
    )


def list_way(steps: Sequence[CaseStep], *, now: datetime) -> Sequence[StepView]:
    """The ticket's way, the newest step last, with the time spent at each."""
    ends = [step.at for step in steps[1:]] + [now]
    return [_step(step, end, step is steps[-1]) for step, end in zip(steps, ends, strict=True)]


def _step(step: CaseStep, end: datetime, is_last: bool) -> StepView:
    where = step.group.name if step.group and step.step in {Step.ROUTED, Step.OPENED, Step.REOPENED} else ""
    return StepView(
        name=wording.step_name(step),
        who=step.by.full_name if step.by else _("Otklik"),
        where=where,
        at=moment(step.at),
        iso=step.at.isoformat(),
        lasted=duration((end - step.at).total_seconds()),
        reason=wording.step_text(step),
        is_last=is_last,
    )


def duration(seconds: float) -> str:
    """A span in its largest useful unit."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return _("%(number)s min") % {"number": minutes}
    if minutes < 60 * 48:
        return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
    return _("%(number)s d") % {"number": minutes // 1440}


def chosen_panel(opened: Opened, staff: Staff, asked: str) -> Panel:
    """The tab that is asked for if the person has it, else the one of the item's kind."""
    if asked in panels_of(staff):
        return Panel(asked)
    return Panel.TICKET if opened.item.kind == Kind.CASE else Panel.GUEST


def group_names(groups: Sequence[Group], language: str) -> list[dict[str, Any]]:
    return [{"id": group.pk, "name": group.name_en if language == "en" and group.name_en else group.name} for group in groups]
