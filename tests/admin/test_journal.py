"""The inbound journal's screen: troubles first, readable bodies, replay of one, a choice, a period."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.rights import Right
from core.models import AuditEntry
from omni.admin.journal import as_hex, as_text
from omni.channels.contract import RawEvent
from omni.channels.webchat.adapter import WebChatAdapter
from omni.models import InboundEvent, Message, Session
from omni.services import journal
from omni.states import EventState
from tests import builders as b
from tests.admin.conftest import an_administrator, browser
from worklist.models import Item

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LIST = reverse("admin:omni_inboundevent_changelist")


@pytest.fixture
def account():
    return b.an_account("webchat")


@pytest.fixture
def broken(account):
    return b.receive(account, b'{"visitor": "v1", \xff broken', now=NOW)


def listed(client, **query):
    return [event.pk for event in client.get(LIST, query).context["cl"].result_list]


def mended(monkeypatch):
    """The fault in the adapter is mended: it understands what it did not."""
    parse = WebChatAdapter.parse

    def reads(self, event, account):
        body = b.webchat_event(visitor="v1", text="Понято", client_id="7d8ad0a6-1d5c-4d4e-9f43-000000000001")
        return parse(self, type(event)(body=body, headers={}, received_at=event.received_at), account)

    monkeypatch.setattr(WebChatAdapter, "parse", reads)


def state():
    rows = [list(model.objects.order_by("pk").values()) for model in (Message, Session)]
    return rows, list(Item.objects.values_list("pk", "unread", "state", "version"))


def test_the_list_begins_with_what_is_in_trouble(admin_browser, account, broken):
    good = b.receive(account, b.webchat_event(), now=NOW)
    assert listed(admin_browser) == [broken.pk]
    assert set(listed(admin_browser, state="all")) == {broken.pk, good.pk}
    assert listed(admin_browser, state="processed") == [good.pk]
    assert listed(admin_browser, account__id__exact=b.an_account("telegram").pk) == []
    InboundEvent.objects.update(received_at=NOW - timedelta(days=3))
    assert listed(admin_browser, time="24") == []
    assert listed(admin_browser, time="168") == [broken.pk]


def test_the_page_shows_reason_headers_and_body(admin_browser, broken):
    InboundEvent.objects.update(headers={"content-type": "text/plain"}, reason="not JSON <b>")
    page = admin_browser.get(reverse("admin:omni_inboundevent_change", args=[broken.pk])).content.decode()
    assert "not JSON &lt;b&gt;" in page
    assert "content-type" in page
    assert "\\xff broken" in page
    assert "7b 22 76 69" in page
    assert AuditEntry.objects.get(action="journal.seen").subject == f"inboundevent:{broken.pk}"


def test_replaying_what_went_well_changes_nothing(admin_browser, account):
    events = [b.receive(account, b.webchat_event(visitor=f"v{n % 2}", text=f"{n}"), now=NOW) for n in range(6)]
    before = state()
    for _repeat in range(2):
        answer = admin_browser.post(
            LIST + "?state=all", {"action": "replay_chosen", "_selected_action": [event.pk for event in events]}, follow=True
        )
    assert len(answer.context["messages"]) == 1
    assert state() == before
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {EventState.PROCESSED}
    assert AuditEntry.objects.filter(action="journal.replayed").count() == 2


def test_an_unreadable_event_is_processed_after_the_mend(admin_browser, broken, monkeypatch):
    url = reverse("admin:omni_inboundevent_replay", args=[broken.pk])
    admin_browser.post(url)
    broken.refresh_from_db()
    assert broken.state == EventState.UNREADABLE
    mended(monkeypatch)
    admin_browser.post(url)
    broken.refresh_from_db()
    assert broken.state == EventState.PROCESSED
    assert Message.objects.get().text == "Понято"
    before = state()
    admin_browser.post(url)
    assert state() == before


def test_a_period_is_counted_confirmed_and_replayed(admin_browser, account, broken, monkeypatch):
    mended(monkeypatch)
    late = b.receive(account, b"{late", now=NOW + timedelta(days=2))
    monkeypatch.undo()
    InboundEvent.objects.filter(pk=late.pk).update(state=EventState.UNREADABLE)
    mended(monkeypatch)
    url = reverse("admin:omni_inboundevent_replay_period")
    local = timezone.localtime(NOW)
    period = {"since": f"{local - timedelta(hours=1):%Y-%m-%dT%H:%M}", "until": f"{local + timedelta(hours=1):%Y-%m-%dT%H:%M}"}
    counted = admin_browser.post(url, {**period, "states": ["unreadable", "failed"]})
    assert counted.context["count"] == 1
    broken.refresh_from_db()
    assert broken.state == EventState.UNREADABLE
    admin_browser.post(url, {**period, "states": ["unreadable"], "confirmed": "1"})
    broken.refresh_from_db()
    late.refresh_from_db()
    assert (broken.state, late.state) == (EventState.PROCESSED, EventState.UNREADABLE)


def test_a_wrong_period_is_refused(admin_browser):
    url = reverse("admin:omni_inboundevent_replay_period")
    answer = admin_browser.post(url, {"since": "2026-02-01T00:00", "until": "2026-01-01T00:00", "states": ["failed"], "confirmed": "1"})
    assert answer.status_code == 200
    assert "until" in answer.context["form"].errors


def test_more_than_one_click_replays_is_told(admin_browser, account, monkeypatch):
    monkeypatch.setattr("omni.admin.journal.AT_ONCE", 2)
    events = [b.receive(account, b"{%d" % n, now=NOW) for n in range(3)]
    answer = admin_browser.post(LIST, {"action": "replay_chosen", "_selected_action": [event.pk for event in events]}, follow=True)
    assert len(answer.context["messages"]) == 2


def test_only_the_right_opens_the_journal(broken):
    almost = browser(an_administrator("almost", [right for right in Right.values if right != Right.JOURNAL]))
    assert almost.get(LIST).status_code == 403
    assert almost.get(reverse("admin:omni_inboundevent_replay_period")).status_code == 403
    assert almost.post(reverse("admin:omni_inboundevent_replay", args=[broken.pk])).status_code == 403
    keeper = browser(an_administrator("keeper", [Right.ADMIN, Right.JOURNAL]))
    assert keeper.get(reverse("admin:omni_inboundevent_replay", args=[broken.pk])).status_code == 405
    assert keeper.post(reverse("admin:omni_inboundevent_replay", args=[broken.pk])).status_code == 302


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"[" * 100_000, b"{" * 70_000, "ёж".encode(), b"<script>"])
def test_any_body_can_be_looked_at(body):
    assert isinstance(as_text(body), str)
    assert len(as_hex(body[:64]).splitlines()) == -(-len(body[:64]) // 16)


def test_an_accounts_own_secrets_are_not_shown(admin_browser):
    account = b.an_account("vk", settings={"group_id": "1"}, secret="очень тайное слово")
    event = b.receive(account, '{"type": "x", "secret": "очень тайное слово", "text": "Где кефир?"}'.encode(), now=NOW)
    page = admin_browser.get(reverse("admin:omni_inboundevent_change", args=[event.pk])).content.decode()
    assert "Где кефир?" in page
    assert "тайное" not in page
    assert "тайное" in bytes(event.body).decode(), "a replay reads the event as it came"


def test_a_secret_in_our_address_is_not_kept(client):
    account = b.an_account("ok", webhook_secret="очень-тайное-слово")
    kept = journal.keep(account=account, event=RawEvent(b"{}", {}, NOW, {"secret": "очень-тайное-слово", "part": "2"}))
    assert kept.query == {"part": "2"}
