"""The desk's pages: who gets in, what they show, how many queries they take."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.rights import Right
from omni.services import answering, conversations
from stores.models import StoreStaff
from tests import builders as b
from tickets.services import opening
from workstation.tests.conftest import Desk

pytestmark = pytest.mark.django_db


def test_the_first_page_leads_operators_to_the_desk(desk):
    assert desk.client.get("/").headers["Location"] == "/desk/"


def test_the_first_page_tells_others_what_they_may_do():
    accountant = Desk(b.a_person("orlova", "Вера Орлова", role=b.a_role("reports", rights=[Right.REPORTS])))
    page = accountant.client.get("/")
    assert page.status_code == 200
    assert str(Right.REPORTS.label) in page.content.decode()
    assert "/admin/" not in page.content.decode()
    assert accountant.read("").status_code == 403


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get("/").headers["Location"].startswith("/sign-in/")
    assert client.get("/desk/", headers={"Accept": "application/json"}).status_code == 401


def test_the_desk_shows_my_dialogues(desk, taken):
    page = desk.read("").content.decode()
    assert "Мария Котова" in page
    assert f'href="/desk/session/{taken.pk}/"' in page


def test_a_list_costs_the_same_for_one_row_and_for_fifty(desk, write, operator, now):
    for number in range(12):
        session = write(f"Вопрос {number}", visitor=f"v{number}")
        conversations.take(session_id=session.pk, by=operator, now=now)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert desk.read("").status_code == 200
    assert len(found) <= 12, [query["sql"] for query in found]
    with CaptureQueriesContext(connection) as found:
        assert len(desk.read("list/", tab="queue").json()["rows"]) == 0
    assert len(found) <= 12


@pytest.fixture
def talked(taken, operator, now):
    """A dialogue with words of every kind: each message is shown with what was read at once."""
    answering.answer(session_id=taken.pk, text="Здравствуйте!", by=operator, now=now)
    answering.note(session_id=taken.pk, text="Перезвонить", by=operator, now=now)
    answering.answer(session_id=taken.pk, text="Уже выясняем", by=operator, now=now)
    return taken


def test_opening_a_dialogue_stays_within_its_queries(desk, talked):
    with CaptureQueriesContext(connection) as found:
        opened = desk.read(f"session/{talked.pk}/open/").json()
    assert len(found) <= 12, [query["sql"] for query in found]
    assert "Здравствуйте!" in opened["dialogue"]
    assert opened["opened"]["guest"] == talked.guest_id


def test_opening_a_ticket_stays_within_its_queries(desk, talked, operator, now):
    case = opening.open_ticket(session_id=talked.pk, topic=b.a_topic(group=b.a_group()), by=operator, now=now)
    desk.read(f"case/{case.pk}/open/")  # what a process keeps of the settings is read once
    with CaptureQueriesContext(connection) as found:
        opened = desk.read(f"case/{case.pk}/open/").json()
    assert len(found) <= 13, [query["sql"] for query in found]
    assert case.number in opened["panel"]
    assert "Просрочка на полке" in opened["panel"]


def test_a_page_with_an_open_item_is_whole(desk, taken):
    page = desk.read(f"session/{taken.pk}/").content.decode()
    assert 'id="composer"' in page
    assert "Здравствуйте!" in page


def test_what_a_person_may_not_see_does_not_exist(write):
    session = write()
    stranger = Desk(b.a_person("sidorov", "Сидор Сидоров", groups=[b.a_group("quality")]))
    for path in ("", "open/", "feed/", "messages/", "header/", "templates/"):
        assert stranger.read(f"session/{session.pk}/{path}").status_code == 404, path
    assert stranger.read("nonsense/1/open/").status_code == 404


def test_the_feed_is_paged_without_a_gap_or_a_double(desk, taken, operator, now):
    for number in range(120):
        answering.answer(session_id=taken.pk, text=f"ответ {number}", by=operator, now=now)
    seen, before = [], ""
    while True:
        part = desk.read(f"session/{taken.pk}/feed/", before=before).json()
        seen = [*_ids(part["html"]), *seen]
        before = part["before"]
        if not before:
            break
    assert len(seen) == len(set(seen)) == 121
    assert seen == sorted(seen)


def test_the_feed_is_read_from_its_beginning_too(desk, taken, operator, now):
    for number in range(120):
        answering.answer(session_id=taken.pk, text=f"ответ {number}", by=operator, now=now)
    whole = list(taken.messages.order_by("sent_at", "sequence", "pk").values_list("pk", flat=True))
    part = desk.read(f"session/{taken.pk}/feed/", first=1).json()
    assert part["before"] == ""
    seen = _ids(part["html"])
    while part["has_newer"]:
        part = desk.read(f"session/{taken.pk}/feed/", after=seen[-1]).json()
        seen += _ids(part["html"])
    assert seen == whole
    above = desk.read(f"session/{taken.pk}/feed/", before=seen[70]).json()
    assert _ids(above["html"]) == whole[20:70]


def test_a_place_in_another_guests_feed_is_no_place(desk, taken, write):
    stranger = write("Чужое", visitor="visitor-2").messages.get()
    for asked in ({"after": stranger.pk}, {"before": stranger.pk}, {"after": "9" * 30}, {"before": "yesterday"}):
        assert desk.read(f"session/{taken.pk}/feed/", **asked).json()["code"] == "bad_cursor", asked


def _ids(html):
    return [int(part.split('"')[0]) for part in html.split(' data-id="')[1:]]


def test_a_guests_words_are_only_text(desk, write, operator, now):
    session = write("<script>alert(1)</script><img src=x onerror=alert(2)>", name='<b onclick="x">Вася</b>{current}')
    conversations.take(session_id=session.pk, by=operator, now=now)
    page = desk.read(f"session/{session.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b onclick" not in page


def test_store_staff_see_their_ticket_and_only_its_dialogue(taken, operator, write, now):
    store = b.a_store()
    case = opening.open_ticket(session_id=taken.pk, topic=b.a_topic(store_involved=True), store=store, by=operator, now=now)
    clerk = b.a_person("kassir", "Ольга Кассир", role=b.a_role("store", rights=[Right.CASES_READ]))
    StoreStaff.objects.create(store=store, staff=clerk)
    other = write("Другой разговор того же гостя", account=b.an_account("webchat", queue=b.a_queue("second")))
    other.messages.update(guest=taken.guest)
    their = Desk(clerk)
    page = their.read(f"case/{case.pk}/").content.decode()
    assert "Здравствуйте!" in page
    assert "Другой разговор" not in page
    assert 'data-command="store-answer"' in page
    answered = their.command(f"case/{case.pk}/store-answer/", text="Товар убран с полки")
    assert answered.status_code == 200, answered.content
    assert their.command(f"session/{taken.pk}/answer/", text="Нельзя").status_code == 403


def test_texts_of_the_scripts_are_a_script(client):
    answer = client.get("/jsi18n/en/")
    assert answer.status_code == 200
    assert "javascript" in answer.headers["Content-Type"]
