"""What a deed sends out: to which people, in which channel, with what text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalation.ladder import Deed
from escalation.plans import Plan, PlannedStep
from escalation.services.people import Called, Person, Roster
from escalation.states import CALLING, ERRANDS, Channel, EventKind, StepKind
from escalation.wording import heading_of, text_of

_ERRAND_CHANNELS = {
    StepKind.WEBHOOK: Channel.WEBHOOK,
    StepKind.CHAT: Channel.CHAT,
    StepKind.TICKET: Channel.TICKET,
    StepKind.INCIDENT: Channel.INCIDENT,
    StepKind.REPORT: Channel.REPORT,
}


@dataclass(frozen=True)
class Due:
    """A run whose time has come, as notices need it."""

    run_id: int
    subject: str
    title: str
    link: str
    holder_id: int | None
    reaction_due: datetime | None


@dataclass(frozen=True)
class Draft:
    """A notice to be written down; see escalation.models.Delivery."""

    run_id: int | None
    turn: int
    key: str
    level: int
    channel: str
    recipient: str
    staff_id: int | None
    address: str
    heading: str
    message: str
    late: bool


def reaches(step: PlannedStep, plan: Plan, roster: Roster) -> bool:
    """Whether the step would reach anybody now."""
    if step.kind in CALLING:
        return bool(roster.call(step, plan).people)
    if step.kind == StepKind.WEBHOOK:
        return step.hook in roster.hooks
    return bool(plan.chat) if step.kind == StepKind.CHAT else True


def drafts_of(due: Due, plan: Plan, deed: Deed, roster: Roster, *, late: bool) -> tuple[list[Draft], dict[str, Any]]:
    """The notices of a deed, and what its history row says of it."""
    details: dict[str, Any] = {"to_level": deed.to_level} if deed.to_level else {}
    if deed.step is not None:
        details |= {"step": deed.step.kind, "number": deed.number, "name": deed.step.name}
    if deed.kind == EventKind.STEP and deed.step is not None:
        if deed.step.kind in ERRANDS:
            return [_errand(due, plan, deed, deed.step, roster, late=late)], details
        called = roster.call(deed.step, plan)
        if deed.step.kind == StepKind.ROUND_ROBIN:
            called = roster.next_in_turn(deed.step, called)
        details |= {"to": [person.name for person in called.people]} | ({"by_lead": True} if called.by_lead else {})
        return list(_letters(due, plan, deed, called, late=late)), details
    if deed.kind in {EventKind.REMINDED, EventKind.UPDATE_DUE}:
        holder = roster.people.get(due.holder_id or 0)
        called = Called((holder,) if holder and holder.addresses else ())
        return list(_letters(due, plan, deed, called, late=late)), {"to": [person.name for person in called.people]}
    return [], details


def _letters(due: Due, plan: Plan, deed: Deed, called: Called, *, late: bool) -> Iterator[Draft]:
    channels = (deed.step.channels if deed.step else ()) or plan.default_channels
    heading = heading_of(plan, deed.level, due.title)
    for person in called.people:
        text = _text(due, plan, deed, person, late=late)
        for channel, address in person.reached_by(channels):
            yield Draft(
                run_id=due.run_id, turn=deed.turn, key=deed.key, level=deed.level, channel=channel, staff_id=person.staff_id,
                recipient=f"staff:{person.staff_id}:{address}"[:80], address=address, heading=heading, message=text, late=late,
            )  # fmt: skip


def _text(due: Due, plan: Plan, deed: Deed, person: Person, *, late: bool) -> str:
    return text_of(
        plan, deed, title=due.title, link=due.link, due=due.reaction_due, language=person.language, zone=person.zone, late=late
    )  # fmt: skip


def _errand(due: Due, plan: Plan, deed: Deed, step: PlannedStep, roster: Roster, *, late: bool) -> Draft:
    channel = _ERRAND_CHANNELS[step.kind]
    address, recipient = (plan.chat, "chat") if step.kind == StepKind.CHAT else (plan.code, channel.value)
    if step.kind == StepKind.WEBHOOK:
        address, recipient = roster.hooks[step.hook or 0].url, f"hook:{step.hook}"
    text = text_of(plan, deed, title=due.title, link=due.link, due=due.reaction_due, language="ru", zone="Europe/Moscow", late=late)
    return Draft(
        run_id=due.run_id, turn=deed.turn, key=deed.key, level=deed.level, channel=channel, staff_id=None, recipient=recipient,
        address=address, heading=heading_of(plan, deed.level, due.title), message=text, late=late,
    )  # fmt: skip
