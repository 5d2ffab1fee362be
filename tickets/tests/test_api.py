"""The API over HTTP: tokens and rights, each write once, faults in one shape, few questions to the database."""

import uuid
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import ApiToken
from accounts.rights import Right
from accounts.tokens import new_token
from omni.models import Attempt, Message, Session
from omni.services import conversations
from omni.states import SessionState
from tests import builders as b
from tickets.models import Case
from tickets.states import CaseState
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Program:
    """Another system: a client of the API with a token."""

    def __init__(self, client, staff, scopes=()):
        token, digest = new_token()
        ApiToken.objects.create(name="bot", staff=staff, digest=digest, scopes=list(scopes))
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def get(self, path, **params):
        return self.client.get(f"/api/v1/{path}", params, headers=self.headers)

    def post(self, path, body, key=None):
        headers = {**self.headers, "Idempotency-Key": str(key or uuid.uuid4())}
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


@pytest.fixture
def staff():
    return b.a_person("robot", "Робот", groups=[b.a_group(), b.a_group("quality", "Качество")])


@pytest.fixture
def program(client, staff):
    return Program(client, staff)


@pytest.fixture
def session():
    b.receive(b.an_account("webchat"), b.webchat_event(text="Кефир просрочен", name="Анна"), now=NOW)
    return Session.objects.get()


def open_case(program, session, **more):
    b.a_topic()
    return program.post("cases/", {"session": session.pk, "topic": "expired", **more})


def test_a_ticket_is_opened_from_a_dialogue(program, session):
    answer = open_case(program, session, summary="Кефир 3.2%")
    assert answer.status_code == 201, answer.content
    case = Case.objects.get()
    body = answer.json()
    assert (body["id"], body["number"], body["session"]) == (case.pk, case.number, session.pk)
    assert body["group"] == {"id": case.group_id, "name": "Качество"}
    assert body["due_at"] > body["opened_at"]
    assert case.summary == "Кефир 3.2%"


def test_the_same_key_opens_one_ticket(program, session):
    b.a_topic()
    key = uuid.uuid4()
    answers = [program.post("cases/", {"session": session.pk, "topic": "expired"}, key=key) for _repeat in range(3)]
    assert {answer.json()["id"] for answer in answers} == {Case.objects.get().pk}
    assert {answer.status_code for answer in answers} == {201}


def test_opening_asks_the_database_little(program, session, django_assert_max_num_queries):
    everywhere = Program(program.client, b.a_person("partner", role=b.a_role("partner", [Right.CASES_WORK, Right.EVERYTHING])))
    body = {"session": session.pk, "topic": "expired", "summary": "Кефир"}
    open_case(everywhere, session)  # reads the topic tree and the working hours, which a process keeps
    with django_assert_max_num_queries(26):  # four of them only begin and end transactions
        assert everywhere.post("cases/", body).status_code == 201


def test_a_report_for_a_guest_goes_straight_to_the_group(program, session, staff):
    conversations.close(session_id=session.pk, by=staff, now=NOW)
    b.a_topic()
    guest = {"account": str(session.account.public_id), "external_id": "visitor-1"}
    answer = program.post("cases/", {"guest": guest, "text": "Гость жалуется на кефир", "topic": "expired"})
    assert answer.status_code == 201, answer.content
    case = Case.objects.get()
    assert case.guest == session.guest
    assert case.session.state == SessionState.PARKED
    assert Message.objects.get(direction="note").text == "Гость жалуется на кефир"
    assert Item.objects.get(kind="case").state == "waiting"


def test_a_report_leaves_an_open_dialogue_with_its_operators(program, session):
    b.a_topic()
    session.guest.phone = "+79161234567"
    session.guest.save()
    answer = program.post("cases/", {"guest": {"phone": "+79161234567"}, "text": "Жалоба", "topic": "expired"})
    assert answer.status_code == 201, answer.content
    session.refresh_from_db()
    assert session.state == SessionState.WAITING
    assert Case.objects.get().session == session


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"topic": "expired"}, 400, "invalid"),
        ({"topic": "expired", "session": 1, "guest": {"phone": "+79161234567"}}, 400, "invalid"),
        ({"topic": "expired", "session": 10**12}, 404, "not_found"),
        ({"topic": "expired", "session": "x"}, 400, "invalid"),
        ({"topic": "no-such", "session": "SESSION"}, 400, "topic_unknown"),
        ({"topic": "expired", "session": "SESSION", "store": "9999"}, 400, "store_unknown"),
        ({"topic": "expired", "guest": {"phone": "+70000000000"}, "text": "x"}, 404, "guest_unknown"),
        ({"topic": "expired", "guest": {"account": str(uuid.uuid4())}, "text": "x"}, 400, "invalid"),
        ({"topic": "expired", "guest": {}, "text": "x"}, 400, "invalid"),
        ({"topic": "expired", "guest": {"phone": "+79161234567"}}, 400, "invalid"),
        ([1], 400, "invalid"),
    ],
)
def test_a_wrong_input_is_refused_in_one_shape(program, session, body, status, code):
    b.a_topic()
    if isinstance(body, dict) and body.get("session") == "SESSION":
        body = {**body, "session": session.pk}
    answer = program.post("cases/", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert not Case.objects.exists()


def test_a_key_is_needed(program, session):
    b.a_topic()
    body = {"session": session.pk, "topic": "expired"}
    answer = program.client.post("/api/v1/cases/", body, content_type="application/json", headers=program.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_key")


def test_what_is_not_json_is_refused(program):
    headers = {**program.headers, "Idempotency-Key": str(uuid.uuid4())}
    answer = program.client.post("/api/v1/cases/", b"\xff{", content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_a_ticket_is_read_answered_and_closed(program, session, staff):
    case_id = open_case(program, session).json()["id"]
    key = uuid.uuid4()
    for _repeat in range(2):
        answer = program.post(f"cases/{case_id}/answers", {"text": "Мы разбираемся"}, key=key)
        assert answer.status_code == 201, answer.content
    assert Attempt.objects.count() == 1
    assert program.post(f"cases/{case_id}/close", {"cause": "solved"}).json()["state"] == CaseState.CLOSED
    body = program.get(f"cases/{case_id}/").json()
    assert (body["state"], body["cause"], body["channel"]) == ("closed", "solved", "webchat")
    assert [step["step"] for step in body["history"]] == ["opened", "routed", "answered", "closed"]
    assert body["history"][0]["by"] == {"id": staff.pk, "name": "Робот"}


def test_an_answer_to_a_closed_dialogue_is_refused(program, session):
    case_id = open_case(program, session).json()["id"]
    assert program.post(f"cases/{case_id}/close", {"cause": "because"}).status_code == 400
    assert program.post(f"cases/{case_id}/answers", {"text": " "}).status_code == 400


def test_the_list_goes_page_by_page(program, session):
    numbers = [open_case(program, session).json()["number"] for _n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = program.get("cases/", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [row["number"] for row in page["items"]]
        cursor = page["next"]
    assert seen == numbers[::-1]
    assert program.get("cases/", channel="email").json()["items"] == []
    assert program.get("cases/", cursor="nonsense").json()["code"] == "bad_cursor"


def test_search_topics_and_stores(program, session):
    b.a_topic()
    b.a_store()
    found = program.get("search", q="кефиром").json()
    assert [row["session"] for row in found["items"]] == [session.pk]
    assert found["items"][0]["why"] == "message"
    assert program.get("topics").json() == [{"code": "expired", "path": "Просрочка на полке", "store_required": False, "details": []}]
    assert [store["number"] for store in program.get("stores", q="лесная").json()] == ["4217"]
    assert program.get("search", q="a").json()["code"] == "too_short"
    assert program.get("search").status_code == 400


def test_rights_and_scopes(client, session):
    case_id = open_case(Program(client, b.a_person("boss", groups=[b.a_group(), b.a_group("quality", "Качество")])), session).json()["id"]
    reads = {"cases/", f"cases/{case_id}/", "search?q=кефир", "topics", "stores?q=1"}
    writes = {"cases/", f"cases/{case_id}/answers", f"cases/{case_id}/close"}
    nobody = Program(client, b.a_person("nobody", role=b.a_role("empty", [])))
    assert {nobody.get(path).status_code for path in reads} == {403}
    assert {nobody.post(path, {}).status_code for path in writes} == {403}
    narrow = Program(client, b.a_person("narrow", groups=[b.a_group("quality")]), scopes=[Right.CASES_READ])
    assert {narrow.get(path).status_code for path in reads} == {200}
    assert {narrow.post(path, {}).status_code for path in writes} == {403}
    stranger = Program(client, b.a_person("stranger", groups=[b.a_group("other", "Другая")]))
    assert stranger.get(f"cases/{case_id}/").status_code == 404
    assert stranger.post(f"cases/{case_id}/close", {"cause": "solved"}).status_code == 404
    assert stranger.post(f"cases/{case_id}/answers", {"text": "x"}).status_code == 404
    assert stranger.post("cases/", {"session": session.pk, "topic": "expired"}).status_code == 404
    assert client.get("/api/v1/cases/").status_code == 401
    assert client.get("/api/v1/cases/", headers={"Authorization": "Bearer otk_wrong"}).status_code == 401


def test_the_description_has_no_gaps():
    out, faults = StringIO(), StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out, stderr=faults)
    assert "/api/v1/cases/" in out.getvalue()


def test_other_promises_keep_the_time_used_and_the_story_tells_it(client, program, session):
    opened = open_case(program, session).json()
    other = b.a_policy("slow", first=60, following=60, resolution=960)
    rights = [*b.OPERATOR_RIGHTS, Right.CONFIGURE, Right.EVERYTHING]
    chief = Program(client, b.a_person("chief", role=b.a_role("chief", rights)))
    address = f"cases/{opened['id']}/clocks"
    assert program.post(address, {"policy": "slow", "reason": "важно"}).status_code == 403
    assert chief.post(address, {"policy": "nothing", "reason": "x"}).status_code == 400
    assert chief.post(address, {"policy": "slow", "reason": "важно"}).status_code == 200
    case = Case.objects.get(pk=opened["id"])
    assert case.policy == other
    assert case.steps.filter(step="terms", details__reason="важно").exists()
    resolution = next(clock for clock in chief.get(address).json() if clock["metric"] == "resolution")
    assert [span["policy"] for span in resolution["spans"]] == [b.a_topic().policy.name, "slow"]
    assert resolution["spans"][-1]["target_seconds"] == 960 * 60
