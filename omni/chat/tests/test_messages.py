"""Messages and files over the API: kept, answered, repeated, refused."""

import json
import uuid

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from omni.chat import uploads
from omni.chat.tests import builders as c
from omni.chat.tests.builders import Visitor
from omni.models import Attachment, ChatUpload, InboundEvent, Message, Session
from omni.services import answering, conversations, journal, sending
from omni.states import Direction, SendState
from tests import builders as b

pytestmark = pytest.mark.django_db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0300050001ff"
    "a5b0c9440000000049454e44ae426082"
)


@pytest.fixture
def operator(site):
    person = b.a_person(groups=[site.queue.group])
    b.go_on_line(person, now=timezone.now())
    return person


def test_a_message_is_in_the_journal_and_given_to_an_operator_at_once(visitor, operator):
    key = uuid.uuid4()
    answer = visitor.write("Кефир просрочен", client_id=key)
    message = Message.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "client_msg_id": str(key), "id": str(message.public_id), "seq": message.pk, "sent_at": message.sent_at.isoformat()
    }  # fmt: skip
    assert InboundEvent.objects.get().message_ids == [message.pk]
    assert Session.objects.get().owner == operator
    assert visitor.read().json()["state"]["operator"] == "Анна"


def test_a_repeat_gets_the_first_answer(visitor):
    key = uuid.uuid4()
    first, second = visitor.write("Раз", client_id=key), visitor.write("Два", client_id=key)
    assert first.json() == second.json()
    assert Message.objects.get().text == "Раз"


def test_the_key_may_come_as_a_header(visitor):
    key = str(uuid.uuid4())
    by_header = visitor.post("messages", {"text": "Раз"}, **{"Idempotency-Key": key})
    assert by_header.json()["client_msg_id"] == key
    both = visitor.post("messages", {"text": "Раз", "client_msg_id": str(uuid.uuid4())}, **{"Idempotency-Key": key})
    assert (both.status_code, both.json()["code"]) == (400, "client_msg_id")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "x"}, "client_msg_id"),
        ({"text": "x", "client_msg_id": "1"}, "client_msg_id"),
        ({"text": "  \n", "client_msg_id": str(uuid.uuid4())}, "empty"),
        ({"client_msg_id": str(uuid.uuid4())}, "empty"),
        ({"text": "x" * 4001, "client_msg_id": str(uuid.uuid4())}, "too_long"),
        ({"text": "x", "client_msg_id": str(uuid.uuid4()), "uploads": ["no"]}, "file_unknown"),
        ({"text": "x", "client_msg_id": str(uuid.uuid4()), "uploads": [str(uuid.uuid4())]}, "file_unknown"),
        ({"text": "x", "client_msg_id": str(uuid.uuid4()), "uploads": [str(uuid.uuid4()) for _n in range(6)]}, "too_many_files"),
    ],
)
def test_what_cannot_be_sent_is_refused(visitor, body, code):
    answer = visitor.post("messages", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not InboundEvent.objects.exists()


def test_odd_texts_survive(visitor):
    for text in ("a\x00b", "\ud800", "😀" * 100, "<script>alert(1)</script>", "ё" * 4000):
        assert visitor.write(text).status_code == 200
    assert Message.objects.count() == 5


def test_the_dialogue_both_ways_with_delivered_and_read(visitor, operator):
    seq = visitor.write("Вопрос").json()["seq"]
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=timezone.now())
    page = visitor.read(after=seq).json()
    assert [(found["from"], found["author"], found["text"]) for found in page["messages"]] == [("operator", "Анна", "Ответ")]
    assert page["state"]["unread"] == 1
    assert state_of(message) == SendState.QUEUED, "the attempt is not finished yet"
    sending.send(message.attempts.get().pk, now=timezone.now())
    visitor.read(after=seq)
    assert state_of(message) == SendState.SENT, "the visitor has not confirmed it yet"
    visitor.read(after=message.pk)
    assert state_of(message) == SendState.DELIVERED
    visitor.post("seen", {"seq": message.pk})
    assert state_of(message) == SendState.READ
    assert visitor.read(after=message.pk).json()["state"]["unread"] == 0


def test_an_answer_read_before_its_attempt_is_finished_ends_as_read(visitor, operator):
    visitor.write("Вопрос")
    message = answering.answer(session_id=Session.objects.get().pk, text="Ответ", by=operator, now=timezone.now())
    visitor.post("seen", {"seq": message.pk})
    sending.send(message.attempts.get().pk, now=timezone.now())
    visitor.read(after=message.pk)
    assert state_of(message) == SendState.READ


def state_of(message):
    return Message.objects.get(pk=message.pk).send_state


def test_notes_and_system_lines_stay_inside(visitor, operator):
    visitor.write("Вопрос")
    session = Session.objects.get()
    answering.note(session_id=session.pk, text="Скандалит", by=operator, now=timezone.now())
    conversations.add_line(session=conversations.lock(session.pk), direction=Direction.SYSTEM, text="строка", by=None, now=timezone.now())
    assert [found["text"] for found in visitor.read().json()["messages"]] == ["Вопрос"]


def test_the_operators_look_is_told(visitor, operator):
    seq = visitor.write("Вопрос").json()["seq"]
    session = Session.objects.get()
    assert visitor.read().json()["state"]["seen_seq"] == 0
    conversations.mark_read(session_id=session.pk, up_to=session.last_inbound_id, now=timezone.now())
    assert visitor.read().json()["state"]["seen_seq"] == seq


def test_closing_alone_is_no_reading(visitor, operator):
    seq = visitor.write("Вопрос").json()["seq"]
    session = Session.objects.get()
    answering.answer(session_id=session.pk, text="Ответ", by=operator, now=timezone.now())
    visitor.write("Ещё вопрос")
    conversations.close(session_id=session.pk, by=None, now=timezone.now())
    assert visitor.read().json()["state"]["seen_seq"] == seq


def test_the_place_in_the_queue_counts_down(client, site):
    visitors = [Visitor(client) for _number in range(3)]
    for number, one in enumerate(visitors):
        one.begin()
        one.write(f"Вопрос {number}")
    assert [one.read().json()["state"]["queue_position"] for one in visitors] == [1, 2, 3]
    operator = b.a_person(groups=[site.queue.group])
    conversations.take(session_id=Session.objects.order_by("pk").first().pk, by=operator, now=timezone.now())
    assert [one.read().json()["state"]["queue_position"] for one in visitors] == [None, 1, 2]


def test_a_closed_dialogue_goes_on_when_the_guest_writes(visitor, operator):
    visitor.write("Вопрос")
    conversations.close(session_id=Session.objects.get().pk, by=operator, now=timezone.now())
    assert visitor.read().json()["state"]["status"] == "closed"
    visitor.write("Ещё вопрос")
    assert visitor.read().json()["state"]["status"] == "active"


def test_pages_backwards_and_forwards_miss_nothing(visitor):
    wanted = [f"{number}" for number in range(60)]
    for text in wanted:
        visitor.write(text)
    first = visitor.read(after=0).json()
    rest = visitor.read(after=first["messages"][-1]["seq"]).json()
    assert first["more"] is True
    assert [found["text"] for found in first["messages"] + rest["messages"]] == wanted
    newest = visitor.begin().json()
    older = visitor.client.get(f"/chat/messages?before={newest['messages'][0]['seq']}", headers=visitor.headers()).json()
    assert [found["text"] for found in older["messages"] + newest["messages"]] == wanted


@pytest.mark.parametrize("after", ["x", "-1", "1.5", str(2**63)])
def test_a_number_that_is_none_is_refused(visitor, after):
    assert visitor.read(after=after).json()["code"] == "seq"


def test_a_photo_arrives_and_comes_back(visitor):
    put = visitor.upload("чек.png", PNG).json()
    assert put["mime"] == "image/png"
    visitor.write("Вот чек", uploads=[put["id"]])
    assert Attachment.objects.get().state == "stored"
    shown = visitor.read().json()["messages"][0]["attachments"][0]
    assert (shown["name"], shown["kind"], shown["ready"]) == ("чек.png", "image", True)
    back = visitor.client.get(f"/chat/files/{shown['id']}", headers=visitor.headers())
    assert (back.content, back.headers["Content-Type"]) == (PNG, "image/png")
    stranger = Visitor(visitor.client)
    stranger.begin()
    assert visitor.client.get(f"/chat/files/{shown['id']}", headers=stranger.headers()).status_code == 404
    assert stranger.write("моё", uploads=[put["id"]]).json()["code"] == "file_unknown"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "file_empty"),
        (b"<html><script>alert(1)</script>", 415, "file_type"),
        (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>", 415, "file_type"),
        (b"MZ\x90\x00" + b"\x00" * 100, 415, "file_type"),
        (b"\x7fELF" + b"\x00" * 100, 415, "file_type"),
        (b"x" * (10 * 1024 * 1024 + 1), 413, "file_too_large"),
        (b"x" * (11 * 1024 * 1024), 413, "file_too_large"),
    ],
)
def test_files_that_are_not_taken(visitor, data, status, code):
    answer = visitor.upload("photo.png", data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not ChatUpload.objects.exists()


@pytest.mark.parametrize(("name", "data"), [("note.txt", "Привет".encode()), ("doc.pdf", b"%PDF-1.7\n1 0 obj"), ("../../etc/x.png", PNG)])
def test_files_that_are_taken(visitor, name, data):
    put = visitor.upload(name, data).json()
    assert "/" not in put["name"]


def test_uploads_that_no_message_named_are_removed(visitor):
    used, unused, shared = (visitor.upload(name, data).json() for name, data in (("a", PNG), ("b", b"other"), ("c", PNG)))
    visitor.write("x", uploads=[used["id"]])
    paths = {str(row.public_id): row.path for row in ChatUpload.objects.all()}
    ChatUpload.objects.update(created_at=timezone.now() - uploads.UNUSED_KEPT * 2)
    assert uploads.purge(now=timezone.now()) == 2
    assert not default_storage.exists(paths[unused["id"]])
    assert default_storage.exists(paths[shared["id"]]), "the same bytes belong to a message"


FORM = [
    {"field": "name", "type": "text", "required": True, "label": {"ru": "Имя", "en": "Name"}},
    {"field": "topic", "type": "choice", "required": True, "label": {"ru": "Тема", "en": "Topic"}, "options": ["Товар", "Доставка"]},
    {"field": "phone", "type": "tel", "label": {"ru": "Телефон", "en": "Phone"}},
    {"field": "consent", "type": "consent", "required": True, "label": {"ru": "Согласие", "en": "Consent"}},
]
ANSWERS = {"name": "Анна", "topic": "Товар", "phone": "+7 900 123-45-67", "consent": "yes"}


@pytest.mark.parametrize(
    ("change", "faulty"),
    [
        ({"name": ""}, {"name"}),
        ({"topic": "Другое"}, {"topic"}),
        ({"phone": "12"}, {"phone"}),
        ({"consent": "", "name": "x" * 301}, {"consent", "name"}),
    ],
)
def test_answers_before_the_chat_are_checked(client, change, faulty):
    c.a_site(prechat=FORM, consent_version="2026-01")
    visitor = Visitor(client)
    visitor.begin()
    answer = visitor.write("Здравствуйте", prechat={**ANSWERS, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, "form")
    assert set(answer.json()["fields"]) == faulty


def test_answers_reach_the_operator_once(client):
    c.a_site(prechat=FORM, consent_version="2026-01")
    visitor = Visitor(client)
    assert visitor.begin().json()["settings"]["prechat"][0]["label"] == "Name"
    assert visitor.write("Здравствуйте").json()["code"] == "form"
    key = uuid.uuid4()
    for _again in range(2):
        assert visitor.write("Здравствуйте", client_id=key, prechat=ANSWERS).status_code == 200
    assert visitor.write("Второе").status_code == 200, "the dialogue has begun"
    line = Message.objects.get(direction=Direction.SYSTEM).text
    assert line == "Name: Анна · Topic: Товар · Phone: +7 900 123-45-67 · Consent: given, version 2026-01"
    assert Session.objects.get().guest.phone == "", "nobody has verified it"


@pytest.mark.parametrize("what", ["messages_per_visitor", "messages_per_address"])
def test_too_many_messages_wait_a_minute_but_repeats_do_not_count(client, what):
    c.a_site(limits={what: 2})
    visitor = Visitor(client)
    visitor.begin()
    key = uuid.uuid4()
    answers = [visitor.write("x", client_id=key).status_code for _number in range(5)]
    answers += [visitor.write("y").status_code for _number in range(4)]
    # A minute may end within the test: then the count begins anew once.
    assert answers[:6] == [200] * 6
    refused = next(answer for answer in iter(lambda: visitor.write("z"), None) if answer.status_code == 429)
    assert refused.json()["code"] == "too_many"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_without_redis_everybody_passes(client, site, monkeypatch):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from omni.chat import limits

    # As the product's own client: nobody waits for Redis to come back.
    monkeypatch.setattr(limits, "client", lambda: redis.Redis(port=1, retry=Retry(NoBackoff(), 1)))
    visitor = Visitor(client)
    assert visitor.begin().status_code == 200
    assert visitor.write("x").status_code == 200


@pytest.mark.parametrize("path", ["sessions", "messages", "uploads", "seen", "typing", "forget"])
def test_wrong_methods_are_refused_in_json(client, site, path):
    answer = client.delete(f"/chat/{path}")
    assert (answer.status_code, answer.json()["code"]) == (405, "method")


def test_answers_of_a_message_that_is_understood_late_are_not_lost(client, monkeypatch):
    c.a_site(prechat=FORM, consent_version="2026-01")
    visitor = Visitor(client)
    visitor.begin()
    with monkeypatch.context() as patch:
        patch.setattr("omni.services.conversations.add_inbound", _fails)
        assert visitor.write("Здравствуйте", prechat=ANSWERS).status_code == 202, "kept for later"
    event = InboundEvent.objects.get()
    assert json.loads(bytes(event.body))["answers"] == ANSWERS
    assert not Message.objects.exists()
    for again in (False, True):
        journal.process(event.pk, now=timezone.now(), again=again)
    line = Message.objects.get(direction=Direction.SYSTEM)
    assert line.text == "Name: Анна · Topic: Товар · Phone: +7 900 123-45-67 · Consent: given, version 2026-01"


def _fails(**_named):
    raise OperationalError("the database restarts")
