"""The owner of a map hears that its review is due: at the right day, not again each night, in the own language, anew after a review."""

from datetime import timedelta

import pytest

from escalation import tasks
from escalation.models import Delivery, EscalationMap, EscalationSettings
from escalation.services import limits, reviews
from escalation.tests.builders import NOW, a_colleague

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def a_map(code="main", **fields):
    return EscalationMap.objects.create(**{"code": code, "name": f"Карта {code}", "reviewed_on": NOW.date(), **fields})


def told():
    return list(Delivery.objects.order_by("pk").values_list("staff__login", "channel", "address"))


def test_the_owner_is_told_the_day_after_the_last_one_and_then_weekly_until_the_review():
    owner = a_colleague("vladelets")
    of = a_map(owner=owner)
    for day in range(91):
        assert reviews.tell_owners(now=NOW + day * DAY) == 0
    assert told() == []
    assert [reviews.tell_owners(now=NOW + day * DAY) for day in (91, 91, 92, 97)] == [1, 1, 1, 1]
    assert told() == [("vladelets", "email", "vladelets@example.org")]
    [first] = Delivery.objects.all()
    assert (first.run, first.next_at) == (None, NOW + 91 * DAY)
    assert "Карта main" in first.heading
    assert f"/admin/escalation/escalationmap/{of.pk}/change/" in first.message
    assert "18.11.2026" in first.message
    assert "91" in first.message
    reviews.tell_owners(now=NOW + 98 * DAY)
    assert len(told()) == 2
    EscalationMap.objects.update(reviewed_on=NOW.date() + 99 * DAY)
    assert reviews.tell_owners(now=NOW + 105 * DAY) == 0
    assert len(told()) == 2


def test_a_map_never_reviewed_is_told_of_at_once_and_maps_of_nobody_or_out_of_use_to_nobody():
    owner = a_colleague("owner", language="en")
    gone = a_colleague("gone", is_active=False)
    for code, fields in {
        "new": {"owner": owner},
        "nobody": {},
        "left": {"owner": gone},
        "off": {"owner": owner, "is_active": False},
    }.items():
        a_map(code, reviewed_on=None, **fields)
    assert reviews.tell_owners(now=NOW) == 3
    assert [login for login, _channel, _address in told()] == ["owner"]
    assert "was never reviewed" in Delivery.objects.get().message
    for day in range(1, 8):
        reviews.tell_owners(now=NOW + day * DAY)
    assert len(told()) == 2


def test_the_settings_say_how_often_and_the_nightly_run_does_it():
    limits.current()
    EscalationSettings.objects.update(review_days=10, review_again_days=0)
    a_map(owner=a_colleague("owner"), reviewed_on=NOW.date() - 400 * DAY)
    tasks.dry_run_maps()
    assert told() == []
    EscalationSettings.objects.update(review_again_days=1)
    tasks.dry_run_maps()
    tasks.dry_run_maps()
    assert len(told()) == 1
