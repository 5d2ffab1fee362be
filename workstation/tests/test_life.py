"""The ticket's life at the desk: details asked for, route map, re-routing, calls, following, closing with a cause."""

from datetime import timedelta

import pytest
from django.utils import timezone

from omni.models import Session
from sla.models import Calendar
from tests import builders as b
from tickets.models import CallBack, Case, ClosingCause, Detail, WaitReason, Watcher
from tickets.services import cases, opening, topics
from tickets.states import CaseState
from workstation.services import held_closings

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(taken, operator, now):
    return opening.open_ticket(session_id=taken.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)


def test_a_new_ticket_is_asked_for_what_its_topic_needs(desk, taken):
    topic = b.a_topic(group=b.a_group())
    detail = Detail.objects.create(code="product", name="Товар", kind="text")
    topic.details.create(detail=detail, need="required")
    topics.forget()
    asks = desk.read(f"topics/asks/?topic={topic.pk}").json()["details"]
    assert [(one["name"], one["required"]) for one in asks] == [("detail.product", True)]
    assert desk.command(f"session/{taken.pk}/ticket/", topic=topic.pk).status_code == 400
    assert desk.command(f"session/{taken.pk}/ticket/", **{"topic": topic.pk, "detail.product": "Кефир"}).status_code == 200
    case = Case.objects.get()
    assert case.details == {"product": "Кефир"}
    assert "Кефир" in desk.read(f"case/{case.pk}/open/").json()["panel"]


@pytest.mark.parametrize("own", [True, False])
def test_whoever_makes_a_ticket_sees_it_in_the_dialogue_and_opens_it_if_it_is_theirs(desk, taken, own):
    group = b.a_group() if own else b.a_group("quality", "Качество")
    made = desk.command(f"session/{taken.pk}/ticket/", topic=b.a_topic(group=group).pk).json()
    assert made["may_open"] is own
    for tab in ("ticket", "guest"):  # the whole story is told, whosever its parts are
        panel = desk.read(f"session/{taken.pk}/open/?panel={tab}").json()["panel"]
        assert f"№&nbsp;{made['number']}" in panel
        assert (f'href="/desk/case/{made["case_id"]}/"' in panel) is own
        assert ("Качество · " in panel) is not own
    assert desk.read(f"case/{made['case_id']}/open/").status_code == (200 if own else 404)


def test_the_route_map_is_a_picture_and_a_list(desk, case, operator, now):
    cases.take(case_id=case.pk, by=operator, now=now + timedelta(minutes=90))
    page = desk.read(f"case/{case.pk}/map/")
    text = page.content.decode()
    assert page.status_code == 200
    for part in ('<svg class="route"', "<desc", operator.full_name, "1\u00a0" if "1\u00a0" in text else "1", "<ol"):
        assert part in text
    assert desk.read(f"case/{case.pk}/map/part/").json()["html"].count("<rect") == 4  # opened, group, person, what may come
    assert "style=" not in text
    assert desk.read("case/999999/map/").status_code == 404


def test_nothing_of_the_route_map_is_cut(desk, taken, operator, now):
    group = b.a_group("long", "Группа с очень длинным названием, которое не войдёт в рамку")
    operator.memberships.create(group=group)
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic("long", group=group), by=operator, now=now)
    cases.take(case_id=case.pk, by=operator, now=now + timedelta(seconds=20))
    text = desk.read(f"case/{case.pk}/map/").content.decode()
    assert "раб. &lt; 1 мин" in text, "it stands between two boxes"
    assert f"<b>{operator.full_name}</b>, {group.name}" in text
    assert "рабочее время меньше минуты" in text


def test_rerouting_calls_and_following_by_the_panel(desk, case, operator):
    prices = b.a_topic("prices", group=b.a_group("prices", "Цены"), name="Цены")
    assert desk.command(f"case/{case.pk}/reroute/", topic=prices.pk).status_code == 400
    assert desk.command(f"case/{case.pk}/watch/").status_code == 200
    assert Watcher.objects.get().staff == operator
    assert 'aria-pressed="true"' in desk.read(f"case/{case.pk}/open/").json()["panel"]
    assert desk.command(f"case/{case.pk}/unwatch/").status_code == 200
    assert desk.command(f"case/{case.pk}/calls/", at="2099-01-01T10:00", note="x").status_code == 400
    at = (case.opened_at + timedelta(days=1)).isoformat()
    assert desk.command(f"case/{case.pk}/calls/", at=at, note="Сказать о возврате").status_code == 200
    call = CallBack.objects.get()
    assert "Сказать о возврате" in desk.read(f"case/{case.pk}/open/").json()["panel"]
    assert desk.command(f"case/{case.pk}/calls/{call.pk}/", outcome="Поговорили").status_code == 200
    assert desk.command(f"case/{case.pk}/reroute/", topic=prices.pk, reason="Про ценник").status_code == 200
    assert Case.objects.get().topic == prices


def test_waiting_and_closing_by_rows(desk, case, operator, now):
    cases.take(case_id=case.pk, by=operator, now=now)
    calendar = Calendar.objects.get(code="always")
    reason = WaitReason.objects.create(code="photo", name="Ждём фото", calendar=calendar)
    cause = ClosingCause.objects.create(code="own", name="Сняли с полки", kind="solved")
    panel = desk.read(f"case/{case.pk}/open/").json()["panel"]
    assert f"reason:{reason.pk}" in panel
    assert f"closing:{cause.pk}" in panel
    assert desk.command(f"case/{case.pk}/wait/", state=f"reason:{reason.pk}").status_code == 200
    assert Case.objects.get().state == CaseState.WAITING_GUEST
    assert desk.command(f"case/{case.pk}/wait/", state="reason:99999").status_code == 400
    assert desk.command(f"case/{case.pk}/close/", cause=f"closing:{cause.pk}", note="Готово").status_code == 200
    held_closings.close_due(now=timezone.now() + held_closings.HOLD)
    assert Case.objects.get().closing == cause
    assert Session.objects.exists()


def test_another_topic_asks_for_what_is_not_known_yet(desk, case, operator):
    prices = b.a_topic("prices", group=b.a_group("prices", "Цены"), name="Цены")
    for place, (code, need) in enumerate([("product", "required"), ("tag", "required"), ("shelf", "optional")]):
        prices.details.create(detail=Detail.objects.create(code=code, name=code, position=place), need=need)
    Detail.objects.create(code="batch", name="batch")
    topics.forget()
    Case.objects.update(details={"product": "Кефир", "batch": "7"})
    asks = desk.read(f"topics/asks/?topic={prices.pk}&case={case.pk}").json()["details"]
    assert [(one["name"], one["value"]) for one in asks] == [("detail.product", "Кефир"), ("detail.tag", ""), ("detail.shelf", "")]
    assert desk.read(f"topics/asks/?topic={prices.pk}&case=987654321").status_code == 404
    path, fields = f"case/{case.pk}/reroute/", {"topic": prices.pk, "reason": "Про ценник"}
    assert desk.command(path, **fields).json()["code"] == "bad_detail"
    assert Case.objects.get().topic == case.topic
    assert desk.command(path, **fields, **{"detail.tag": "89,90", "detail.product": "Сыр"}).status_code == 200
    assert Case.objects.get().details == {"product": "Сыр", "tag": "89,90", "batch": "7"}
