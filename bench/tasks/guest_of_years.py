"""A guest who has written for years in many channels, beside guests of an ordinary day: what long feeds are measured on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from accounts.models import Staff
from bench.tasks.desk import signed_in
from customers.models import Guest, Identity
from omni.models import ChannelAccount, Message, Session
from omni.services import conversations
from omni.states import Direction, SendState, SessionState
from tests import builders as b
from worklist.models import Item

CHANNELS = ("webchat", "telegram", "email", "vk", "viber", "whatsapp")
BEGUN = datetime(2019, 5, 6, 9, tzinfo=UTC)
TEXTS = (
    "Здравствуйте! На кассе пробили не ту цену, чек на руках.",
    "Спасибо, проверим и вернёмся с ответом сегодня до вечера.",
    "На полке просроченный творог, дата от прошлой недели, магазин на Лесной, 12. Посмотрите, пожалуйста, и остальное рядом.",
    "Ок",
    "Баллы за покупку не начислили, карта была приложена.",
)


def fill(*, messages: int = 2000, others: int = 200) -> dict[str, Any]:
    """`staff` and `cookie` of the operator, `long` and `short`: the dialogues (ids) of the guest of years and of one with one message."""
    group = b.a_group("bench", "Линия")
    queue = b.a_queue("bench", group)
    staff, cookie = signed_in("bench", groups=[group], role=b.a_role("bench"))
    chat = b.an_account("webchat", queue=queue)
    keys = [_talk(chat, number, staff) for number in range(others)]
    long = _talk(chat, others, staff)
    if messages:
        write_years(session=Session.objects.get(pk=long), by=staff, messages=messages)
    return {
        "staff": staff.pk,
        "cookie": cookie,
        "long": long,
        "short": keys[0],
        "items": [item.subject_id for item in Item.objects.order_by("pk")],
    }


def _talk(chat: ChannelAccount, number: int, staff: Staff) -> int:
    now = timezone.now()
    b.receive(chat, b.webchat_event(f"visitor-{number}", f"Вопрос {number}", name=f"Гость {number}"), now=now)
    session = Session.objects.latest("pk")
    return conversations.take(session_id=session.pk, by=staff, now=now).pk


def write_years(*, session: Session, by: Staff, messages: int) -> None:
    """Older messages of the dialogue's guest in all CHANNELS, in and out in turn, a few days between talks."""
    guest, now = session.guest, timezone.now()
    step = (now - timedelta(days=1) - BEGUN) / messages
    talks = [_closed(guest, kind, session, now) for kind in CHANNELS]
    counts = {talk.pk: Message.objects.filter(session=talk).aggregate(top=Max("seq"))["top"] or 0 for talk in talks}
    rows = []
    for number in range(messages):
        talk = talks[number // 8 % len(talks)]
        counts[talk.pk] += 1
        is_in = number % 2 == 0
        at = BEGUN + step * number
        rows.append(
            Message(
                session=talk,
                account=talk.account,
                guest=guest,
                seq=counts[talk.pk],
                direction=Direction.IN if is_in else Direction.OUT,
                text=f"{TEXTS[number % len(TEXTS)]} ({number + 1})",
                author=None if is_in else by,
                sent_at=at,
                received_at=at,
                send_state=SendState.NONE if is_in else SendState.READ,
            )
        )
    Message.objects.bulk_create(rows, batch_size=500)


def _closed(guest: Guest, kind: str, like: Session, now: datetime) -> Session:
    account = b.an_account(kind, queue=like.queue)
    identity = Identity.objects.create(
        guest=guest, channel=kind, scope=str(account.public_id), external_id=f"years-{guest.pk}", display_name=guest.name, created_at=now
    )
    times = {"opened_at": BEGUN, "last_message_at": BEGUN, "closed_at": BEGUN}
    return Session.objects.create(
        account=account, identity=identity, guest=guest, queue=like.queue, state=SessionState.CLOSED, subject="Давно", **times
    )
