"""The bulk load: the same rows for the same seed, whole, and as good as what the services write."""

import hashlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Max, Min

from accounts.models import Staff
from core.text import first_line
from demo.bulk import copying
from demo.bulk.cases import CaseMaker
from demo.bulk.grammar import pools
from demo.bulk.rows import COLUMNS, RowMaker, cell
from demo.bulk.world import Bases, Channel, Matter, Promise, World
from demo.services import bulk
from demo.services.addresses import Addresses
from omni.models import Message, Session
from omni.services import answering, conversations
from omni.states import SessionState
from sla.models import Clock
from sla.rules import ALWAYS
from tests import builders as b
from tickets.models import Case, CaseStep
from tickets.selectors import find_case, list_steps
from tickets.services import cases, opening, rows
from tickets.states import CaseState, Cause
from worklist.models import Item
from worklist.selectors import count_tabs, list_items
from worklist.services import counters
from worklist.states import ItemState, Kind, Tab

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHERE = Addresses("http://127.0.0.1:8000", "http://127.0.0.1:8001", 2525, 1143)
CASES = 300
# Of 300 tickets with seed 5 in a world of plain values: changes only when what is loaded is meant to change.
PLAIN = World(
    channels=(Channel(1, "telegram", "scope-1", 1, 1, (1, 2)), Channel(2, "email", "scope-2", 2, 1, (1,))),
    matters=(
        Matter(1, "Просрочка", ("Качество", "Просрочка"), 2, Promise(1, 900, 28_800, ALWAYS), True, True, (3, 4), 5),
        Matter(2, "Баллы", ("Карта", "Баллы"), 3, Promise(1, 900, 28_800, ALWAYS), False, False, (5,), 2),
    ),
    stores=tuple(range(1, 51)),
    now=NOW,
)


def digest(seed, cases=CASES):
    rows_of = RowMaker(PLAIN, Bases(), seed=seed)
    found = hashlib.sha256()
    for _number, lines in bulk.lines_of(PLAIN, cases=cases, seed=seed, rows=rows_of):
        for table, made in lines.tables.items():
            found.update("\n".join([table, *made]).encode())
    return found.hexdigest()


def test_the_same_seed_makes_the_same_rows_and_another_seed_others():
    assert digest(5) == digest(5)
    assert digest(5) != digest(6)


def test_memory_does_not_grow_with_the_load(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 100)
    sizes = [
        sum(map(len, lines.tables.values()))
        for _n, lines in bulk.lines_of(PLAIN, cases=2000, seed=1, rows=RowMaker(PLAIN, Bases(), seed=1))
    ]
    assert len(sizes) > 20
    assert max(sizes) < 100 * 16


def test_texts_vary_and_inflect():
    maker = CaseMaker(PLAIN, pools(random.Random(1)), guests=100, open_guests=10)
    chance = random.Random(2)
    made = [maker.make(chance, names=["Анна"], open_guest=None, guest=50) for _ in range(1000)]
    openings = {facts.messages[0].text for facts in made}
    assert len(openings) > 900
    words = {word.strip(".,!?:").lower() for text in openings for word in text.split()}
    assert {"кефир", "кефира", "помидоры", "помидоров"} <= words
    assert not [text for text in openings if "{" in text]
    assert 2.4 < sum(len(facts.messages) for facts in made) / len(made) < 3.6


@pytest.mark.parametrize(
    ("value", "written"), [(None, "\\N"), (True, "t"), ("a\tb\\c\nd", "a\\tb\\\\c\\nd"), (7, "7"), (NOW, "2026-11-20 12:00:00+00:00")]
)
def test_a_cell_is_written_as_copy_reads_it(value, written):
    assert cell(value) == written


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        connection.ensure_connection()
        copying_from = copying.REBUILD_FROM_CASES
        copying.REBUILD_FROM_CASES = CASES  # so that the indexes are dropped and built as in a large load
        bulk.load(cases=CASES, seed=5, addresses=WHERE, now=NOW)
        copying.REBUILD_FROM_CASES = copying_from
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def base(loaded, db):
    """Each test in a transaction of its own over the loaded base."""


def test_everything_is_there(base):
    assert Case.objects.count() == Session.objects.count() == CASES
    assert 2.3 * CASES < Message.objects.count() < 3.7 * CASES
    assert Item.objects.count() == 2 * CASES
    assert 0.04 < Case.objects.exclude(state=CaseState.CLOSED).count() / CASES < 0.08
    span = Case.objects.aggregate(first=Min("opened_at"), last=Max("opened_at"))
    assert span["last"] - span["first"] > timedelta(days=150)
    assert Case.objects.filter(opened_at__gt=NOW).count() == Message.objects.filter(sent_at__gt=NOW).count() == 0


def test_every_reference_leads_somewhere(base):
    """Loading does not check foreign keys; this does."""
    for name in COLUMNS:
        model = apps.get_model(name)
        for field in model._meta.concrete_fields:
            if field.is_relation:
                target = field.related_model.objects.values("pk")
                orphans = model.objects.exclude(**{field.attname: None}).exclude(**{f"{field.attname}__in": target})
                assert not orphans.exists(), f"{name}.{field.name}"


def test_the_constraints_hold(base):
    with connection.cursor() as cursor:
        cursor.execute(
            "select conrelid::regclass::text, conname, pg_get_expr(conbin, conrelid) from pg_constraint "
            "where contype = 'c' and connamespace = 'public'::regnamespace"
        )
        for table, name, condition in cursor.fetchall():
            cursor.execute(f"select count(*) from {table} where not ({condition})")
            assert cursor.fetchone()[0] == 0, name
        cursor.execute("select indexrelid::regclass::text from pg_index where not indisvalid")
        assert cursor.fetchall() == []
        cursor.execute("select indexname from pg_indexes where indexname in ('message_search', 'guest_search_trgm')")
        assert len(cursor.fetchall()) == 2


def test_messages_count_on_and_follow_each_other(base):
    wrong = Session.objects.annotate(number=Count("messages"), highest=Max("messages__seq")).exclude(
        number=F("message_count"), highest=F("message_count")
    )
    assert not wrong.exists()
    for session in Session.objects.prefetch_related("messages")[:50]:
        times = [message.sent_at for message in session.messages.order_by("seq")]
        assert times == sorted(times)


def test_rows_of_the_list_say_what_the_services_would(base):
    for case in Case.objects.exclude(state=CaseState.CLOSED).select_related("guest", "session__account", "topic")[:30]:
        item = Item.objects.get(kind=Kind.CASE, subject_id=case.pk)
        before = {field.attname: getattr(item, field.attname) for field in Item._meta.concrete_fields}
        rows.show(case, now=NOW)
        after = Item.objects.values(*before).get(pk=item.pk)
        changed = {name for name in before if before[name] != after[name]} - {"version"}
        assert not changed, {name: (before[name], after[name]) for name in changed}


def test_counters_are_true(base):
    found = Counter(Item.objects.open().values_list("group_id", flat=True))
    assert {group: sum(states.values()) for group, states in counters.read(found).items()} == dict(found)


def test_lists_and_an_opened_case_work(base):
    expert = next(person for person in Staff.objects.all() if list_items(staff=person, tab=Tab.QUEUE).items)
    page = list_items(staff=expert, tab=Tab.QUEUE)
    assert count_tabs(expert)[Tab.QUEUE] == Item.objects.waiting().filter(group_id__in=expert.group_ids).count()
    case = find_case(staff=expert, case_id=page.items[0].subject_id)
    assert [step.step for step in list_steps(case)][:2] == ["opened", "routed"]
    assert first_line(case.session.messages.order_by("-seq").first().text) == page.items[0].preview


def test_open_cases_go_on_through_the_services(base):
    case = Case.objects.filter(state=CaseState.ROUTED).first()
    expert = Staff.objects.filter(groups=case.group_id).first()
    cases.take(case_id=case.pk, by=expert, now=NOW)
    answering.answer(session_id=case.session_id, text="Разобрались.", by=expert, now=NOW)
    cases.close(case_id=case.pk, cause=Cause.SOLVED, by=expert, now=NOW)
    assert Item.objects.get(kind=Kind.CASE, subject_id=case.pk).state == ItemState.CLOSED
    assert Session.objects.get(pk=case.session_id).state == SessionState.CLOSED
    assert not Clock.objects.filter(subject=case.clock_subject, ended_at__isnull=True).exists()


def test_guests_who_come_back_and_new_ones_meet_no_stale_number(base):
    account = Session.objects.select_related("account").first().account
    now = NOW + timedelta(days=1)
    bodies = {"telegram": b.telegram_update(5, chat_id=777, at=int(now.timestamp())), "webchat": b.webchat_event()}
    kind = account.kind if account.kind in bodies else "telegram"
    account = type(account).objects.get(kind=kind)
    event = b.receive(account, bodies[kind], now=now)
    message = Message.objects.get(pk=event.message_ids[0])
    operator = Staff.objects.filter(groups=account.queue.group_id).first()
    conversations.take(session_id=message.session_id, by=operator, now=now)
    topic = Case.objects.first().topic
    case = opening.open_ticket(
        session_id=message.session_id, topic=topic, by=operator, now=now, store=Case.objects.exclude(store=None).first().store
    )
    assert int(case.number) > max(map(int, Case.objects.exclude(pk=case.pk).values_list("number", flat=True)))


def test_a_second_load_goes_on_top(base):
    bulk.load(cases=50, seed=9, addresses=WHERE, now=NOW)
    assert Case.objects.count() == CASES + 50
    assert CaseStep.objects.values("case").distinct().count() == CASES + 50
