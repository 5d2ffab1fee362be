"""A map in words: the same rows for the page, the PDF and the spreadsheet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from escalation.ladder import timetable
from escalation.models import EscalationMap, EscalationSettings, MapLine
from escalation.plans import Plan, PlannedStep
from escalation.services import dry_run, limits, planning
from escalation.services.people import Roster
from escalation.states import CALLING, Channel, Severity, StepKind

Row = tuple[str, ...]
Fact = tuple[str, str]


@dataclass(frozen=True)
class LinePage:
    """A line: its facts, and a row for each step as `heads` of the page name the columns."""

    code: str
    title: str
    facts: Sequence[Fact]
    rows: Sequence[Row]


@dataclass(frozen=True)
class MapPage:
    name: str
    about: str
    facts: Sequence[Fact]
    heads: Row
    lines: Sequence[LinePage]


def describe(found: EscalationMap, *, now: datetime) -> MapPage:
    """The map with who is on duty at `now`, in the reader's language and time zone."""
    numbers = limits.current()
    lines = list(planning.lines_in_use().filter(map=found).order_by("position", "code")) if found.is_active else []
    plans = [planning.plan_of(line, now=now, numbers=numbers) for line in lines]
    roster = Roster(plans, now=now)
    return MapPage(
        name=found.name,
        about=found.about,
        facts=_map_facts(found, numbers, now),
        heads=(
            pgettext("escalation", "Level"),
            pgettext("step", "After"),
            _("Step"),
            _("Whom"),
            _("On duty now"),
            _("Channels"),
            _("Text"),
        ),
        lines=[_line(line, plan, roster) for line, plan in zip(lines, plans, strict=True)],
    )


def _map_facts(found: EscalationMap, numbers: EscalationSettings, now: datetime) -> list[Fact]:
    reviewed = date_format(found.reviewed_on, "SHORT_DATE_FORMAT") if found.reviewed_on else _("never")
    if dry_run.is_stale(found, numbers, today=now.date()):
        reviewed = _("%(date)s: out of date") % {"date": reviewed}
    return [
        (_("Owner of the map"), str(found.owner or "–")),
        (_("Reviewed"), reviewed),
        (_("As of"), date_format(localtime(now), "SHORT_DATETIME_FORMAT")),
    ]


def _line(line: MapLine, plan: Plan, roster: Roster) -> LinePage:
    return LinePage(line.code, f"{line.code} · {line.name}", list(_line_facts(line, plan)), list(_rows(plan, roster)))


def _line_facts(line: MapLine, plan: Plan) -> Iterator[Fact]:
    yield _("Severity"), str(Severity(line.severity).label)
    yield _("Hours"), str(line.calendar or _("round the clock"))
    yield _("Taken within"), in_minutes(plan.reaction)
    yield _("Resolved or escalated within"), in_minutes(plan.deal)
    if plan.update:
        yield _("News every"), in_minutes(plan.update)
    if line.signals:
        yield _("Signals"), ", ".join(line.signals)
    optional = ((_("Instruction"), line.runbook), (_("The first line may"), line.may_do), (_("Marketplace chat"), line.chat))
    yield from ((name, value) for name, value in optional if value)


def in_minutes(minutes: int) -> str:
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes} if minutes else _("no limit")


def _rows(plan: Plan, roster: Roster) -> Iterator[Row]:
    for level in plan.levels:
        for minutes, step in timetable(plan, level.level):
            after = in_minutes(minutes) if minutes else pgettext("step", "at once")
            yield (
                f"L{level.level}", after, str(step.kind.label), _whom(step), _now(step, plan, roster), _how(step, plan), step.message,
            )  # fmt: skip


def _whom(step: PlannedStep) -> str:
    if step.kind == StepKind.REPEAT:
        return ngettext("%(count)d time", "%(count)d times", step.times) % {"count": step.times}
    return step.name


def _now(step: PlannedStep, plan: Plan, roster: Roster) -> str:
    if step.kind not in CALLING:
        return ""
    called = roster.call(step, plan)
    names = ", ".join(person.name for person in called.people) or _("nobody")
    return _("%(names)s (only the lead)") % {"names": names} if called.by_lead else names


def _how(step: PlannedStep, plan: Plan) -> str:
    if step.kind not in CALLING:
        return ""
    return ", ".join(str(Channel(channel).label) for channel in step.channels or plan.default_channels)
