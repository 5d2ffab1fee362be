"""An administrator's browser, and one of everything."""

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.rights import Right
from accounts.tokens import digest_of
from core import audit
from loyalty.tests import builders as points
from omni.channels.contract import CallKind, CallStep
from omni.models import (
    BreakKind,
    ChannelLimit,
    Decision,
    DeclineReason,
    Extension,
    InboundEvent,
    Presence,
    PresenceSpan,
    Ring,
    Session,
    Skill,
    SkillNeed,
    StaffSkill,
)
from omni.services import answering, calls
from omni.states import EventState
from omni.tests.notice_builders import a_told_guest
from reports.services import facts
from sla.models import Holiday
from stores.models import Cluster, StoreStaff
from suggestions.models import ModelVersion, SuggestionRules, VersionState
from suggestions.services import suggesting
from tests import builders as b
from tests.admin import belonging, bots_and_knowledge, escalations, guests_and_sends, promises, topics_and_life
from tests.admin.asked import everything as everything_asked
from tickets.models import AnswerTemplate
from tickets.services import cases, opening
from tickets.states import Cause


def an_administrator(login="admin", rights=tuple(Right.values)):
    return b.a_person(login, f"Админ {login}", role=b.a_role(f"role-{login}", list(rights)))


def browser(staff):
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def administrator(db):
    return an_administrator()


@pytest.fixture
def admin_browser(administrator):
    return browser(administrator)


def one_of_everything(number):
    """Rows in every table that the admin shows; `number` keeps them apart."""
    now = timezone.now()
    group = b.a_group(f"group-{number}", f"Группа {number}")
    person = b.a_person(f"person-{number}", f"Человек {number}", groups=[group], role=b.a_role(f"part-{number}"))
    queue = b.a_queue(f"queue-{number}", group=group)
    account = b.an_account("webchat", queue=queue)
    account.name = f"Чат {number}"
    account.save()
    Holiday.objects.create(calendar=queue.policy.calendar, date=f"2026-01-{number + 1:02}", name="Праздник")
    store = b.a_store(f"{4000 + number}")
    StoreStaff.objects.create(store=store, staff=person)
    Cluster.objects.create(code=f"cluster-{number}", name=f"Куст {number}", region=store.region)
    parent = b.a_topic(f"parent-{number}", group=group)
    topic = b.a_topic(f"child-{number}", group=group, parent=parent)
    AnswerTemplate.objects.create(topic=topic, name=f"Ответ {number}", text="Здравствуйте!")
    event = b.receive(account, b.webchat_event(visitor=f"visitor-{number}", name=f"Гость {number}"), now=now)
    b.receive(account, b"{broken %d" % number, now=now)
    InboundEvent.objects.filter(pk=event.pk).update(state=EventState.FAILED, reason="ValueError: so")
    session = Session.objects.get(account=account)
    Extension.objects.create(account=account, number="101", staff=person)
    _a_call(b.an_account("voice", queue=queue), number, now)
    Decision.objects.create(session=session, group=group, staff=person, at=now, explanation={"load_before": "0/5", "next_best": []})
    Presence.objects.create(staff=person, since=now, seen_at=now, assigned_at=now, state="ready")
    _rules_of_distribution(queue, person, number, now)
    message = answering.answer(session_id=session.pk, text="Ответ", by=person, now=now)
    guests_and_sends.everything(number, account=account, message=message, staff=person, now=now)
    case = opening.open_ticket(session_id=session.pk, topic=topic, by=person, now=now, store=store)
    other = opening.open_ticket(session_id=session.pk, topic=topic, by=person, now=now)
    cases.close(case_id=other.pk, cause=Cause.SOLVED, by=person, now=now)
    facts.count(case_ids=[other.pk], now=now)
    suggesting.show(session_id=session.pk, now=now)
    SuggestionRules.objects.get_or_create(pk=1)
    ModelVersion.objects.create(state=VersionState.REJECTED, made_at=now, held_out=10, first=number)
    points.everything(number, case=case, staff=person)
    a_told_guest(session.guest, account, number, now)
    escalations.everything(number, case=case, staff=person)
    everything_asked(number, case=case, topic=topic, staff=person, other=b.a_person(f"boss-{number}", f"Начальник {number}"))
    topics_and_life.everything(number, case=case, staff=person, group=group)
    bots_and_knowledge.everything(number, session=session, now=now)
    promises.everything(number, case=case)
    belonging.everything(number, case=case, other=other, staff=person)
    ApiToken.objects.create(name=f"token-{number}", staff=person, digest=digest_of(str(number)))
    with transaction.atomic():
        audit.record(action="tried", by=person, subject=case, now=now, details={"a": 1})
    return case


def _rules_of_distribution(queue, person, number, now):
    BreakKind.objects.create(code=f"break-{number}", name=f"Перерыв {number}")
    DeclineReason.objects.create(code=f"reason-{number}", name=f"Причина {number}")
    skill = Skill.objects.create(code=f"skill-{number}", name=f"Навык {number}")
    StaffSkill.objects.create(staff=person, skill=skill)
    SkillNeed.objects.create(skill=skill, queue=queue)
    Ring.objects.create(queue=queue, after_seconds=60).drops.add(skill)
    ChannelLimit.objects.create(channel=f"channel-{number}", most=3)
    PresenceSpan.objects.create(staff=person, state="ready", since=now)


def _a_call(account, number, now):
    step = CallStep(CallKind.RINGING, f"call-{number}", f"call-{number}", 1, now, caller=f"+7900111220{number}", extension="101")
    with transaction.atomic():
        calls.apply(account=account, step=step, now=now)
