"""A shift's events for one operator's screen, published as the product does."""

import time
from typing import Any

from django.utils import timezone

from core.live import announce, staff_topic
from omni.models import ChannelAccount
from tests import builders as b
from worklist.models import Item
from worklist.services.items import row

# Of so many events one is a guest's real message in the dialogue that is open; the others are changes of the list's rows.
MESSAGE_EVERY = 20


def publish(*, staff: int, number: int, first: int, rate: float = 0.0, visitor: str = "", spread: int = 200) -> dict[str, float]:
    """`number` events, numbered from `first`; `rate` a second, 0 = as fast as they go. `visitor` writes every MESSAGE_EVERY-th.

    After them the first row's preview tells that all are through. `seconds` it took.
    """
    rows = [row(item) for item in Item.objects.order_by("pk")[:spread]]
    chat = ChannelAccount.objects.filter(kind="webchat").order_by("pk")[0]
    begun = time.perf_counter()
    for step in range(number):
        if rate:
            time.sleep(max(0.0, begun + step / rate - time.perf_counter()))
        _one(staff, rows, chat, first + step, visitor=visitor if step % MESSAGE_EVERY == 0 else "")
    end = first + number
    announce(kind="item", payload={**rows[0], "version": 1_000_000 + end, "preview": f"до {end}"}, topics=[staff_topic(staff)])
    return {"seconds": time.perf_counter() - begun}


def _one(staff: int, rows: list[dict[str, Any]], chat: ChannelAccount, number: int, *, visitor: str) -> None:
    if visitor:
        b.receive(chat, b.webchat_event(visitor, f"Сообщение {number}"), now=timezone.now())
        return
    changed = {**rows[number % len(rows)], "version": 1_000_000 + number, "preview": f"событие {number}", "unread": number % 7}
    announce(kind="item", payload=changed, topics=[staff_topic(staff)])
