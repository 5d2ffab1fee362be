"""Maps, schedules and people to test with."""

from datetime import UTC, date, datetime, time, timedelta

from accounts.models import Membership, Staff
from escalation.models import DutyRole, EscalationMap, EscalationSettings, Layer, LayerMember, MapLine, MapStep, Schedule
from escalation.plans import Plan, PlannedLevel, PlannedStep
from escalation.services import runs
from escalation.states import Rotation, StepKind
from tests import builders as b

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_step(kind=StepKind.ROLE, **fields):
    return PlannedStep(kind=StepKind(kind), **fields)


def a_plan(*levels, reaction=15, deal=30, remind=30, lapse=15, update=0, gap=5, hours=None):
    planned = tuple(PlannedLevel(number, tuple(steps)) for number, steps in enumerate(levels, 1))
    return Plan(
        code="c1", name="Платежи", severity="S1", map_name="Карта", levels=planned, reaction=reaction, deal=deal, remind=remind,
        lapse=lapse, update=update, gap=gap, hours=hours,
    )  # fmt: skip


def a_colleague(login, **fields):
    staff = Staff(login=login, full_name=login.title(), email=f"{login}@example.org", **fields)
    staff.set_unusable_password()
    staff.save()
    return staff


def a_schedule(code="duty", people=(), lead=None, zone="Europe/Moscow", rotation=Rotation.DAILY, length=1, starts=date(2026, 1, 1)):
    schedule = Schedule.objects.create(code=code, name=f"Дежурство {code}", lead=lead, time_zone=zone)
    if people:
        layer = Layer.objects.create(
            schedule=schedule, name="Основной", rotation=rotation, length=length, handoff=time(9), starts_on=starts
        )  # fmt: skip
        LayerMember.objects.bulk_create(LayerMember(layer=layer, turn=turn, staff=person) for turn, person in enumerate(people, 1))
    return schedule


def a_role(code, schedule=None, group=None, staff=None, lead=None):
    return DutyRole.objects.create(code=code, name=f"Роль {code}", schedule=schedule, group=group, staff=staff, lead=lead)


def a_duty_group(code, people):
    group = b.a_group(code, f"Группа {code}")
    for person in people:
        Membership.objects.create(staff=person, group=group)
    return group


def a_line(code="c1", levels=(), owner=None, **fields):
    """`levels`: for each level its steps as (kind, fields)."""
    of = EscalationMap.objects.get_or_create(code="main", defaults={"name": "Основная карта", "owner": owner, "reviewed_on": NOW.date()})[0]
    line = MapLine.objects.create(map=of, code=code, name="Платежи не проходят", **fields)
    for level, steps in enumerate(levels, 1):
        for position, (kind, given) in enumerate(steps):
            MapStep.objects.create(line=line, level=level, position=position, kind=kind, **given)
    return line


def a_ladder():
    """Three levels, one person each: duty (then again after 5 minutes), lead, owner. Returns (line, people)."""
    people = {name: a_colleague(name) for name in ("pervyi", "vtoroi", "tretii")}
    roles = {name: a_role(name, staff=person) for name, person in people.items()}
    levels = [
        [("role", {"role": roles["pervyi"]}), ("wait", {"minutes": 5}), ("role", {"role": roles["pervyi"]})],
        [("role", {"role": roles["vtoroi"]})],
        [("role", {"role": roles["tretii"]})],
    ]
    return a_line(levels=levels), people


def a_run(line, subject="incident:1", origin="signal:1", now=NOW, **fields):
    return runs.start(subject=subject, origin=origin, title="Оплата не проходит", line=line, now=now, **fields)


def numbers(**changed):
    EscalationSettings.objects.update_or_create(pk=1, defaults=changed)
