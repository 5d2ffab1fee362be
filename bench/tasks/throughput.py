"""The desk's side of a crowd of guests: an operator who is there, sees what comes in and answers a part of it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db.models import Max
from django.utils import timezone

from accounts.models import Staff
from core.refusal import Refusal
from omni.models import Attempt, Message, Session
from omni.services import answering, conversations
from omni.states import Direction, SendState, SessionState

# Of the demo day.
OPERATOR = "operator"
LOOK_SECONDS = 0.1
# A transaction that began earlier may commit later: its number lies behind the newest one.
BEHIND = 400


def desk(*, prefix: str, seconds: float, every: int, there: str) -> dict[str, Any]:
    """Look at what is committed ten times a second; answer every `every`-th message of the guests. Ends after `seconds`; the file `there`
    is made when the first look may begin.

    `seen`: when each marked message was there (this machine's clock, seconds); `answers`: ids of what was answered.
    """
    staff = Staff.objects.get(login=OPERATOR)
    seen: dict[str, float] = {}
    answers: list[int] = []
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    until = time.monotonic() + seconds
    Path(there).touch()
    while time.monotonic() < until:
        looked = time.monotonic()
        found = Message.objects.filter(pk__gt=newest - BEHIND, direction=Direction.IN, text__startswith=prefix)
        for pk, session_id, text in found.order_by("pk").values_list("pk", "session_id", "text"):
            mark = text.split(" ", 1)[0]
            newest = max(newest, pk)
            if mark not in seen:
                seen[mark] = time.time()
                if len(seen) % every == 0:
                    answers += _answer(session_id, mark, staff)
        time.sleep(max(0.0, LOOK_SECONDS - (time.monotonic() - looked)))
    return {"seen": seen, "answers": answers}


def _answer(session_id: int, mark: str, staff: Staff) -> Sequence[int]:
    now = timezone.now()
    try:
        if Session.objects.filter(pk=session_id, state=SessionState.WAITING).exists():
            conversations.take(session_id=session_id, by=staff, now=now)
        return [answering.answer(session_id=session_id, text=f"{mark} Уже смотрим, спасибо", by=staff, now=now).pk]
    except Refusal:
        return []  # closed meanwhile, or in other hands


def doubled(*, prefix: str) -> int:
    """How many messages of the guests are there more than once."""
    texts = Message.objects.filter(direction=Direction.IN, text__startswith=prefix).values_list("text", flat=True)
    return len(texts) - len(set(texts))


def there(*, prefix: str, number: int, seconds: float) -> int:
    """How many marked messages of guests are there once all `number` are, or at the end: who must be asked may be asked late."""
    until = time.monotonic() + seconds
    while True:
        texts = Message.objects.filter(direction=Direction.IN, text__startswith=prefix).values_list("text", flat=True)
        found = len({text.split(" ", 1)[0] for text in texts})
        if found >= number or time.monotonic() > until:
            return found
        time.sleep(2)


def sent(*, ids: list[int]) -> dict[str, Any]:
    """How the answers went out: seconds from the answer to the vendor's yes, and states of those without one."""
    attempts = list(Attempt.objects.filter(message_id__in=ids).values_list("state", "created_at", "finished_at"))
    gone = [(finished - created).total_seconds() for state, created, finished in attempts if finished and state in _GONE]
    return {"delays": gone, "others": sorted(state for state, *_times in attempts if state not in _GONE)}


_GONE = frozenset({SendState.SENT, SendState.DELIVERED, SendState.READ})


def settled(*, ids: list[int], seconds: float) -> list[dict[str, Any]]:
    """What became of each answer once nothing is under way any more, at the latest after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and Attempt.objects.filter(message_id__in=ids, state__in=_UNDER_WAY).exists():
        time.sleep(1)
    found = Message.objects.filter(pk__in=ids).select_related("account")
    return [
        {"text": one.text, "channel": one.account.kind, "sent": one.send_state in _GONE, "marked": one.possibly_delivered} for one in found
    ]


_UNDER_WAY = (SendState.QUEUED, SendState.SENDING)
