"""The segment of a guest: marked by a person, else the first whose rules fit; counted each night and when a guest becomes known."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core import audit
from core.refusal import Refusal
from core.text import first_line
from customers.measures import measure_of
from customers.models import Guest, Segment, SegmentMark, SegmentRule
from customers.rules import months_before

AT_ONCE = 1000


def list_segments() -> Sequence[Segment]:
    """Those in use with their rules, in the order in which they are looked at."""
    rules = Prefetch("rules", SegmentRule.objects.order_by("pk"))
    return list(Segment.objects.filter(is_active=True).prefetch_related(rules).order_by("position", "code"))


def mark_of(guest_id: int) -> SegmentMark | None:
    """What a person has said of the guest; the guest's own mark before one of a guest who was joined to this one."""
    found = SegmentMark.objects.filter(Q(guest=guest_id) | Q(guest__merged_into=guest_id)).select_related("segment", "by")
    return min(found, key=lambda mark: (mark.guest_id != guest_id, -mark.at.timestamp()), default=None)


@transaction.atomic
def count_one(guest_id: int, *, now: datetime) -> str:
    """Write down the guest's segment as it is now; its code, empty = none. A guest who goes on as another one keeps what was written."""
    guest = Guest.objects.select_for_update(no_key=True).filter(pk=guest_id, merged_into=None, is_person=True).first()
    if guest is None:
        return ""
    mark = mark_of(guest_id)
    code = _code_of(mark) if mark else next((one.code for one in list_segments() if guest_id in _fitting(one, now, [guest_id])), "")
    if guest.segment != code:
        Guest.objects.filter(pk=guest_id).update(segment=code)
    return code


def _code_of(mark: SegmentMark) -> str:
    return mark.segment.code if mark.segment and mark.segment.is_active else ""


def _fitting(segment: Segment, now: datetime, guest_ids: Collection[int] | None = None) -> set[int]:
    """Guests for whom any rule of the segment fits."""
    found: set[int] = set()
    for rule in segment.rules.all():
        measure = measure_of(rule.measure)
        if measure is not None:
            found |= set(measure.reaching(since=months_before(now, rule.months), least=rule.least, guest_ids=guest_ids))
    return found


def count_all(*, now: datetime) -> int:
    """Write down everybody's segment as it is now; how many guests changed. Safe to run twice, and beside other writers."""
    wanted: dict[int, str] = {}
    for segment in list_segments():
        for guest_id in _fitting(segment, now):
            wanted.setdefault(guest_id, segment.code)
    for mark in SegmentMark.objects.select_related("segment", "guest").order_by("at"):
        if mark.guest.merged_into_id is None:
            wanted[mark.guest_id] = _code_of(mark)
        elif not SegmentMark.objects.filter(guest=mark.guest.merged_into_id).exists():
            wanted[mark.guest.merged_into_id] = _code_of(mark)
    return _clear(wanted) + _write(wanted)


def _clear(wanted: "dict[int, str]") -> int:
    """Guests of a segment who belong to none any more."""
    segmented = Guest.objects.filter(merged_into=None).exclude(segment="").order_by("pk").values_list("pk", flat=True)
    gone = (guest_id for guest_id in segmented.iterator(chunk_size=AT_ONCE) if not wanted.get(guest_id))
    return sum(Guest.objects.filter(pk__in=part).update(segment="") for part in _parts(gone))


def _write(wanted: "dict[int, str]") -> int:
    changed = 0
    for code in sorted(set(wanted.values()) - {""}):
        for part in _parts(iter(sorted(guest_id for guest_id, own in wanted.items() if own == code))):
            people = Guest.objects.filter(pk__in=part, merged_into=None, is_person=True)
            changed += people.exclude(segment=code).update(segment=code)
    return changed


def _parts(ids: Iterator[int]) -> Iterator[list[int]]:
    """Short statements: each locks few guests, and is over soon."""
    part: list[int] = []
    for one in ids:
        part.append(one)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


@transaction.atomic
def mark(*, guest_id: int, code: str, reason: str, by: Staff, now: datetime) -> str:
    """The guest belongs to this segment whatever the rules say, or with an empty code to none; the code that holds now.

    Raises Refusal: no right, no such guest or segment, no reason.
    """
    guest = _guest(guest_id, by=by)
    segment = Segment.objects.filter(code=code, is_active=True).first() if code else None
    if code and segment is None:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    if not reason.strip():
        raise Refusal("reason_needed", _("Please say why."), status=400)
    told = first_line(reason, 200)
    SegmentMark.objects.update_or_create(guest=guest, defaults={"segment": segment, "reason": told, "by": by, "at": now})
    details = {"segment": code, "before": guest.segment, "reason": told}
    audit.record(action="guest.segment_marked", by=by, subject=guest, now=now, details=details)
    return count_one(guest_id, now=now)


@transaction.atomic
def unmark(*, guest_id: int, by: Staff, now: datetime) -> str:
    """The rules say again what the guest's segment is; its code. Doing it twice is the same as once. Raises Refusal."""
    guest = _guest(guest_id, by=by)
    gone, _rows = SegmentMark.objects.filter(Q(guest=guest) | Q(guest__merged_into=guest)).delete()
    if gone:
        audit.record(action="guest.segment_unmarked", by=by, subject=guest, now=now, details={"before": guest.segment})
    return count_one(guest_id, now=now)


def _guest(guest_id: int, *, by: Staff) -> Guest:
    """Raises Refusal."""
    if not by.has_right(Right.SUPERVISE):
        raise Refusal("not_allowed", _("Your role does not allow this."), status=403)
    guest = Guest.objects.select_for_update(no_key=True).filter(pk=guest_id, merged_into=None, is_person=True).first()
    if guest is None:
        raise Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)
    return guest
