"""A guest of Viber through the database to an operator and back, with faults on both ways."""

import json
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.utils import timezone

from omni.channels import published
from omni.channels.contract import OutgoingFile
from omni.channels.viber.tests.conftest import GUEST, SECRETS, settings_of
from omni.models import Attachment, InboundEvent, Message, Session
from omni.services import answering, connections
from omni.states import Direction, EventState, SendState
from tests import builders as b
from tests import channel_checks as checks
from tests.providers.faults import Fault, FaultKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(viber_frame, server):
    return b.an_account("viber", settings=settings_of(viber_frame, read_timeout=1, welcome="Чем помочь?"), **SECRETS)


def hear(client, account, events):
    for event in events:
        assert checks.deliver(client, account, event.body, headers=event.headers).status_code == 200
    checks.process_all(timezone.now())


def answer(session, text, person, **more):
    return answering.answer(session_id=session.pk, text=text, by=person, now=timezone.now(), over_newer=True, **more)


def test_question_answer_and_receipts(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    asked = Message.objects.get()
    assert (asked.text, asked.session.guest.name) == ("Где кефир?", "Анна")
    reply = answer(asked.session, "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    (entry,) = server.accepted.after()
    assert (entry["text"], entry["to"], entry["key"]) == ("Уже везём", GUEST, str(reply.public_id))
    states = []
    for kind in ("seen", "delivered"):
        hear(client, account, [server.receipt(entry["id"], kind)])
        states.append(Message.objects.get(pk=reply.pk).send_state)
    assert states == [SendState.READ] * 2
    assert server.violations.after() == []


def test_a_failure_told_later_is_shown(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    reply = answer(Session.objects.get(), "Уже везём", b.a_person())
    checks.send_all(timezone.now())
    hear(client, account, [server.receipt(server.accepted.after()[0]["id"], "failed", "user blocked")])
    reply.refresh_from_db()
    assert (reply.send_state, reply.send_error) == (SendState.FAILED, "user blocked")


def test_leaving_and_coming_back(client, server, account):
    hear(client, account, server.guest_says("Где кефир?"))
    hear(client, account, server.guest_says(subscribe=False))
    identity = Session.objects.get().identity
    assert identity.blocked_at is not None
    hear(client, account, server.guest_says(subscribe=True))
    identity.refresh_from_db()
    assert identity.blocked_at is None


def test_the_welcome_and_forgeries_at_the_view(client, server, account):
    event = server.started("new-guest==")
    reply = checks.deliver(client, account, event.body, headers=event.headers)
    assert json.loads(reply.content)["text"] == "Чем помочь?"
    assert checks.deliver(client, account, event.body + b" ", headers=event.headers).status_code == 403
    assert checks.deliver(client, account, event.body).status_code == 403
    assert InboundEvent.objects.count() == 1
    assert Session.objects.count() == 0


@pytest.fixture
def sent_file(client, server, account):
    """The path of the published file of an answer."""
    hear(client, account, server.guest_says("Пришлите чек"))
    file = OutgoingFile("чек «1».pdf", "application/pdf", b"%PDF-1.7 demo")
    answer(Session.objects.get(), "Вот", b.a_person(), uploads=[file])
    checks.send_all(timezone.now())
    return urlsplit(server.accepted.after()[0]["media"]).path


def test_viber_fetches_our_file(client, sent_file):
    whole = client.get(sent_file)
    assert (whole.status_code, b"".join(whole)) == (200, b"%PDF-1.7 demo")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["Content-Disposition"].startswith("attachment")
    head = client.head(sent_file)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "13")
    assert client.post(sent_file).status_code == 405


def test_no_file_without_our_signature(client, sent_file):
    digest = Attachment.objects.get().sha256
    old = published.address_of(
        OutgoingFile("a", "", b"%PDF-1.7 demo"), now=datetime.now(UTC) - timedelta(days=2), lasting=timedelta(days=1)
    )
    unknown = published.address_of(OutgoingFile("a", "", b"never sent"), now=datetime.now(UTC), lasting=timedelta(days=1))
    other_salt = signing.dumps([digest, 2**40], salt="other")
    odd = signing.dumps({"digest": digest}, salt=published.SALT)
    paths = [urlsplit(old).path, urlsplit(unknown).path, f"/published/{digest}/", f"/published/{other_salt}/", f"/published/{odd}/a"]
    assert [client.get(path).status_code for path in paths] == [404] * 5


def test_a_page_of_markup_is_a_download(client, server, account):
    hear(client, account, server.guest_says("Пришлите"))
    answer(Session.objects.get(), "", b.a_person(), uploads=[OutgoingFile("a.html", "text/html", b"<html><script>x</script>")])
    checks.send_all(timezone.now())
    reply = client.get(urlsplit(server.accepted.after()[0]["media"]).path)
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"].startswith("attachment")


KINDS = (
    FaultKind.THROTTLED,
    FaultKind.SERVER_ERROR,
    FaultKind.GARBAGE,
    FaultKind.LATE,
    FaultKind.DROPPED_AFTER_ACCEPTING,
    FaultKind.GARBAGE_AFTER_ACCEPTING,
)


def test_faults_on_both_ways_lose_nothing_and_double_only_what_is_marked(client, server, account):
    asked = [(f"Вопрос {number}", number % 6) for number in range(36)]
    events = [event for text, which in asked for event in server.guest_says(text, id=f"guest/{which}+==", name=f"Гость {which}")]
    hear(client, account, checks.shuffled_and_doubled(events, seed=7))
    assert {row.state for row in InboundEvent.objects.all()} == {EventState.PROCESSED}
    assert InboundEvent.objects.count() == 36, "the twice-told are known by their token"
    assert sorted(Message.objects.values_list("text", flat=True)) == sorted(text for text, _ in asked)
    assert Session.objects.count() == 6
    person, sessions = b.a_person(), list(Session.objects.order_by("pk"))
    for kind in random.Random(9).choices(KINDS, k=30):
        server.faults.add(Fault(kind, seconds=0.01))
    for number in range(36):
        answer(sessions[number % 6], f"Ответ {number}", person)
    checks.send_all(timezone.now())
    assert server.faults.waiting() == [], "every fault had its turn"
    arrived = [entry["text"] for entry in server.accepted.after()]
    assert set(arrived) == {f"Ответ {number}" for number in range(36)}, "none is lost"
    doubled = {text for text in arrived if arrived.count(text) > 1}
    marked = set(Message.objects.filter(direction=Direction.OUT, possibly_delivered=True).values_list("text", flat=True))
    assert doubled <= marked, "what came twice is marked as possibly delivered"
    for which in range(6):
        said = [int(text.split()[1]) for text in arrived if int(text.split()[1]) % 6 == which]
        assert said == sorted(said), "in the order in which they were written"
    receipts = [server.receipt(entry["id"], kind) for entry in server.accepted.after() for kind in ("delivered", "seen")]
    hear(client, account, checks.shuffled_and_doubled(receipts, seed=8))
    assert set(Message.objects.filter(direction=Direction.OUT).values_list("send_state", flat=True)) == {SendState.READ}
    assert server.violations.after() == []


@pytest.mark.django_db(transaction=True)
def test_over_real_http(live_product, server, viber_frame):
    """Viber tries our address, delivers there, and the guest's telephone fetches our file from it."""
    account = b.an_account("viber", settings=settings_of(viber_frame, welcome="Чем помочь?"), **SECRETS)
    address = connections.connect_webhook(account)
    assert server.callback == address
    assert server.open_chat("new==")["text"] == "Чем помочь?"
    for event in server.guest_says("Пришлите чек"):
        assert server.deliver(event)["statuses"] == [200]
    checks.process_all(timezone.now())
    file = OutgoingFile("чек.pdf", "application/pdf", b"%PDF-1.7 demo")
    answer(Session.objects.get(), "", b.a_person(), uploads=[file])
    checks.send_all(timezone.now())
    (entry,) = server.accepted.after()
    assert server.look(entry["id"]) == file.data
    assert [finding.works for finding in connections.check(account)] == [True, True]
    assert server.violations.after() == []
