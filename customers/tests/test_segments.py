"""Segments of guests: by rules over what other apps measure, by a person's mark, each night and when a guest becomes known."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.models import AuditEntry
from core.refusal import Refusal
from core.shipped import load_all
from customers import measures
from customers.models import Guest, Segment, SegmentMark, SegmentRule
from customers.rules import months_before
from customers.services import merging, segments
from tests import builders as b

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MIN, MAX = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001  hypothesis wants them so


class Bought:
    """A measure of the test: so much in this month."""

    code, name = "bought", "bought"
    figures: dict[int, int] = {}

    def reaching(self, *, since, least, guest_ids=None):
        assert since < NOW
        return {pk for pk, figure in self.figures.items() if figure >= least and (guest_ids is None or pk in guest_ids)}


@pytest.fixture(autouse=True)
def bought(monkeypatch):
    monkeypatch.setattr(Bought, "figures", {})
    monkeypatch.setitem(measures._measures, "bought", Bought())
    return Bought.figures


def a_guest(**fields):
    return Guest.objects.create(created_at=NOW, **fields)


def a_segment(code, position, *ways):
    made = Segment.objects.create(code=code, name=code.title(), position=position)
    SegmentRule.objects.bulk_create(SegmentRule(segment=made, measure=measure, least=least) for measure, least in ways)
    return made


def a_boss():
    return b.a_person("boss", "Борис", role=b.a_role("boss", [*b.OPERATOR_RIGHTS, "supervise"]))


def segment_of(guest):
    return Guest.objects.get(pk=guest.pk).segment


class TestMonths:
    @pytest.mark.parametrize(
        ("day", "months", "before"),
        [
            ((2026, 11, 22), 12, (2025, 11, 22)),
            ((2026, 3, 31), 1, (2026, 2, 28)),
            ((2024, 3, 31), 1, (2024, 2, 29)),
            ((2026, 1, 15), 1, (2025, 12, 15)),
            ((2026, 12, 31), 6, (2026, 6, 30)),
        ],
    )
    def test_the_same_day_or_the_last_of_the_month(self, day, months, before):
        assert months_before(datetime(*day, tzinfo=UTC), months) == datetime(*before, tzinfo=UTC)

    @given(st.datetimes(MIN, MAX, timezones=st.just(UTC)), st.integers(1, 60))
    def test_so_many_months_and_never_a_later_day(self, now, months):
        before = months_before(now, months)
        assert (now.year - before.year) * 12 + now.month - before.month == months
        assert before.day <= now.day
        assert before.time() == now.time()


def test_the_first_fitting_segment_in_order_is_the_guests(bought):
    rich, fair, poor = (a_guest() for _ in range(3))
    bought.update({rich.pk: 900, fair.pk: 200, poor.pk: 5})
    a_segment("regular", 20, ("bought", 100))
    a_segment("vip", 10, ("bought", 500), ("unknown", 1))
    assert segments.count_all(now=NOW) == 2
    assert [segment_of(guest) for guest in (rich, fair, poor)] == ["vip", "regular", ""]
    assert segments.count_all(now=NOW) == 0
    bought.update({rich.pk: 200, fair.pk: 0})
    assert segments.count_all(now=NOW) == 2
    assert [segment_of(guest) for guest in (rich, fair, poor)] == ["regular", "", ""]
    Segment.objects.update(is_active=False)
    assert segments.count_all(now=NOW) == 1
    assert segment_of(rich) == ""


def test_many_guests_are_written_in_short_statements(bought, monkeypatch):
    monkeypatch.setattr(segments, "AT_ONCE", 7)
    guests = Guest.objects.bulk_create(Guest(created_at=NOW) for _ in range(30))
    bought.update({guest.pk: 100 for guest in guests})
    a_segment("vip", 10, ("bought", 100))
    assert segments.count_all(now=NOW) == 30
    bought.clear()
    assert segments.count_all(now=NOW) == 30
    assert not Guest.objects.exclude(segment="").exists()


def test_a_persons_mark_holds_against_the_rules_until_it_is_taken_back(bought):
    guest, boss = a_guest(), a_boss()
    bought[guest.pk] = 900
    a_segment("vip", 10, ("bought", 500))
    a_segment("care", 20)
    assert segments.mark(guest_id=guest.pk, code="care", reason="Жаловался президенту", by=boss, now=NOW) == "care"
    segments.count_all(now=NOW)
    assert segment_of(guest) == "care"
    assert segments.mark(guest_id=guest.pk, code="", reason="Ошиблись", by=boss, now=NOW) == ""
    segments.count_all(now=NOW)
    assert segment_of(guest) == ""
    assert segments.unmark(guest_id=guest.pk, by=boss, now=NOW) == "vip"
    assert segments.unmark(guest_id=guest.pk, by=boss, now=NOW) == "vip"
    told = AuditEntry.objects.filter(subject=f"guest:{guest.pk}").order_by("pk").values_list("action", "by__login")
    assert list(told) == [("guest.segment_marked", "boss")] * 2 + [("guest.segment_unmarked", "boss")]


@pytest.mark.parametrize(("code", "reason", "refusal"), [("nobody", "Так", "choose"), ("care", " ", "reason_needed")])
def test_what_makes_no_mark(code, reason, refusal):
    a_segment("care", 20)
    guest = a_guest()
    with pytest.raises(Refusal) as caught:
        segments.mark(guest_id=guest.pk, code=code, reason=reason, by=a_boss(), now=NOW)
    assert caught.value.code == refusal
    assert not SegmentMark.objects.exists()


def test_only_a_supervisor_marks_and_only_guests():
    a_segment("care", 20)
    guest = a_guest()
    with pytest.raises(Refusal) as caught:
        segments.mark(guest_id=guest.pk, code="care", reason="Так", by=b.a_person(), now=NOW)
    assert caught.value.code == "not_allowed"
    boss = a_boss()
    for nobody in (a_guest(is_person=False).pk, 10**12):
        with pytest.raises(Refusal) as caught:
            segments.mark(guest_id=nobody, code="care", reason="Так", by=boss, now=NOW)
        assert caught.value.code == "not_found"


def test_a_joined_guest_brings_the_mark_along_and_takes_it_away_again():
    kept, gone, boss = a_guest(), a_guest(), a_boss()
    a_segment("care", 20)
    a_segment("vip", 10)
    segments.mark(guest_id=gone.pk, code="care", reason="Так", by=boss, now=NOW)
    made = merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=boss, now=NOW)
    assert segments.count_one(kept.pk, now=NOW) == "care"
    segments.count_all(now=NOW)
    assert segment_of(kept) == "care"
    segments.mark(guest_id=kept.pk, code="vip", reason="Так", by=boss, now=NOW)
    segments.count_all(now=NOW)
    assert segment_of(kept) == "vip"
    merging.undo(merge_id=made.pk, by=boss, now=NOW)
    segments.count_all(now=NOW)
    assert (segment_of(kept), segment_of(gone)) == ("vip", "care")


def test_the_shipped_segments_are_whole_and_measured_by_somebody():
    load_all(now=NOW)
    assert set(Segment.objects.values_list("code", flat=True)) == {"vip", "care", "regular"}
    known = dict(measures.choices())
    for rule in SegmentRule.objects.select_related("segment"):
        assert rule.measure in known
        rule.full_clean()
    for segment in Segment.objects.all():
        segment.full_clean()
        assert segment.name_en
    segments.count_all(now=NOW)
