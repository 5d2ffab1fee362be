"""The demo day, as the services see it."""

import json
import random
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Staff
from core.models import LiveEvent
from demo.material import material
from demo.services import addresses, day, people
from demo.stories import fill, picture
from escalation.models import Delivery, EscalationMap, Run
from escalation.services import dry_run, limits, reviews
from escalation.states import OPEN, DeliveryState, EventKind
from omni.models import Attachment, ChannelAccount, InboundEvent, Message, Presence, Session
from omni.services.files import sniff
from omni.states import EventState, SendState, SessionState
from stores.models import Store
from tickets.models import Case, CaseStep
from tickets.selectors import find_case
from tickets.states import CaseState, Step
from worklist.models import Item
from worklist.selectors import count_tabs, list_items
from worklist.services import counters
from worklist.states import ItemState, Kind, Tab

WHERE = addresses.Addresses("http://127.0.0.1:8000", "http://127.0.0.1:8001", 2525, 1143)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """One demo day for all tests of this file, gone with them."""
    with django_db_blocker.unblock():
        connection.ensure_connection()
        day.load(addresses=WHERE, now=timezone.now(), share=0.5)
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _in_the_base(loaded, db):
    """Each test in a transaction of its own over the day."""


def test_every_state_is_there():
    assert set(Session.objects.values_list("state", flat=True)) == set(SessionState)
    states = set(Case.objects.values_list("state", flat=True))
    assert {CaseState.ROUTED, CaseState.IN_WORK, CaseState.WAITING_STORE, CaseState.ANSWERED, CaseState.CLOSED} <= states
    assert {ItemState.WAITING, ItemState.ACTIVE, ItemState.ANSWERED, ItemState.CLOSED} <= set(Item.objects.values_list("state", flat=True))
    assert {SendState.SENT, SendState.READ} <= set(Message.objects.values_list("send_state", flat=True))
    assert not InboundEvent.objects.filter(state__in=[EventState.RECEIVED, EventState.FAILED]).exists()
    assert InboundEvent.objects.filter(state=EventState.UNREADABLE).count() == 2


def test_the_maps_have_an_owner_who_read_them_lately():
    maps = EscalationMap.objects.filter(is_active=True)
    assert maps.exists()
    assert not maps.exclude(owner__login="supervisor").exists()
    assert not any(dry_run.is_stale(of, limits.current(), today=timezone.localdate()) for of in maps)
    assert reviews.tell_owners(now=timezone.now()) == 0


def test_texts_vary():
    texts = Counter(Message.objects.filter(direction="in", seq=1).values_list("text", flat=True))
    assert len(texts) > 0.75 * sum(texts.values())
    assert not [text for text in Message.objects.values_list("text", flat=True) if "{" in text]


def test_nothing_lies_in_the_future_and_nothing_waits_to_be_told():
    now = timezone.now()
    for model, field in [(Message, "sent_at"), (CaseStep, "at"), (Session, "last_message_at"), (Case, "last_at")]:
        assert not model.objects.filter(**{f"{field}__gt": now}).exists()
    assert not LiveEvent.objects.exists()


def test_counters_and_loads_are_true():
    open_items = Counter(Item.objects.open().values_list("group_id", flat=True))
    counted = {group: sum(found.values()) for group, found in counters.read(open_items).items()}
    assert counted == dict(open_items)
    for presence in Presence.objects.all():
        assert presence.load == Session.objects.filter(owner=presence.staff_id, state=SessionState.ACTIVE).count() <= presence.capacity


def test_the_first_operator_finds_work_in_every_tab():
    operator = Staff.objects.get(login="operator")
    assert len(list_items(staff=operator, tab=Tab.QUEUE).items) >= 5
    assert count_tabs(operator)[Tab.QUEUE] >= 5
    assert operator.check_password(people.PASSWORD)


def test_experts_and_directors_find_theirs():
    expert = Staff.objects.get(login="expert")
    case = next(item for item in list_items(staff=expert, tab=Tab.ALL).items if item.kind == Kind.CASE)
    assert find_case(staff=expert, case_id=case.subject_id).number == case.number
    directors = Staff.objects.filter(login__startswith="director")
    assert any(list_items(staff=director, tab=Tab.ALL).items for director in directors)


def test_pictures_are_pictures():
    rows = list(Attachment.objects.all())
    assert rows
    assert {row.mime for row in rows} == {"image/png"}
    assert sniff(picture(random.Random(1))) == "image/png"


def test_stores_have_staff_and_zones():
    assert not Store.objects.filter(staff__isnull=True).exists()
    assert len(set(Store.objects.values_list("time_zone", flat=True))) >= 5


def test_a_guest_is_known_in_several_channels():
    guests = Counter(guest for guest, _kind in set(Session.objects.values_list("guest_id", "account__kind")))
    assert max(guests.values()) >= 2


def test_accounts_follow_another_port():
    elsewhere = addresses.Addresses("http://127.0.0.1:9000", "http://127.0.0.1:9001", 3525, 2143)
    secret = ChannelAccount.objects.get(kind="telegram").config().secrets
    addresses.renew(elsewhere)
    account = ChannelAccount.objects.get(kind="telegram")
    assert account.settings["api_base"] == "http://127.0.0.1:9001"
    assert account.config().secrets == secret
    assert "http://127.0.0.1:9001" in ChannelAccount.objects.get(kind="webchat").settings["origins"]


def test_the_file_tells_what_others_need(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    path = addresses.tell(WHERE, people.sign_ins())
    facts = json.loads(path.read_text())
    assert path.stat().st_mode & 0o077 == 0
    assert urlsplit(facts["telegram"]["webhook"]).path == f"/hooks/telegram/{ChannelAccount.objects.get(kind='telegram').public_id}/"
    assert facts["mail"]["smtp_port"] == 2525
    assert facts["site_key"]
    people_named = Staff.objects.filter(login__in=[entry["login"] for entry in facts["sign_ins"]])
    assert people_named.count() == len(facts["sign_ins"]) >= 6
    assert {entry["password"] for entry in facts["sign_ins"]} == {people.PASSWORD}


def test_a_ladder_runs_and_reaches_the_shift_lead():
    """Somebody is asked, the ticket's history says so, nothing goes out."""
    running = Run.objects.filter(state__in=OPEN, subject__startswith="case:")
    assert running.exists()
    told = running.filter(events__kind=EventKind.STEP).first()
    assert told is not None
    assert told.events.get(kind=EventKind.STEP).details["to"] == ["Светлана Орлова"]
    assert CaseStep.objects.filter(step=Step.ESCALATED).count() >= running.count()
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()


def test_a_base_with_people_in_it_is_left_alone():
    count = Session.objects.count()
    call_command("load_demo", if_empty=True)
    with pytest.raises(CommandError):
        call_command("load_demo")
    assert Session.objects.count() == count


def test_every_story_reads_well():
    told = material("stories")
    chance = random.Random(3)
    for facts in told:
        for _ in range(6):
            story = fill(facts, chance=chance, place="Лесной")
            assert story.answer or (story.promise and story.expert and story.cause), facts["topic"]
            assert "{" not in story.opening + story.expert + story.answer
