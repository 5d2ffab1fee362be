"""Notices to guests: told once, by consent, outside the guest's night; what may have been taken is never sent again.

`notify` writes a row; a worker claims it, hands it to the vendors and writes down each try. The way: all devices of the guest, then
the telephone (as `channels` say), each by the first account that takes it. Tries go on while the vendor says that it took nothing.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from core.secrets import SecretLost
from core.text import first_line, storable
from customers.models import Guest
from omni.channels.abilities import Tracking
from omni.channels.contract import Failed, Outgoing, Reason, Retry, SendResult, Sent
from omni.channels.phones import without_numbers
from omni.channels.registry import adapter_for
from omni.channels.segments import segments
from omni.models import ChannelAccount, Message, Notice, NoticeAttempt, NoticeMedium
from omni.services import consents, notice_routes, push
from omni.services.notice_rows import ARRIVED, call_up, end, next_question, queue
from omni.states import AccountState, SendState

log = structlog.get_logger(__name__)
# Seconds before try 2, 3, ... by one medium; after the last one the next medium has its turn.
BACK_OFF = (5, 30, 120, 600)
# Longer than a channel's time-outs for every device of a guest: a claim older than this belongs to a process that died.
CLAIM = timedelta(seconds=300)
KEPT = timedelta(hours=24)
MOST_DEVICES = 10
SEEN = (SendState.DELIVERED, SendState.READ)
BY_DEFAULT = (NoticeMedium.PUSH, NoticeMedium.SMS)


def notify(
    *,
    guest: Guest,
    text: str,
    key: str,
    now: datetime,
    title: str = "",
    channels: Sequence[str] = BY_DEFAULT,
    data: Mapping[str, str] | None = None,
    thread: str = "",
    message: Message | None = None,
    urgent: bool = False,
    not_before: datetime | None = None,
    kept: timedelta = KEPT,
) -> Notice:
    """Have the guest told; the row of `key` if it is asked for again. Joins the caller's transaction.

    `channels` are tried in their order (NoticeMedium). `thread` = a device shows the newest only. `message` = called off once the guest
    has this answer. `urgent` = at any hour (a code the guest waits for). After `kept` it is not told any more.
    Raises ValueError: no text, no or unknown channels.
    """
    wanted = [NoticeMedium(channel).value for channel in channels]
    if not text.strip() or not wanted:
        raise ValueError("a notice needs a text and a channel")
    begins = max(now, not_before or now)
    row, is_new = Notice.objects.get_or_create(
        key=storable(key)[:120],
        defaults={
            "guest": guest,
            "title": first_line(storable(title), 120),
            "text": storable(text),
            "data": {name: str(value) for name, value in (data or {}).items()},
            "thread": thread[:64],
            "channels": wanted,
            "message": message,
            "is_urgent": urgent,
            "next_at": begins,
            "expires_at": begins + kept,
            "created_at": now,
        },
    )
    if is_new:
        call_up(row, now=now)
    return row


def cancel(*, key: str, now: datetime) -> bool:
    """Call a notice off that has not begun; False when it is on its way, told or unknown."""
    waiting = Notice.objects.filter(key=key, state=SendState.QUEUED)
    return bool(waiting.update(state=SendState.CANCELLED, finished_at=now))


def send(notice_id: int, *, now: datetime) -> SendState | None:
    """Claim the notice and hand it to whoever can tell it now. None = not due, put off, called off, or another worker has it."""
    attempts = _claim(notice_id, now=now)
    if not attempts:
        return None
    begun = time.monotonic()
    results = [(attempt.pk, _hand_over(attempt)) for attempt in attempts]
    return _finish(notice_id, results, now=now + timedelta(seconds=time.monotonic() - begun))


def _claim(notice_id: int, *, now: datetime) -> list[NoticeAttempt]:
    with transaction.atomic():
        due = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            pk=notice_id, state=SendState.QUEUED, next_at__lte=now
        )
        notice = due.select_related("guest__merged_into", "message__session__identity").first()
        if notice is None or _is_over(notice, now=now):
            return []
        route = _route(notice, now=now)
        if route.not_before:
            notice.next_at = route.not_before
        elif not route.targets:
            end(notice, SendState.FAILED, notice.error_code or "nowhere", now=now)
        else:
            notice.state, notice.claimed_until = SendState.SENDING, now + CLAIM
        notice.save()
        return _begin(notice, route.targets[:MOST_DEVICES], now=now)


def _is_over(notice: Notice, *, now: datetime) -> bool:
    """The guest has the answer already, or it is too late to tell; written down."""
    if notice.message and notice.message.send_state in SEEN:
        end(notice, SendState.CANCELLED, "seen", now=now)
    elif notice.expires_at <= now:
        end(notice, SendState.FAILED, "expired", now=now)
    else:
        return False
    notice.save()
    return True


def _route(notice: Notice, *, now: datetime) -> notice_routes.Route:
    """The first medium from the present one on that leads somewhere, now or later; `notice.step` says which."""
    while notice.step < len(notice.channels):
        route = notice_routes.find(notice, notice.channels[notice.step], now=now)
        if route.targets or route.not_before:
            return route
        notice.error_code = route.reason or notice.error_code
        notice.step, notice.tries = notice.step + 1, 0
    return notice_routes.Route()


def _begin(notice: Notice, targets: Sequence[notice_routes.Target], *, now: datetime) -> list[NoticeAttempt]:
    before = notice.attempts.count()
    medium = notice.channels[notice.step] if targets else ""
    rows = [
        NoticeAttempt(
            notice=notice,
            number=before + number,
            channel=medium,
            account=target.account,
            recipient=target.recipient,
            parts=segments(notice.text).parts if medium == NoticeMedium.SMS else 0,
            created_at=now,
        )
        for number, target in enumerate(targets, start=1)
    ]
    return NoticeAttempt.objects.bulk_create(rows)


def _hand_over(attempt: NoticeAttempt) -> SendResult:
    """What the vendor says; a fault of ours on the way there sends nothing and is said as what it is."""
    account, outgoing = attempt.account, _outgoing(attempt)
    adapter = adapter_for(account.kind)
    try:
        config = account.config()
    except SecretLost as fault:
        return Failed(code="secret_lost", text=str(fault), reason=Reason.ACCOUNT_REFUSED)
    try:
        if isinstance(adapter, Tracking):  # a status may be here before the answer is
            NoticeAttempt.objects.filter(pk=attempt.pk).update(external_ids=[adapter.reference(outgoing, config)])
        return adapter.send(outgoing, config)
    except Exception as fault:  # an adapter's bug must neither stop the round nor look like a dead worker
        log.exception("the channel's adapter failed", attempt_id=attempt.pk)
        return Retry(code="adapter_fault", text=type(fault).__name__, unknown=True)


def _outgoing(attempt: NoticeAttempt) -> Outgoing:
    notice = attempt.notice
    return Outgoing(
        key=str(notice.public_id),
        recipient=attempt.recipient,
        text=notice.text,
        subject=notice.title,
        token=notice.thread,
        automatic=True,
        data=notice.data,
    )


def _finish(notice_id: int, results: Sequence[tuple[int, SendResult]], *, now: datetime) -> SendState:
    """Write down what the vendors said, and what comes of it for the notice."""
    with transaction.atomic():
        notice = Notice.objects.select_for_update().get(pk=notice_id)
        states = [_finish_one(attempt_id, result, now=now) for attempt_id, result in results]
        if notice.state == SendState.SENDING:  # else the claim had run out, or a status has come before
            _settle(notice, states, [result for _attempt, result in results], now=now)
            notice.save()
    return SendState(notice.state)


def _finish_one(attempt_id: int, result: SendResult, *, now: datetime) -> SendState:
    attempt = NoticeAttempt.objects.select_for_update(of=("self",)).select_related("account").get(pk=attempt_id)
    if isinstance(result, Sent):
        attempt.external_ids = list(dict.fromkeys([*attempt.external_ids, *(one[:255] for one in result.external_ids)]))
        attempt.state = SendState.SENT if attempt.state in (SendState.SENDING, SendState.FAILED) else SendState(attempt.state)
        attempt.possibly_delivered = attempt.is_permanent = False
    elif attempt.state == SendState.SENDING:  # a status may have told more than the answer
        attempt.state = SendState.FAILED
        _note_fault(attempt, result, now=now)
    if attempt.possibly_delivered or isinstance(result, Sent):
        attempt.ask_at = next_question(attempt, now=now)
    attempt.finished_at = now
    attempt.save()
    return SendState(attempt.state)


def _note_fault(attempt: NoticeAttempt, result: Retry | Failed, *, now: datetime) -> None:
    attempt.error_code, attempt.error_text = result.code[:64], without_numbers(storable(result.text))[:400]
    account = ChannelAccount.objects.filter(pk=attempt.account_id)
    if isinstance(result, Retry):
        attempt.possibly_delivered = attempt.is_permanent = result.unknown
        if result.whole_account:
            account.update(paused_until=now + timedelta(seconds=result.after if result.after is not None else BACK_OFF[0]))
        return
    attempt.is_permanent = True
    attempt.account_refused = result.reason is Reason.ACCOUNT_REFUSED
    if attempt.account_refused:
        account.exclude(state=AccountState.DISABLED).update(state=AccountState.DEGRADED, state_reason=attempt.error_text[:240])
    elif result.reason is Reason.CONTACT_GONE and attempt.channel == NoticeMedium.PUSH:
        push.drop(account=attempt.account, token=attempt.recipient, now=now)
    elif result.reason is Reason.CONTACT_BLOCKED and attempt.channel == NoticeMedium.SMS:
        consents.withdraw(phone=attempt.recipient, source=f"{attempt.account.kind}: {result.code}", by=None, now=now)


def _settle(notice: Notice, states: Sequence[SendState], results: Sequence[SendResult], *, now: datetime) -> None:
    """Told by one device = told; perhaps told = never again; not told = once more, or the next way."""
    notice.claimed_until = None
    faults = [result for result in results if isinstance(result, Retry)]
    if any(state in ARRIVED for state in states):
        end(notice, max((state for state in states if state in ARRIVED), key=ARRIVED.index), "", now=now)
    elif doubt := next((fault for fault in faults if fault.unknown), None):
        notice.possibly_delivered = True
        end(notice, SendState.FAILED, doubt.code, now=now)
    elif faults:
        _try_again(notice, faults, now=now)
    else:
        last = next((result.code for result in results if isinstance(result, Failed)), "")
        queue(notice, now, code=last, now=now)  # the route leaves out what has failed for good


def _try_again(notice: Notice, faults: Sequence[Retry], *, now: datetime) -> None:
    notice.tries += 1
    if notice.tries > len(BACK_OFF):
        notice.step, notice.tries = notice.step + 1, 0
        queue(notice, now, code=faults[0].code, now=now)
        return
    asked = [fault.after for fault in faults if fault.after is not None]
    wait = min(asked) if asked else BACK_OFF[notice.tries - 1]
    queue(notice, now + timedelta(seconds=wait), code=faults[0].code, now=now)


def find_due(*, now: datetime, limit: int = 500) -> list[int]:
    """Notices whose time has come."""
    due = Notice.objects.filter(state=SendState.QUEUED, next_at__lte=now)
    return list(due.order_by("next_at", "pk").values_list("pk", flat=True)[:limit])


def recover_lost(*, now: datetime, limit: int = 200) -> int:
    """Notices whose worker died between claiming and finishing: what was under way is perhaps told, so it is not told again."""
    lost = list(Notice.objects.filter(state=SendState.SENDING, claimed_until__lt=now).values_list("pk", flat=True)[:limit])
    for notice_id in lost:
        open_ones = NoticeAttempt.objects.filter(notice_id=notice_id, state=SendState.SENDING).values_list("pk", flat=True)
        died = Retry(code="lost", text="the worker died", unknown=True)
        _finish(notice_id, [(attempt_id, died) for attempt_id in open_ones], now=now)
    return len(lost)
