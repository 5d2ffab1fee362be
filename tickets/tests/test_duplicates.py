"""Possible duplicates: the pure rule, what SQL brings on its indexes, what is kept, who sees it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from customers.models import Guest
from tests import builders as b
from tests import shipped
from tickets import belonging
from tickets.likeness import Facts, Numbers, Reason, common_share, compare, marks_of
from tickets.models import Case, CasePrint, CommonWord, Likeness, SharedTopic
from tickets.services import duplicates, linking, opening, prints, rerouting
from tickets.services import topics as tree
from tickets.tests.test_linking import Desk

NOW = timezone.now()
HOUR = timedelta(hours=1)
POINTS = dict.fromkeys((reason.value for reason in Reason), 0)
words = st.frozensets(st.text("абвгде", min_size=2, max_size=9), max_size=12)


def facts(**changed):
    given = {
        "guest_id": 1, "name": "анна ким", "contacts": (), "store_id": 1, "topic_id": 1, "branch_id": 1, "is_shared": False,
        "words": ("творог", "просроч"), "marks": (), "opened_at": NOW, "last_at": NOW,
    }  # fmt: skip
    return Facts(**{**given, **changed})


def reasons(one, other, **points):
    numbers = Numbers(points={**dict.fromkeys(POINTS, 1), **points}, at_once=8 * HOUR, near=36 * HOUR, far=240 * HOUR)
    return {reason for reason, _points in compare(one, other, numbers=numbers).reasons}


class TestRule:
    @pytest.mark.parametrize(
        ("changed", "found"),
        [
            ({}, {"same_guest", "same_store", "same_topic", "at_once", "same_words"}),
            ({"guest_id": 2}, {"same_name", "same_store", "same_topic", "at_once", "same_words"}),
            ({"guest_id": 2, "name": "олег"}, {"other_guest", "same_store", "same_topic", "at_once", "same_words"}),
            ({"guest_id": 2, "name": "", "is_shared": True}, {"common_matter", "same_store", "same_topic", "at_once", "same_words"}),
            ({"store_id": 2}, {"same_guest", "other_store", "same_topic", "at_once", "same_words"}),
            ({"store_id": None}, {"same_guest", "same_topic", "at_once", "same_words"}),
            ({"topic_id": 2}, {"same_guest", "same_store", "same_branch", "at_once", "same_words"}),
            ({"topic_id": 2, "branch_id": 2}, {"same_guest", "same_store", "other_branch", "at_once", "same_words"}),
            ({"words": ("сдача",)}, {"same_guest", "same_store", "same_topic", "at_once", "unlike_words"}),
            ({"words": ()}, {"same_guest", "same_store", "same_topic", "at_once"}),
            ({"opened_at": NOW + 9 * HOUR}, {"same_guest", "same_store", "same_topic", "near", "same_words"}),
            ({"opened_at": NOW + 37 * HOUR}, {"same_guest", "same_store", "same_topic", "later", "same_words"}),
            ({"opened_at": NOW + 241 * HOUR}, {"same_guest", "same_store", "same_topic", "far", "same_words"}),
        ],
    )
    def test_what_is_the_same_and_what_is_not(self, changed, found):
        assert reasons(facts(), facts(**changed)) == found

    def test_contacts_and_figures(self):
        one = facts(guest_id=2, contacts={"+7900"}, marks=["12345678"])
        assert {"same_contact", "same_figures"} <= reasons(one, facts(contacts={"+7900", "a@b"}, marks=["12345678"]))
        assert "other_figures" in reasons(one, facts(marks=["87654321"]))

    @given(words, words)
    def test_common_words_are_a_share_and_do_not_depend_on_the_order(self, one, other):
        share = common_share(one, other)
        assert 0 <= share <= 1.0000001
        if len(one) != len(other):
            assert share == common_share(other, one)
        assert common_share(one, one) == pytest.approx(1.0 if one else 0.0)

    def test_a_slip_of_the_hand_is_almost_the_word(self):
        assert common_share(["просрочен", "творог"], ["просрочн", "творог"]) > 0.75
        assert common_share(["просрочен"], ["касса"]) == 0

    @given(st.integers(-100, 100), st.integers(-100, 100))
    def test_the_score_stays_between_nought_and_a_hundred_and_zero_points_are_no_reason(self, guest, store):
        numbers = Numbers(points={"same_guest": guest, "same_store": store}, at_once=HOUR, near=HOUR, far=HOUR)
        verdict = compare(facts(), facts(), numbers=numbers)
        assert verdict.score == min(100, max(0, guest + store))
        assert all(points for _reason, points in verdict.reasons)

    @pytest.mark.parametrize(
        ("text", "marks"),
        [
            ("заказ 12345678, тел. 8 (916) 123-45-67", ["9161234567", "12345678"]),
            ("+7 916 1234567 и +79161234567", ["9161234567"]),
            ("12.10.2025 купил 2 шт за 350 рублей", []),
            ("чек № 000123456", ["000123456"]),
        ],
    )
    def test_long_figures_are_marks(self, text, marks):
        assert marks_of(text) == marks


@pytest.fixture
def desk(db):
    shipped.load()
    desk = Desk()
    desk.branch = b.a_topic("food", group=b.a_group("quality", "Качество"), name="Еда")
    desk.topic = b.a_topic("curd", group=None, parent=desk.branch, name="Творог")
    yield desk
    tree.forget()


def offered(case):
    return {row.other_id: row for row in Likeness.objects.filter(case=case)}


@pytest.mark.django_db
class TestFound:
    def test_the_same_guest_in_another_channel_is_found_when_the_ticket_is_opened(self, desk):
        first, other = desk.ticket(7, "Просроченный творог на полке"), desk.ticket("visitor", "Творог у вас с истёкшим сроком")
        assert offered(other) == {}
        desk.one_guest(first, other)
        third = desk.ticket("visitor", "Так и лежит старый творог")
        row = offered(third)[first.pk]
        assert ["same_guest", 36] in row.reasons
        assert row.score >= 50

    def test_a_word_of_the_guest_weighs_again_and_tells_of_new_finds(self, desk):
        first = desk.ticket(7, "Заказ 5550001234 не приехал")
        second = desk.ticket("visitor", "Добрый день")
        assert offered(second) == {}
        desk.writes("visitor", "Я про заказ 5550001234, он не приехал")
        assert duplicates.find_due(now=timezone.now()) == [second.pk]
        duplicates.look_again(second.pk, now=timezone.now())
        assert ["same_figures", 40] in offered(second)[first.pk].reasons
        assert duplicates.find_due(now=timezone.now()) == []
        assert duplicates.look_again(second.pk, now=timezone.now()) == []

    def test_what_was_refused_is_not_offered_again_but_what_was_undone_is(self, desk):
        first, second = desk.ticket(7), desk.ticket("visitor")
        desk.one_guest(first, second)
        third = desk.ticket("visitor", "Просроченный творог")
        duplicates.refuse(case_id=first.pk, other_id=third.pk, by=desk.operator, now=NOW)
        CasePrint.objects.update(due_at=NOW)
        duplicates.look_again(third.pk, now=NOW)
        shown = [one.item.subject_id for one in belonging.list_alike(staff=desk.operator, case=third)]
        assert shown == [second.pk]
        link = desk.join(third, second)
        assert belonging.list_alike(staff=desk.operator, case=third) == []
        desk.undo(link)
        assert [one.item.subject_id for one in belonging.list_alike(staff=desk.operator, case=third)] == [second.pk]
        with pytest.raises(Refusal):
            duplicates.refuse(case_id=10**9, other_id=third.pk, by=desk.operator, now=NOW)

    def test_a_joined_ticket_is_offered_as_its_main_one(self, desk):
        first, second = desk.ticket(7), desk.ticket("visitor")
        desk.one_guest(first, second)
        linking.join(case_id=first.pk, main_id=second.pk, by=desk.operator, now=NOW)
        third = desk.ticket("visitor", "Просроченный творог")
        assert {one.item.subject_id for one in belonging.list_alike(staff=desk.operator, case=third)} == {second.pk}

    def test_nobody_is_shown_what_he_may_not_see(self, desk):
        first, second = desk.ticket(7), desk.ticket("visitor")
        desk.one_guest(first, second)
        third = desk.ticket("visitor", "Просроченный творог")
        stranger = b.a_person("stranger", "Чужой", groups=[b.a_group("other", "Другая")])
        assert belonging.list_alike(staff=stranger, case=third) == []
        text = "Просроченный творог"
        asked = {"guest": Guest.objects.get(pk=Case.objects.get(pk=third.pk).guest_id), "topic": desk.topic, "store": None, "text": text}
        assert belonging.ask_alike(staff=stranger, **asked, now=timezone.now()) == []
        assert len(belonging.ask_alike(staff=desk.operator, **asked, now=timezone.now())) == 3

    def test_words_that_say_nothing_are_left_out_and_a_new_topic_is_compared_anew(self, desk):
        CommonWord.objects.create(word="холодильник")
        assert set(prints.words_of("Здравствуйте! В холодильнике просроченный творог 12").split()) == {"просрочен", "творог"}
        case = desk.ticket(7)
        other = b.a_topic("shelf", group=b.a_group("prices", "Цены"), name="Полка")
        change = rerouting.Change(topic=other)
        rerouting.reroute(case_id=case.pk, change=change, by=desk.operator, reason="не та", now=NOW)
        kept = CasePrint.objects.get(pk=case.pk)
        assert (kept.topic, kept.branch, kept.due_at) == (other, other, NOW)

    def test_common_matters_are_named_by_topics_and_hold_below_them(self, desk):
        store = b.a_store()
        SharedTopic.objects.create(topic=desk.branch)
        tree.forget()
        made = []
        for who in ("one", "two"):
            session = desk.writes(who, "Мороз в магазине").session
            made.append(desk_opens(desk, session, store))
        assert ["common_matter", 15] in offered(made[1])[made[0].pk].reasons

    def test_missing_prints_are_made_as_if_they_had_been_kept(self, desk):
        case = desk.ticket(7, "Заказ 5550001234: просроченный творог, ёлки")
        kept = CasePrint.objects.filter(pk=case.pk).values("words", "marks", "topic", "branch", "store", "opened_at").get()
        CasePrint.objects.all().delete()
        assert prints.add_missing() == 1
        assert CasePrint.objects.filter(pk=case.pk).values("words", "marks", "topic", "branch", "store", "opened_at").get() == kept
        assert prints.add_missing() == 0


def desk_opens(desk, session, store):
    return opening.open_ticket(session_id=session.pk, topic=desk.topic, by=desk.operator, now=NOW, store=store)


@pytest.mark.django_db
def test_the_search_stands_on_indexes(desk):
    """At so many rows that reading a table would be cheaper than nothing else: each part of the question walks its index."""
    case, store = desk.ticket(7), b.a_store()
    with connection.cursor() as cursor:
        cursor.execute(
            """
insert into tickets_case (number, guest_id, session_id, topic_id, policy_id, group_id, store_id, state, at_store, summary, priority, unread,
    routing, opened_at, opened_by_id, last_at, cause)
select 'x' || n, guest_id, session_id, topic_id, policy_id, group_id, %s, 'routed', false, '', 0, 0, '{}', now() - n * interval '1 minute',
    opened_by_id, now(), '' from tickets_case, generate_series(1, 30000) n where id = %s
""",
            [store.pk, case.pk],
        )
        while prints.add_missing():
            pass
        cursor.execute("update tickets_caseprint set marks = array[case_id::text || '00000'] where case_id & 1 = 0")
        cursor.execute("analyze tickets_case; analyze tickets_caseprint; analyze customers_guest")
        values = {
            "case": 0, "guest": -1, "phone": "+7916", "email": "a@b.ru", "store": store.pk, "words": "творог", "marks": ["123400000"],
            "guest_since": NOW - timedelta(days=30), "store_since": NOW - timedelta(days=7),
        }  # fmt: skip
        cursor.execute("explain " + duplicates.NEAR, values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    for index in ("print_store", "print_marks", "case_guest"):
        assert index in plan, plan
    assert "Seq Scan on tickets_case" not in plan, plan
