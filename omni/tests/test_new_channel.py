"""A new channel is one folder with its adapter and one line in the registry: nothing else knows its name."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from accounts.rights import Right
from omni.channels import registry
from omni.channels.account_form import KindForm, Secret, Setting
from omni.channels.contract import Capabilities, Inbound, InboundKind, Sent, Unverified
from omni.models import ChannelAccount, InboundEvent, Message
from omni.services import answering, conversations, journal, sending
from omni.states import SendState
from tests import builders as b

pytestmark = pytest.mark.django_db


class PigeonAdapter:
    """What the folder of a new channel holds."""

    kind = "pigeon"
    form = KindForm(name="Pigeon post", settings=(Setting("loft", "Loft"),), secrets=(Secret("ring", "Ring", made=True),))
    capabilities = Capabilities(text_limit=100)

    def __init__(self):
        self.sent = []

    def verify(self, event, account):
        if event.headers.get("x-ring") != account.secrets["ring"]:
            raise Unverified

    def event_key(self, event):
        return json.loads(event.body)["id"]

    def parse(self, event, account):
        body = json.loads(event.body)
        kind, at = InboundKind.MESSAGE, datetime(2026, 11, 1, tzinfo=UTC)
        return [Inbound(kind=kind, external_id=body["id"], guest_external_id=body["from"], sent_at=at, text=body["text"])]

    def fetch(self, attachment, account, *, limit):
        raise NotImplementedError

    def send(self, outgoing, account):
        self.sent.append((outgoing.recipient, outgoing.text))
        return Sent(external_ids=[f"pigeon-{len(self.sent)}"])


@pytest.fixture
def pigeon(monkeypatch):
    adapter = PigeonAdapter()
    monkeypatch.setattr(registry, "_BY_KIND", {**registry._BY_KIND, "pigeon": adapter})  # the registry's line
    return adapter


def test_a_new_channel_is_set_up_receives_and_answers(pigeon):
    boss = b.a_person(login="boss", role=b.a_role("boss", [Right.ADMIN, Right.CONFIGURE]))
    panel = Client()
    panel.force_login(boss, backend="accounts.backends.StaffBackend")
    made = panel.post("/admin/omni/channelaccount/add/", {"kind": "pigeon", "name": "Голуби", "queue": b.a_queue().pk, "weight": 1})
    account = ChannelAccount.objects.get(kind="pigeon")
    assert made.status_code == 302
    form = panel.get(f"/admin/omni/channelaccount/{account.pk}/change/").content.decode()
    assert "Loft" in form
    assert f"/hooks/pigeon/{account.public_id}/" in form

    event = json.dumps({"id": "p1", "from": "roof-7", "text": "Гули-гули"})
    address, ring = f"/hooks/pigeon/{account.public_id}/", account.config().secrets["ring"]
    assert Client().post(address, event, content_type="application/json").status_code == 403
    for _twice in range(2):
        assert Client().post(address, event, content_type="application/json", headers={"X-Ring": ring}).status_code == 200
    journal.process(InboundEvent.objects.get().pk, now=timezone.now())
    message = Message.objects.get()
    assert message.text == "Гули-гули"

    operator = b.a_person(groups=[b.a_group()])
    conversations.take(session_id=message.session_id, by=operator, now=timezone.now())
    answer = answering.answer(session_id=message.session_id, text="Зёрна на крыше", by=operator, now=timezone.now())
    sending.send(answer.attempts.get().pk, now=timezone.now())
    answer.refresh_from_db()
    assert pigeon.sent == [("roof-7", "Зёрна на крыше")]
    assert (answer.send_state, answer.external_id) == (SendState.SENT, "pigeon-1")
