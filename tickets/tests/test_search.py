"""Search: Russian forms, numbers, guests; only what is visible; always by an index, never for long."""

import pytest
from django.db import connection
from django.utils import timezone

from accounts.rights import Right
from core.refusal import Refusal
from omni.models import Message, Session
from tests import builders as b
from tickets import search
from tickets.services import opening

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def chief():
    return b.a_person("chief", "Ольга Главная", role=b.a_role("chief", [Right.EVERYTHING]))


def write(text, visitor="v1", name=""):
    event = b.receive(b.an_account("webchat"), b.webchat_event(visitor=visitor, text=text, name=name), now=NOW)
    return Message.objects.get(pk=event.message_ids[0]).session


def sessions_of(found):
    return [hit.item.session_id for hit in found.hits]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Были мы в вашем магазине вчера", "магазинами"),
        ("Магазины закрыты", "МАГАЗИН"),
        ("Купили ёлку, а она осыпалась", "елка"),
        ("Купили елку, а она осыпалась", "ёлки"),
        ("Кефир просрочен, верните деньги", "деньги кефира"),
        ("На ценнике 100 рублей", "ценники рубль"),
    ],
)
def test_a_word_is_found_in_any_form(chief, text, words):
    session = write(text)
    write("Совсем о другом: добрый день", visitor="v2")
    found = search.search(staff=chief, words=words)
    assert sessions_of(found) == [session.pk]
    assert found.hits[0].why is search.Why.MESSAGE
    assert found.hits[0].snippet.split()[0] == text.split()[0]
    assert found.complete


def test_an_excluded_word_and_an_exact_phrase(chief):
    wanted = write("молоко скисло сразу")
    write("молоко и кефир", visitor="v2")
    assert sessions_of(search.search(staff=chief, words="молоко -кефир")) == [wanted.pk]
    assert sessions_of(search.search(staff=chief, words='"молоко скисло"')) == [wanted.pk]
    assert not search.search(staff=chief, words='"скисло молоко"').hits


def test_a_ticket_is_found_by_its_number_and_stands_first(chief):
    session = write("Первое обращение")
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=chief, now=NOW)
    write(f"у меня уже было обращение {case.number}", visitor="v2")
    for words in (case.number, f"№ {case.number}", f"№{case.number}", f"#{case.number}"):
        hit = search.search(staff=chief, words=words).hits[0]
        assert (hit.item.number, hit.why) == (case.number, search.Why.NUMBER)


def test_a_conversation_with_a_ticket_is_shown_as_the_ticket(chief):
    session = write("Кефир горький")
    case = opening.open_ticket(session_id=session.pk, topic=b.a_topic(), by=chief, now=NOW)
    assert [hit.item.number for hit in search.search(staff=chief, words="кефиром").hits] == [case.number]


@pytest.mark.parametrize(
    "words", ["Константинопольская", "констонтинопольская", "+7 916 123-45-67", "8 (916) 123-45-67", "anna@example.com"]
)
def test_a_guest_is_found_by_name_with_typos_by_telephone_and_mail(chief, words):
    session = write("Здравствуйте", name="Анна Константинопольская")
    guest = session.guest
    guest.phone, guest.email = "+79161234567", "anna@example.com"
    guest.search_text = "анна константинопольская +79161234567 anna@example.com"
    guest.save()
    write("Здравствуйте", visitor="v2", name="Пётр")
    found = search.search(staff=chief, words=words)
    assert [(hit.item.guest_id, hit.why) for hit in found.hits] == [(guest.pk, search.Why.GUEST)]


def test_only_what_is_visible_is_found(chief):
    session = write("Кефир горький")
    stranger = b.a_person("stranger", groups=[b.a_group("quality", "Качество")])
    colleague = b.a_person("colleague", groups=[b.a_group()])
    nobody = b.a_person("nobody", role=b.a_role("empty", []))
    assert not search.search(staff=stranger, words="кефир").hits
    assert not search.search(staff=nobody, words="кефир").hits
    assert sessions_of(search.search(staff=colleague, words="кефир")) == [session.pk]


def test_a_deleted_message_is_not_found(chief):
    write("Секретный рецепт")
    Message.objects.update(deleted_at=NOW)
    assert not search.search(staff=chief, words="рецепт").hits


@pytest.mark.parametrize("words", ["", " ", "а", "\x00"])
def test_too_few_characters_are_refused(chief, words):
    with pytest.raises(Refusal) as refused:
        search.search(staff=chief, words=words)
    assert refused.value.code == "too_short"


@pytest.mark.parametrize("words", ["и в на", "'\"\\", "a | b & !", "((((", "%%", "1 or 1=1", "№!", "-кефир", "ё" * 500])
def test_no_words_break_the_search(chief, words):
    session = write("Кефир горький")
    assert sessions_of(search.search(staff=chief, words=words)) in ([], [session.pk])
    assert sessions_of(search.search(staff=chief, words="кефир")) == [session.pk]


def test_a_frequent_word_comes_from_the_newest_messages(chief, monkeypatch):
    monkeypatch.setattr(search, "PROBE", 3)
    monkeypatch.setattr(search, "FIRST_WINDOW", 2)
    sessions = [write("магазин", visitor=f"v{n}") for n in range(8)]
    found = search.search(staff=chief, words="магазину", limit=4)
    assert sessions_of(found) == [session.pk for session in sessions[:-5:-1]]
    assert not found.complete
    everything = search.search(staff=chief, words="магазину", limit=50)
    assert len(everything.hits) == 8
    assert everything.complete


def test_a_frequent_word_is_found_in_the_own_part(monkeypatch):
    monkeypatch.setattr(search, "PROBE", 3)
    monkeypatch.setattr(search, "FIRST_WINDOW", 2)
    monkeypatch.setattr(search, "FIRST_CONVERSATIONS", 2)
    sessions = [write("магазин", visitor=f"v{n}") for n in range(6)]
    colleague, stranger = b.a_person("colleague", groups=[b.a_group()]), b.a_person("stranger", groups=[b.a_group("other", "Другая")])
    found = search.search(staff=colleague, words="магазинов", limit=3)
    assert sessions_of(found) == [session.pk for session in sessions[:-4:-1]]
    assert search.search(staff=colleague, words="магазинов").complete
    assert search.search(staff=stranger, words="магазинов") == search.Found(hits=[], complete=True)


def test_what_would_take_too_long_is_refused_with_a_sentence(chief, monkeypatch):
    def slow(staff, wanted):
        with connection.cursor() as cursor:
            cursor.execute("select pg_sleep(5)")

    monkeypatch.setattr(search, "STATEMENT_SECONDS", 0.05)
    monkeypatch.setattr(search, "_by_number", slow)
    with pytest.raises(Refusal) as refused:
        search.search(staff=chief, words="кефир")
    assert refused.value.code == "narrow_search"
    assert Session.objects.count() == 0  # the connection works on


def explain(query):
    with search._bounded():
        return query.explain()


def test_an_index_is_used():
    assert "message_search" in explain(search.probe("магазинами"))
    assert "guest_search_trgm" in explain(search.guests_named("константинопольская"))
    assert "guest_search_trgm" in explain(search.guests_alike("констонтинопольская"))


def test_few_questions_to_the_database(chief, django_assert_max_num_queries):
    for n in range(5):
        write("магазин", visitor=f"v{n}")
    staff = type(chief).objects.get(pk=chief.pk)
    with django_assert_max_num_queries(12):
        assert len(search.search(staff=staff, words="магазин").hits) == 5
