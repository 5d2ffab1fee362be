"""Whom a step reaches now: roles and schedules become people, people become addresses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from accounts.models import Membership, Staff
from core.statements import Among, Prepared
from escalation import rota
from escalation.models import Contact, DutyRole, Hook, Schedule, TurnTaken
from escalation.plans import Plan, PlannedStep
from escalation.selectors import list_schedule_facts
from escalation.states import CALLING, PERSONAL_CHANNELS, Channel, StepKind


@dataclass(frozen=True)
class Person:
    """A member of staff with the addresses that are known, by channel."""

    staff_id: int
    name: str
    language: str
    zone: str
    addresses: Mapping[str, Sequence[str]]

    def reached_by(self, channels: Sequence[str]) -> list[tuple[str, str]]:
        """(channel, address) of the wished channels; of any other one if the person has none of them: never nobody."""
        for offered in (channels, [str(channel) for channel in PERSONAL_CHANNELS]):
            if found := [(channel, address) for channel in offered for address in self.addresses.get(channel, ())]:
                return found
        return []


@dataclass(frozen=True)
class Called:
    """Whom a call reaches; `by_lead` = only because nobody else was there."""

    people: tuple[Person, ...]
    by_lead: bool = False


NOBODY = Called(())


class Roster:
    """Everybody whom some plans may call, read once, as it is at `now` (or until `until`)."""

    def __init__(self, plans: Iterable[Plan], *, now: datetime, until: datetime | None = None, holders: Collection[int] = ()) -> None:
        """`holders` are further people who may be written to."""
        self.now, self.until, self.holders = now, until or now + timedelta(seconds=1), set(holders)
        steps = [step for plan in plans for level in plan.levels for step in level.steps]
        self.roles = {role.pk: role for role in _ROLES.all(ids=_listed(step.role for step in steps))}
        schedules = {step.schedule for step in steps if step.schedule} | {role.schedule_id for role in self.roles.values()}
        self.schedules = {one.pk: one for one in _SCHEDULES.all(ids=_listed(schedules))}
        self.facts = list_schedule_facts(list(self.schedules), since=now, until=self.until)
        self.groups = self._members({step.group for step in steps} | {role.group_id for role in self.roles.values()})
        self.hooks = {hook.pk: hook for hook in _HOOKS.all(ids=_listed(step.hook for step in steps))}
        self._turns: dict[str, int] = {}
        self._known: dict[tuple[object, ...], Called] = {}

    @staticmethod
    def _members(ids: Collection[int | None]) -> Mapping[int, frozenset[int]]:
        found: dict[int, set[int]] = {}
        for group_id, staff_id in _MEMBERS.all(ids=_listed(ids)):
            found.setdefault(group_id, set()).add(staff_id)
        return {group_id: frozenset(people) for group_id, people in found.items()}

    @cached_property
    def people(self) -> Mapping[int, Person]:
        """Everybody who may come up, with the addresses."""
        ids = self.holders.union(*self.groups.values())
        ids |= {pk for role in self.roles.values() for pk in (role.staff_id, role.lead_id) if pk}
        ids |= {schedule.lead_id for schedule in self.schedules.values() if schedule.lead_id}
        for facts in self.facts.values():
            ids |= {staff_id for layer in facts.layers for turn in layer.turns for staff_id in turn}
            ids |= {one.staff_id for one in facts.overrides} | {one.to_id for one in facts.swaps}
        return read_people(ids)

    def call(self, step: PlannedStep, plan: Plan, *, at: datetime | None = None) -> Called:
        """Whom the step calls at `at` (now). A round robin gives all who may be called in turn."""
        key = (step.kind, step.role, step.schedule, step.group, at, plan.code if step.kind == StepKind.EVERYBODY else "")
        if key not in self._known:
            self._known[key] = self._everybody(plan, at) if step.kind == StepKind.EVERYBODY else self._one(step, at or self.now)
        return self._known[key]

    def _everybody(self, plan: Plan, at: datetime | None) -> Called:
        calls = [self.call(step, plan, at=at) for level in plan.levels for step in level.steps if _names_people(step)]
        found = {person.staff_id: person for called in calls for person in called.people}
        return Called(tuple(found.values()), by_lead=bool(found) and all(called.by_lead for called in calls if called.people))

    def _one(self, step: PlannedStep, at: datetime) -> Called:
        if step.role is not None:
            role = self.roles.get(step.role)
            return self._role(role, at) if role else NOBODY
        if step.schedule is not None:
            return self._or_lead(self._on_duty(step.schedule, at), self._lead_of(step.schedule))
        return Called(self._reachable(self.groups.get(step.group or 0, ())))

    def _role(self, role: DutyRole, at: datetime) -> Called:
        if role.schedule_id:
            ids: Collection[int] = self._on_duty(role.schedule_id, at)
        elif role.group_id:
            ids = self.groups.get(role.group_id, frozenset())
        else:
            ids = [role.staff_id] if role.staff_id else []
        return self._or_lead(ids, [role.lead_id, *self._lead_of(role.schedule_id)])

    def _on_duty(self, schedule_id: int, at: datetime) -> frozenset[int]:
        facts = self.facts.get(schedule_id)
        return frozenset(staff_id for staff_id, _source in rota.on_duty(facts, at)) if facts else frozenset()

    def _lead_of(self, schedule_id: int | None) -> list[int | None]:
        schedule = self.schedules.get(schedule_id or 0)
        return [schedule.lead_id] if schedule else []

    def _or_lead(self, ids: Collection[int], leads: Sequence[int | None]) -> Called:
        if people := self._reachable(ids):
            return Called(people)
        for lead in leads:
            if lead and (people := self._reachable([lead])):
                return Called(people, by_lead=True)
        return NOBODY

    def _reachable(self, ids: Collection[int]) -> tuple[Person, ...]:
        found = (self.people.get(staff_id) for staff_id in sorted(ids))
        return tuple(person for person in found if person and person.addresses)

    # Round robins

    def lock_turns(self, plans: Iterable[Plan]) -> None:
        """Lock whose turn it is for every round robin of the plans, in one order for all. Inside a transaction."""
        steps = (step for plan in plans for level in plan.levels for step in level.steps)
        keys = sorted({turn_key(step) for step in steps if step.kind == StepKind.ROUND_ROBIN})
        if not keys:
            return
        TurnTaken.objects.bulk_create([TurnTaken(key=key) for key in keys], ignore_conflicts=True)
        rows = TurnTaken.objects.select_for_update().filter(key__in=keys).order_by("key")
        self._turns = {row.key: row.staff_id for row in rows}

    def next_in_turn(self, step: PlannedStep, called: Called) -> Called:
        """The one whose turn it is; the turn passes on."""
        key, ids = turn_key(step), sorted(person.staff_id for person in called.people)
        if not ids:
            return called
        last = self._turns.get(key, 0)
        chosen = next((staff_id for staff_id in ids if staff_id > last), ids[0])
        self._turns[key] = chosen
        return Called(tuple(person for person in called.people if person.staff_id == chosen), called.by_lead)

    def save_turns(self) -> None:
        for key, staff_id in self._turns.items():
            TurnTaken.objects.filter(key=key).exclude(staff_id=staff_id).update(staff_id=staff_id)


def turn_key(step: PlannedStep) -> str:
    """`role:2`, `schedule:1`, `group:5`: what a round robin goes round."""
    if step.role is not None:
        return f"role:{step.role}"
    return f"schedule:{step.schedule}" if step.schedule is not None else f"group:{step.group}"


def _names_people(step: PlannedStep) -> bool:
    return step.kind in CALLING and step.kind != StepKind.EVERYBODY


def read_people(ids: Collection[int]) -> Mapping[int, Person]:
    """Active members of staff by id, with their addresses."""
    wanted = _listed(ids)
    contacts: dict[tuple[int, str], list[str]] = {}
    for staff_id, channel, address in _CONTACTS.all(ids=wanted):
        contacts.setdefault((staff_id, channel), []).append(address)
    return {row[0]: _person(*row, contacts=contacts) for row in _STAFF.all(ids=wanted)}


def _person(
    pk: int, login: str, name: str, email: str, phone: str, language: str, zone: str, *, contacts: Mapping[tuple[int, str], Sequence[str]]
) -> Person:
    own = {Channel.EMAIL: [email] if email else [], Channel.SMS: [phone] if phone else []}
    addresses = {str(channel): contacts.get((pk, channel)) or own.get(channel, []) for channel in PERSONAL_CHANNELS}
    return Person(pk, name or login, language, zone, {channel: found for channel, found in addresses.items() if found})


def _listed(ids: Iterable[int | None]) -> list[int]:
    return sorted({pk for pk in ids if pk})


_ROLES = Prepared(lambda ids: DutyRole.objects.filter(Among("id", ids)))
_SCHEDULES = Prepared(lambda ids: Schedule.objects.filter(Among("id", ids)))
_HOOKS = Prepared(lambda ids: Hook.objects.filter(Among("id", ids), is_active=True))
_MEMBERS = Prepared(
    lambda ids: Membership.objects.filter(
        Among("group_id", ids), staff__is_active=True, group__is_active=True
    ).values_list("group_id", "staff_id")
)  # fmt: skip
_CONTACTS = Prepared(
    lambda ids: (
        Contact.objects.filter(Among("staff_id", ids), is_active=True).order_by("pk").values_list("staff_id", "channel", "address")
    )
)
_STAFF = Prepared(
    lambda ids: (
        Staff.objects.filter(Among("id", ids), is_active=True)
        .order_by("pk")
        .values_list("pk", "login", "full_name", "email", "phone", "language", "time_zone")
    )
)
