"""What items of the journal change: edits in any order, blocks and unblocks, each once however often they are replayed."""

import json
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.embedded.waiting import wait_until
from customers.models import Identity
from omni.channels.contract import AttachmentKind, InboundAttachment, RawEvent
from omni.models import Attachment, InboundEvent, Message, MessageVersion
from omni.services import files, journal
from omni.states import Direction, EventState
from tests import builders as b

SAID = 1763762400
CHAT = 555000111


def edit_of(number, text, at, update_id):
    update = json.loads(b.telegram_update(number, text=text))
    edited = {**update["message"], "edit_date": at}
    return json.dumps({"update_id": update_id, "edited_message": edited}, ensure_ascii=False).encode()


def membership(update_id, status, at):
    person = {"id": CHAT, "is_bot": False, "first_name": "Анна"}
    change = {"chat": {"id": CHAT, "type": "private"}, "from": person, "date": at, "new_chat_member": {"status": status}}
    return json.dumps({"update_id": update_id, "my_chat_member": change}, ensure_ascii=False).encode()


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def account(db):
    return b.an_account()


@pytest.fixture
def hear(account):
    now = moment(SAID + 3600)
    return lambda body: b.receive(account, body, now=now)


def lines():
    return list(Message.objects.filter(direction=Direction.SYSTEM).order_by("pk").values_list("text", flat=True))


def is_blocked():
    return Identity.objects.get().blocked_at is not None


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1), (1, 0, 2)])
def test_the_newest_edit_wins_in_whatever_order_they_come(hear, order):
    bodies = [b.telegram_update(1, text="Раз"), edit_of(1, "Два", SAID + 5, 2), edit_of(1, "Три", SAID + 9, 3)]
    for number in order:
        hear(bodies[number])
    message = Message.objects.get()
    assert (message.text, message.edited_at, message.sent_at) == ("Три", moment(SAID + 9), moment(SAID))


def test_replayed_edits_change_nothing_even_within_one_second(hear):
    hear(b.telegram_update(1, text="Раз"))
    rows = [hear(edit_of(1, text, SAID + 5, number)) for number, text in ((2, "Два"), (3, "Три"))]
    assert Message.objects.get().text == "Три"
    journal.process(rows[0].pk, now=timezone.now(), again=True)
    assert Message.objects.get().text == "Три"
    assert MessageVersion.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_edit_waits_for_its_original_in_another_process():
    account, now = b.an_account(), moment(SAID + 3600)
    b.receive(account, b.telegram_update(1, text="Первое"), now=now)  # the guest is known
    rows = [
        journal.keep(account=account, event=RawEvent(body=body, headers={}, received_at=now))
        for body in (b.telegram_update(2, text="Раз"), edit_of(2, "Два", SAID + 5, 3))
    ]
    beside = threading.Thread(target=_process, args=(rows[1].pk, now))
    with transaction.atomic():
        journal.process(rows[0].pk, now=now)
        beside.start()
        assert wait_until(_somebody_waits_for_us, seconds=10)
    beside.join(timeout=10)
    message = Message.objects.get(external_id=f"{CHAT}:2")
    assert message.text == "Два"
    assert {row.state for row in InboundEvent.objects.all()} == {EventState.PROCESSED}
    assert InboundEvent.objects.get(pk=rows[1].pk).tries == 0, "not by failing first"


def _process(event_id, now):
    try:
        journal.process(event_id, now=now)
    finally:
        connection.close()


def _somebody_waits_for_us():
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))")
        return cursor.fetchone()[0] > 0


def test_a_block_and_its_end_are_shown_once_each(hear):
    hear(b.telegram_update(1))
    rows = [hear(membership(2, "kicked", SAID + 10)), hear(membership(3, "member", SAID + 20))]
    assert not is_blocked()
    assert len(lines()) == 2
    for row in (*rows, *reversed(rows)):
        journal.process(row.pk, now=timezone.now(), again=True)
        assert not is_blocked()
    assert len(lines()) == 2


def test_a_new_message_ends_the_block_and_says_so(hear):
    hear(b.telegram_update(1))
    block = hear(membership(2, "kicked", SAID + 10))
    assert is_blocked()
    hear(b.telegram_update(3, at=SAID + 30))
    assert not is_blocked()
    assert len(lines()) == 2
    journal.process(block.pk, now=timezone.now(), again=True)
    assert not is_blocked()


def test_an_old_message_leaves_the_block(hear):
    first = hear(b.telegram_update(1))
    hear(membership(2, "kicked", SAID + 10))
    journal.process(first.pk, now=timezone.now(), again=True)
    hear(edit_of(1, "Исправлено", SAID + 5, 4))
    hear(b.telegram_update(3, at=SAID + 5))  # late: written before the block
    assert is_blocked()
    assert len(lines()) == 1


def test_a_late_block_does_not_silence_a_guest_who_has_written_since(hear):
    hear(b.telegram_update(1, at=SAID + 30))
    hear(membership(2, "kicked", SAID + 10))
    assert not is_blocked()
    assert lines() == []


def test_an_old_unblock_does_not_end_a_newer_block(hear):
    hear(b.telegram_update(1))
    hear(membership(3, "kicked", SAID + 30))
    hear(membership(2, "member", SAID + 20))
    assert is_blocked()


def test_the_block_line_takes_its_number_from_the_locked_session(hear):
    hear(b.telegram_update(1))
    hear(membership(2, "kicked", SAID + 10))
    message = Message.objects.order_by("-pk").first()
    assert (message.seq, message.session.message_count) == (2, 2)


def photo(number, file_id, update_id, *, size=1000, edited_at=None, text=""):
    said = json.loads(b.telegram_update(number))["message"]
    said = {name: value for name, value in said.items() if name != "text"} | ({"caption": text} if text else {})
    said["photo"] = [{"file_id": file_id, "width": 10, "height": 10, "file_size": size}]
    kind, more = ("edited_message", {"edit_date": edited_at}) if edited_at else ("message", {})
    return json.dumps({"update_id": update_id, kind: {**said, **more}}).encode()


def test_a_picture_that_an_edit_puts_in_is_not_lost(hear):
    hear(b.telegram_update(1, text="Вот чек"))
    rows = [
        hear(photo(1, "F1", 2, edited_at=SAID + 5, text="Вот чек")),
        hear(photo(1, "F2", 3, size=2000, edited_at=SAID + 9, text="Вот он")),
    ]
    hear(photo(1, "F2-again", 4, size=2000, edited_at=SAID + 10, text="Вот он!"))
    message = Message.objects.get()
    assert list(message.attachments.order_by("pk").values_list("ref", flat=True)) == ["F1", "F2"]
    assert (message.text, message.versions.count()) == ("Вот он!", 2)
    for row in rows:
        journal.process(row.pk, now=timezone.now(), again=True)
    assert (message.attachments.count(), Message.objects.get().text) == (2, "Вот он!")


def test_a_long_signed_address_of_a_file_is_kept_whole(account, hear):
    hear(b.telegram_update(1))
    address = "https://storage.example/f.jpg?X-Amz-Security-Token=" + "t" * 1800
    item = InboundAttachment(AttachmentKind.IMAGE, address)
    files.keep_all(message=Message.objects.get(), attachments=[item], now=timezone.now())
    assert Attachment.objects.get().ref == address
