"""The texts that Meta approves: its list and its webhook bring their state, over the wire."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import AuditEntry
from omni.channels.contract import PollFault
from omni.channels.whatsapp import templates as list_
from omni.channels.whatsapp.tests.conftest import SECRETS, settings_of
from omni.models import InboundEvent, MessageTemplate, Session
from omni.services import approved, journal, templates
from omni.states import EventState, TemplateState
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind
from tests.providers.whatsapp import Template

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(whatsapp_frame, server):
    """An account in the database."""
    return b.an_account("whatsapp", settings=settings_of(whatsapp_frame, read_timeout=1), **SECRETS)


def told(name):
    row = MessageTemplate.objects.get(name=name)
    return row.state, row.state_reason


def review(client, kept, server, **what):
    event = server.review(**what)
    assert checks.deliver(client, kept, event.body, headers=event.headers).status_code == 200
    checks.process_all(timezone.now())


def test_the_list_is_read_page_by_page(kept, server):
    server.page = 2
    now = timezone.now()
    assert templates.compare(kept.pk, now=now) == 3
    row = MessageTemplate.objects.get(name="answer_ready", language="ru")
    assert (row.body, row.state, row.told_at) == ("Здравствуйте, {{1}}! Ответ по обращению {{2}} готов.", TemplateState.APPROVED, now)
    assert len(row.parameters) == 2
    row.full_clean()
    assert templates.compare(kept.pk, now=now) == 0
    assert AuditEntry.objects.filter(action="template.told").count() == 3
    assert server.violations.after() == []


def test_names_of_places_stay_and_states_follow_the_provider(kept, server):
    MessageTemplate.objects.create(account=kept, name="order_ready", language="ru", body="Заказ {{1}}", parameters=["Номер заказа"])
    MessageTemplate.objects.create(account=kept, name="invented", language="ru", body="Скидки!", state=TemplateState.APPROVED)
    server.templates[("hello_world", "en_US")].status = "PAUSED"
    server.templates[("answer_ready", "ru")].status, server.templates[("answer_ready", "ru")].reason = "REJECTED", "TAG_CONTENT_MISMATCH"
    templates.compare(kept.pk, now=timezone.now())
    row = MessageTemplate.objects.get(name="order_ready")
    assert (row.body, row.parameters, row.state) == ("Заказ {{1}} собран.", ["Номер заказа"], TemplateState.APPROVED)
    assert told("hello_world")[0] == TemplateState.PAUSED
    assert told("answer_ready") == (TemplateState.REJECTED, "TAG_CONTENT_MISMATCH")
    assert told("invented")[0] == TemplateState.REJECTED


def test_texts_that_want_more_than_values_are_left_out(kept, server):
    picture = {"type": "HEADER", "format": "IMAGE", "example": {}}
    heading = {"type": "HEADER", "format": "TEXT", "text": "Заказ {{1}}"}
    link = {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Открыть", "url": "https://lukoshko.example/{{1}}"}]}
    quick = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Спасибо"}]}
    for name, part in (("picture", picture), ("heading", heading), ("link", link), ("quick", quick)):
        server.templates[(name, "ru")] = Template(name, "ru", "Текст", more=(part, {"type": "FOOTER", "text": "Лукошко"}))
    templates.compare(kept.pk, now=timezone.now())
    assert set(MessageTemplate.objects.values_list("name", flat=True)) == {"answer_ready", "order_ready", "hello_world", "quick"}


def test_the_webhook_pauses_a_text_and_the_operator_is_offered_it_no_more(client, kept, server):
    templates.compare(kept.pk, now=timezone.now())
    event = server.guest_says("Где заказ?")[0]
    checks.deliver(client, kept, event.body, headers=event.headers)
    checks.process_all(timezone.now())
    session = Session.objects.get()
    assert [row.name for row in approved.list_approved(session)] == ["answer_ready", "hello_world", "order_ready"]
    review(client, kept, server, name="order_ready", event="PAUSED", why="Guests have complained")
    assert told("order_ready") == (TemplateState.PAUSED, "Guests have complained")
    assert [row.name for row in approved.list_approved(session)] == ["answer_ready", "hello_world"]
    review(client, kept, server, name="order_ready", event="APPROVED")
    assert told("order_ready") == (TemplateState.APPROVED, "")


def test_a_replayed_event_changes_nothing(client, kept, server):
    templates.compare(kept.pk, now=timezone.now())
    review(client, kept, server, name="order_ready", event="REJECTED", reason="INCORRECT_CATEGORY")
    first = InboundEvent.objects.latest("pk")
    review(client, kept, server, name="order_ready", event="APPROVED")
    journal.replay(event_ids=[first.pk], by=b.a_person(), now=timezone.now() + timedelta(minutes=1))
    assert told("order_ready") == (TemplateState.APPROVED, "")
    first.refresh_from_db()
    assert first.state == EventState.PROCESSED


def test_unknown_texts_and_unknown_news_are_only_kept(client, kept, server):
    templates.compare(kept.pk, now=timezone.now())
    server.templates[("fresh", "ru")] = Template("fresh", "ru", "Новый", status="PENDING")
    review(client, kept, server, name="fresh", event="APPROVED")
    assert not MessageTemplate.objects.filter(name="fresh").exists()
    review(client, kept, server, name="order_ready", event="UNHEARD_OF")
    assert told("order_ready")[0] == TemplateState.APPROVED
    templates.compare(kept.pk, now=timezone.now())
    assert told("fresh")[0] == TemplateState.APPROVED


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.TOKEN_REVOKED, FaultKind.THROTTLED])
def test_a_provider_that_cannot_be_asked_changes_nothing(kept, server, kind):
    templates.compare(kept.pk, now=timezone.now())
    server.faults.add(Fault(kind, method="message_templates"))
    assert templates.compare(kept.pk, now=timezone.now()) == 0
    assert set(MessageTemplate.objects.values_list("state", flat=True)) == {TemplateState.APPROVED}
    server.faults.add(Fault(kind, method="message_templates"))
    with pytest.raises(PollFault):
        list_.listed(kept.config())


def test_an_account_without_its_business_changes_nothing(whatsapp_frame, server):
    kept = b.an_account("whatsapp", settings=settings_of(whatsapp_frame, business_account_id=""), **SECRETS)
    MessageTemplate.objects.create(account=kept, name="order_ready", language="ru", body="Заказ", state=TemplateState.APPROVED)
    assert templates.find_accounts() == [kept.pk]
    assert templates.compare(kept.pk, now=timezone.now()) == 0
    assert told("order_ready")[0] == TemplateState.APPROVED
