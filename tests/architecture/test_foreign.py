"""A full operator of another group, and a lesser role of the same group: no entrance opens or changes a stranger's case."""

import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Staff
from accounts.rights import Right
from core.models import AuditEntry
from customers.models import Guest, GuestMerge
from customers.services import merging
from loyalty.models import Compensation
from loyalty.tests import builders as points
from omni.channels.contract import OutgoingFile
from omni.models import Attachment, Message, Offer, Session
from omni.services import answering, conversations
from tests import builders as b
from tests.architecture.test_entrances import ALL, BACKEND, declared
from tickets.models import Approval, ApprovalRule, CallBack, Case, CaseLink, Incident, IncidentCase, MassJob
from tickets.services import call_backs, opening

pytestmark = pytest.mark.django_db
NOW = timezone.now()
# Entrances that take no object: lists, searches, one's own things. What they show is asked about below.
OWN = {
    "/",
    "/desk/",
    "/desk/list/",
    "/desk/counts/",
    "/desk/topics/",
    "/desk/topics/asks/",
    "/desk/stores/",
    "/desk/colleagues/",
    "/desk/groups/",
    "/desk/knowledge/",
    "/desk/search/",
    "/desk/presence/",
    "/desk/offers/",
    "/desk/places/",
    "/desk/keys/",
    "/desk/look/",
    "/approvals/",
    "/reports/",
    "/reports/cases.csv",
    "/api/v1/cases/",
    "/api/v1/search",
    "/api/v1/topics",
    "/api/v1/topics/suggested",
    "/api/v1/stores",
    "/api/v1/approvals",
    "/api/v1/compensations",
    "/api/v1/cases/alike",
    "/api/v1/mass",
    "/api/v1/incidents",
    "/desk/mass/",
    "/desk/mass/chosen/",
    "/desk/mass/make/",
    "/desk/incidents/",
}


@pytest.fixture
def secret():
    """A case of the quality group with a message, an answer and a file."""
    account = b.an_account("webchat")
    quality = b.a_group("quality", "Качество")
    expert = b.a_person("expert", "Эксперт", groups=[quality, b.a_group()])
    b.receive(account, b.webchat_event(text="Тайна гостя Ксенофонтовой", name="Ксенофонтова"), now=NOW)
    session = Session.objects.get()
    conversations.take(session_id=session.pk, by=expert, now=NOW)
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=expert, now=NOW)
    answering.answer(session_id=session.pk, text="Ответ", by=expert, now=NOW, uploads=[OutgoingFile("a.txt", "text/plain", b"secret")])
    call_backs.plan(case_id=case.pk, at=NOW + timedelta(hours=1), phone="", note="Перезвонить", by=expert, now=NOW)
    conversations.close(session_id=session.pk, by=expert, now=NOW)
    points.everything(1, case=case, staff=expert)
    gone, _other = (Guest.objects.create(name=f"Ксенофонтова {number}", created_at=NOW) for number in (1, 2))
    merging.merge(kept_id=case.guest_id, gone_id=gone.pk, by=expert, now=NOW)
    _offer()
    _belonging(case, expert)
    rule = ApprovalRule.objects.create(code="refund", name="Возврат Ксенофонтовой", deed="close")
    times = {"asked_at": NOW, "deadline_at": NOW + timedelta(days=1)}
    Approval.objects.create(case=case, rule=rule, question="Тайна гостя", asked_by=expert, **times)
    return case


def _belonging(case, expert):
    """A link of the case, a mass job on it, an incident that it hangs under."""
    other = Case.objects.get(pk=case.pk)
    other.pk, other.number, other._state.adding = None, "99", True
    other.save()
    CaseLink.objects.create(kind="related", case=other, main=case, at=NOW, by=expert)
    MassJob.objects.create(kind="close", params={"cause": "solved"}, title="Ксенофонтова", made_at=NOW, made_by=expert)
    place = {"branch": case.topic, "group": case.group, "store": b.a_store()}
    incident = Incident.objects.create(number="98", state="open", scope="store", seen=1, usual=0, since=NOW, made_at=NOW, **place)
    IncidentCase.objects.create(incident=incident, case=case, at=NOW)


def _offer():
    """An open offer of a stranger's dialogue, with the colleague to whom it was made."""
    of, until = Session.objects.first(), NOW + timedelta(minutes=5)
    same = {"identity": of.identity, "guest": of.guest, "queue": of.queue, "opened_at": NOW, "last_message_at": NOW}
    session = Session.objects.create(account=b.an_account("telegram"), offered_until=until, **same)
    expert = Staff.objects.get(login="expert")
    return Offer.objects.create(session=session, staff=expert, weight=1, offered_at=NOW, expires_at=until).pk


def addresses(case):
    """Every guarded entrance that names an object, with the foreign object's own ids filled in."""
    ids = {
        "case_id": case.pk,
        "session_id": case.session_id,
        "guest_id": case.guest_id,
        "message_id": Message.objects.filter(direction="out").get().pk,
        "public_id": Attachment.objects.get().public_id,
        "attachment_id": Attachment.objects.get().public_id,
        "subject_id": case.pk,
        "item_id": case.pk,
        "kind": "case",
        "event_id": 1,
        "call_id": CallBack.objects.get().pk,
        "compensation_id": Compensation.objects.get().pk,
        "offer_id": Offer.objects.get().pk,
        "approval_id": Approval.objects.get().pk,
        "merge_id": GuestMerge.objects.get().pk,
        "main_id": Case.objects.get(number="99").pk,
        "other_id": Guest.objects.order_by("pk").last().pk,
        "identity_id": case.session.identity_id,
        "link_id": CaseLink.objects.get().pk,
        "job_id": MassJob.objects.get().pk,
        "incident_id": Incident.objects.get().pk,
        "deed": "close",
    }
    from django.urls import get_resolver

    from tests.architecture.test_entrances import _walk

    for route, entry in _walk(get_resolver().url_patterns):
        if route.startswith("admin/") or not declared(entry.callback)[0]:
            continue
        filled = "/" + route
        for name in entry.pattern.converters:
            for spelling in ("int", "slug", "uuid", "str"):
                filled = filled.replace(f"<{spelling}:{name}>", str(ids[name]))
        for part in ("int:", "slug:", "uuid:", "str:"):
            for name, value in ids.items():
                filled = filled.replace(f"<{part}{name}>", str(value))
        if filled not in OWN:
            assert "<" not in filled, filled
            yield filled


def ask(client, address):
    body = json.dumps({"text": "чужое", "reason": "чужое", "cause": "solved", "key": "x", "state": "waiting_guest"})
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Accept": "application/json"}
    found = {}
    for method in ("get", "post", "put", "patch", "delete"):
        answer = getattr(client, method)(
            address, **({"data": body, "content_type": "application/json"} if method != "get" else {}), headers=headers
        )
        found[method] = (answer.status_code, b"".join(answer) if answer.streaming else answer.content)
    form = client.post(address, {"text": "чужое", "reason": "чужое", "cause": "solved"}, headers=headers)
    found["form"] = (form.status_code, b"" if form.streaming else form.content)
    return found


def states():
    return (
        list(Case.objects.values_list("state", "owner", "group")),
        list(Session.objects.values_list("state", "owner")),
        list(Compensation.objects.values_list("state", "points")),
        Message.objects.count(),
        AuditEntry.objects.exclude(action="signed_in").count(),
    )


def signed_in(staff):
    client = Client()
    client.force_login(staff, backend=BACKEND)
    return client


@pytest.mark.parametrize("rights", [None, [Right.DESK, Right.CASES_READ]], ids=["full rights", "lower rights"])
def test_a_foreign_operator_opens_and_changes_nothing(secret, rights):
    stranger = b.a_person(
        "stranger", "Посторонний", groups=[b.a_group("other", "Другая")], role=b.a_role("foreign", rights) if rights else None
    )
    client, before, asked = signed_in(stranger), states(), 0
    for address in addresses(secret):
        for method, (status, content) in ask(client, address).items():
            asked += 1
            assert status in {400, 403, 404, 405, 415}, f"{method} {address}: {status}"
            assert "Ксенофонтов".encode() not in content, f"{method} {address}"
    assert asked > 100
    assert states() == before


def test_lists_and_searches_of_a_foreign_operator_hold_nothing(secret):
    stranger = b.a_person("stranger", "Посторонний", groups=[b.a_group("other", "Другая")])
    client = signed_in(stranger)
    for address in OWN - {"/desk/presence/", "/desk/look/"}:
        for query in ("", "?q=Ксенофонтова", "?tab=all", "?tab=queue&q=тайна"):
            answer = client.get(address + query)
            content = b"".join(answer) if answer.streaming else answer.content
            assert "Тайна гостя".encode() not in content, address + query
            assert answer.status_code in {200, 302, 400, 403, 405}, address


def test_the_same_requests_do_open_for_the_expert(secret):
    """Guards this file against asking wrongly: what is refused to strangers exists."""
    from accounts.models import Staff

    client = signed_in(Staff.objects.get(login="expert"))
    opened = [address for address in addresses(secret) if client.get(address).status_code == 200]
    assert len(opened) >= 5, opened


def test_entrances_are_all_known():
    assert {address for address, view in ALL if declared(view)[0]} >= OWN & {"/desk/"}
