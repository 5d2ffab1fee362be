"""Possible duplicates: found in SQL on indexes, weighed by the pure rule, kept for who works on either ticket."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.live import announce
from core.refusal import Refusal
from core.statements import Prepared, Written, insert_all
from core.text import searchable
from customers.models import Guest
from stores.models import Store
from tickets.likeness import Facts, Numbers, Verdict, compare, marks_of
from tickets.models import Case, CasePrint, Likeness, LikenessPolicy, LikenessRule, Topic
from tickets.services import branches, prints

BATCH = 100
# Most tickets of a guest, and of a store, that are compared at all; of the store's the ones with the likest words.
OF_GUEST, OF_STORE, LIKEST, OF_MARKS = 20, 300, 20, 20

NEAR = f"""
with people as materialized (
  select %(guest)s::bigint as id
  union (select id from customers_guest where %(phone)s <> '' and phone = %(phone)s limit 10)
  union (select id from customers_guest where %(email)s <> '' and email = %(email)s limit 10)
), near as (
  select k.id from people cross join lateral (
    select c.id from tickets_case c where c.guest_id = people.id and c.opened_at >= %(guest_since)s
    order by c.opened_at desc limit {OF_GUEST}
  ) k
  union (
    select n.case_id from (
      select p.case_id, p.words from tickets_caseprint p where p.store_id = %(store)s::bigint and p.last_at >= %(store_since)s
      order by p.last_at desc limit {OF_STORE}
    ) n order by similarity(n.words, %(words)s) desc limit {LIKEST}
  )
  union (
    select p.case_id from tickets_caseprint p where cardinality(%(marks)s::varchar[]) > 0 and p.marks && %(marks)s::varchar[]
    and p.marks <> '{{}}' and p.last_at >= %(guest_since)s limit {OF_MARKS}
  )
)
select p.case_id, c.guest_id, g.name, g.phone, g.email, p.store_id, p.topic_id, p.branch_id, p.words, p.marks, p.opened_at, p.last_at
from near join tickets_caseprint p on p.case_id = near.id join tickets_case c on c.id = near.id join customers_guest g on g.id = c.guest_id
where p.case_id <> %(case)s
"""  # noqa: S608  numbers of ours
_NEAR = Written(NEAR, about="tickets_caseprint")
_RULES = Prepared(lambda: LikenessRule.objects.values_list("code", "points"))
_POLICY = Prepared(lambda: LikenessPolicy.objects.order_by("pk")[:1])
_DEFAULT = LikenessPolicy()


@dataclass(frozen=True)
class Found:
    """Another ticket that may be the same matter."""

    case_id: int
    verdict: Verdict


def policy() -> LikenessPolicy:
    """The numbers of the admin panel, else the shipped ones."""
    return _POLICY.first() or _DEFAULT


def numbers(rules: LikenessPolicy) -> Numbers:
    at_once, near, far = timedelta(hours=rules.at_once_hours), timedelta(hours=rules.near_hours), timedelta(days=rules.far_days)
    return Numbers(points=dict(_RULES.all()), at_once=at_once, near=near, far=far)


def ask(*, guest: Guest, topic: Topic, store: Store | None, text: str, now: datetime) -> Sequence[Found]:
    """What a ticket that is not opened yet would be like: the likeliest first. `text` = what the guest says."""
    marks, branch = marks_of(text), branches.branch_of(topic.pk)
    asked = CasePrint(store=store, topic=topic, branch_id=branch, words=prints.words_of(text), marks=marks, opened_at=now, last_at=now)
    return find(guest=guest, asked=asked, case_id=0)


def find(*, guest: Guest, asked: CasePrint, case_id: int) -> Sequence[Found]:
    """Tickets that may be the same matter as the print says, the likeliest first; at most the number of the rules."""
    rules = policy()
    weights, mine = numbers(rules), _facts(guest, asked)
    near = [(int(row[0]), compare(mine, _facts_of(row), numbers=weights)) for row in _near(guest, asked, case_id, rules)]
    enough = [Found(other, verdict) for other, verdict in near if verdict.score >= rules.least_score]
    return sorted(enough, key=lambda one: (-one.verdict.score, -one.case_id))[: rules.most_shown]


def _near(guest: Guest, asked: CasePrint, case_id: int, rules: LikenessPolicy) -> Sequence[tuple[Any, ...]]:
    return _NEAR.rows(
        case=case_id,
        guest=guest.pk,
        phone=guest.phone,
        email=guest.email,
        store=asked.store_id,
        words=asked.words,
        marks=list(asked.marks),
        guest_since=asked.last_at - timedelta(days=rules.guest_days),
        store_since=asked.last_at - timedelta(days=rules.store_days),
    )


def _facts(guest: Guest, asked: CasePrint) -> Facts:
    place = (asked.store_id, asked.topic_id, asked.branch_id, asked.words, asked.marks, asked.opened_at, asked.last_at)
    return _facts_of((0, guest.pk, guest.name, guest.phone, guest.email, *place))


def _facts_of(row: Sequence[Any]) -> Facts:
    _case, guest, name, phone, email, store, topic, branch, words, marks, opened, last = row
    contacts = {one for one in (phone, email) if one}
    about = (store, topic, branch, branches.is_shared(topic), frozenset(words.split()), marks)
    return Facts(guest, searchable(name), contacts, *about, opened, last)


def note_opened(case: Case, *, now: datetime) -> Sequence[Found]:
    """Keep the print of a ticket that was just opened and what it is like; inside its transaction. None of a ticket without a guest."""
    if case.guest is None:
        return []
    made = prints.write(case)
    found = find(guest=case.guest, asked=made, case_id=case.pk)
    insert_all([_row(case.pk, one, now=now) for one in found])
    return found


def _row(case_id: int, one: Found, *, now: datetime) -> Likeness:
    reasons = [list(pair) for pair in one.verdict.reasons]
    return Likeness(case_id=case_id, other_id=one.case_id, score=one.verdict.score, reasons=reasons, found_at=now)


@transaction.atomic
def look_again(case_id: int, *, now: datetime) -> Sequence[Found]:
    """Compare a ticket whose guest has said more; what a person has settled stays settled. New finds are told to the screens."""
    made = CasePrint.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=case_id, due_at__lte=now).first()
    if made is None:
        return []
    case = Case.objects.select_related("guest").get(pk=case_id)
    if case.guest is None:
        return []
    known = {row.other_id: row for row in Likeness.objects.filter(case=case)} | _as_other(case)
    found = find(guest=case.guest, asked=made, case_id=case_id)
    fresh = [one for one in found if one.case_id not in known]
    Likeness.objects.bulk_create([_row(case_id, one, now=now) for one in fresh], ignore_conflicts=True)
    for one in found:
        _weigh_again(known.get(one.case_id), one)
    CasePrint.objects.filter(pk=case_id).update(due_at=None)
    if fresh:
        announce(kind="alike", payload={"case_id": case_id}, topics=[f"item:case:{case_id}"])
    return found


def _as_other(case: Case) -> dict[int, Likeness]:
    return {row.case_id: row for row in Likeness.objects.filter(other=case)}


def _weigh_again(row: Likeness | None, one: Found) -> None:
    if row is not None and row.state == Likeness.State.OFFERED and row.score != one.verdict.score:
        reasons = [list(pair) for pair in one.verdict.reasons]
        Likeness.objects.filter(pk=row.pk).update(score=one.verdict.score, reasons=reasons)


def find_due(*, now: datetime, limit: int = BATCH) -> list[int]:
    """Tickets whose guests have said more since they were compared, the longest waiting first."""
    due = CasePrint.objects.filter(due_at__lte=now).order_by("due_at")
    return list(due.values_list("pk", flat=True)[:limit])


@transaction.atomic
def refuse(*, case_id: int, other_id: int, by: Staff, now: datetime) -> None:
    """These two are two matters: not offered again. Saying it twice is the same as once. Raises Refusal."""
    pair = _pair(case_id, other_id)
    if pair is None:
        raise Refusal("not_found", _("These two tickets are not offered as one matter."), status=404)
    if settle(case_id, other_id, Likeness.State.REFUSED, by=by, now=now):
        audit.record(action="case.two_matters", by=by, subject=f"case:{case_id}", now=now, details={"other": other_id})


def settle(case_id: int, other_id: int, state: Likeness.State, *, by: Staff, now: datetime) -> bool:
    """A person has decided about the two; whether that changed anything."""
    pair = _pair(case_id, other_id)
    if pair is None or pair.state == state:
        return False
    pair.state, pair.settled_at, pair.settled_by = state, now, by
    pair.save(update_fields=["state", "settled_at", "settled_by"])
    return True


def offer_again(case_id: int, other_id: int) -> None:
    """What was done with the two is undone: they are offered as before."""
    pair = _pair(case_id, other_id)
    if pair is not None:
        pair.state, pair.settled_at, pair.settled_by = Likeness.State.OFFERED, None, None
        pair.save(update_fields=["state", "settled_at", "settled_by"])


def _pair(case_id: int, other_id: int) -> Likeness | None:
    both: Collection[int] = (case_id, other_id)
    return Likeness.objects.select_for_update(of=("self",)).filter(case__in=both, other__in=both).order_by("pk").first()
