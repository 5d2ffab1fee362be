"""Sends: claimed, handed to the channel, finished; each try a row. A killed worker's claim runs out and is tried again."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from core import events
from core.live import announce
from core.refusal import Refusal
from core.secrets import SecretLost
from core.statements import Among, Prepared, Written, insert, update
from customers.services import identities
from omni import dispatch
from omni.channels.contract import Failed, Reason, Retry, SendResult, Sent
from omni.channels.registry import adapter_for
from omni.events import SendFailed
from omni.models import Attempt, ChannelAccount, EarlyStatus, Message, Session
from omni.services import conversations, failures, outgoing, pacing, waiting, webchat
from omni.states import SEND_MOVES, AccountState, SendState

log = structlog.get_logger(__name__)
# Seconds before try 2, 3, ...; after the last one the message has failed and the author is told.
BACK_OFF = (1, 4, 15, 60, 300)
# Longer than any channel's own time-outs: a claim older than this belongs to a process that died.
CLAIM = timedelta(seconds=180)
CLAIM_PER_FILE = timedelta(seconds=150)
UNDER_WAY = (SendState.QUEUED, SendState.SENDING)
# However often it was tried: so long after the first try it is given up. No provider's word lets an account rest for longer.
LONGEST = timedelta(hours=24)
# Where the provider tells the fate of a send under our own key: its word is waited for before an unanswered send is repeated.
TOLD = timedelta(seconds=20)
# How long a status waits for its message.
EARLY_KEPT = timedelta(days=7)
# Statuses that crossed the commit of their message's id are looked at again once, when both must be there.
CROSSED_AFTER, CROSSED_UNTIL = timedelta(seconds=2), timedelta(minutes=5)
READING = timedelta(seconds=1)
READ_AT_ONCE = 200
# Seconds: a send that is due later is left to the sweep.
SOON = 60


def queue(*, message: Message, not_before: datetime, now: datetime, number: int = 1, tries: int = 1) -> Attempt:
    """The row of the next try; the worker is called after commit, the sweep finds it otherwise. `tries` counts since a person's wish."""
    place = {"session_id": message.session_id, "account_id": message.account_id}
    attempt = insert(Attempt(message=message, number=number, tries=tries, next_at=not_before, created_at=now, **place))
    # The row is the timer; the delayed call only spares the wait for the next sweep.
    wait = (not_before - now).total_seconds()
    if wait <= SOON:
        dispatch.after_commit("omni.tasks.send_attempt", delay=max(0.0, wait), attempt_id=attempt.pk)
    return attempt


def cancel(*, message: Message) -> bool:
    """Take the queued attempt back; False when it is on its way or gone."""
    taken = Attempt.objects.filter(message=message, state=SendState.QUEUED).update(state=SendState.CANCELLED)
    if taken:
        _show(message, SendState.CANCELLED)
    return bool(taken)


def requeue(*, message: Message, now: datetime) -> Attempt:
    """A new attempt for a failed message. Raises Refusal when it did not fail."""
    last = message.attempts.order_by("-number").first()
    if message.send_state != SendState.FAILED or last is None or last.state in UNDER_WAY:
        raise Refusal("not_failed", _("Only a message that was not sent can be sent again."))
    failures.forget(message)
    _show(message, SendState.QUEUED)
    return queue(message=message, not_before=now, now=now, number=last.number + 1)


def send(attempt_id: int, *, now: datetime) -> SendState | None:
    """Claim the attempt and hand its message to the channel. None = not due, not its turn, or another worker has it."""
    attempt = _claim(attempt_id, now=now)
    if attempt is None:
        return None
    return finish(attempt_id=attempt.pk, result=_hand_over(attempt), now=timezone.now())


def _hand_over(attempt: Attempt) -> SendResult:
    """What the channel says; a fault of ours on the way there sends nothing and is said as what it is."""
    account = attempt.account
    try:
        ready, config = outgoing.build(attempt), account.config()
    except SecretLost as fault:
        return Failed(code="secret_lost", text=str(fault), reason=Reason.ACCOUNT_REFUSED)
    except FileNotFoundError as fault:
        return Failed(code="file_lost", text=str(fault))
    try:
        return adapter_for(account.kind).send(ready, config)
    except Exception as fault:  # an adapter's bug must neither stop the round nor look like a dead worker
        log.exception("the channel's adapter failed", attempt_id=attempt.pk)
        return Retry(code="adapter_fault", text=type(fault).__name__, unknown=True)


_DUE = Prepared(
    lambda pk, now: (
        Attempt.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("account", "message__session__identity")
        .filter(pk=pk, state=SendState.QUEUED, next_at__lte=now)
    )
)


def _claim(attempt_id: int, *, now: datetime) -> Attempt | None:
    with transaction.atomic():
        attempt = _DUE.first(pk=attempt_id, now=now)
        if attempt is None or _must_wait(attempt, now=now) or _keep_pace(attempt, now=now):
            return None
        files = len(outgoing.files_of(attempt.message_id))
        attempt.state, attempt.claimed_until = SendState.SENDING, now + CLAIM + files * CLAIM_PER_FILE
        update(attempt, "state", "claimed_until")
        return attempt


_EARLIER = Prepared(
    lambda session, message: (
        Attempt.objects.filter(session_id=session, message_id__lt=message, state__in=UNDER_WAY).values_list("pk", flat=True)[:1]
    )
)


def _must_wait(attempt: Attempt, *, now: datetime) -> bool:
    """An earlier message of the session is still under way, or the account pauses."""
    account = attempt.account
    if account.state == AccountState.DISABLED or (account.paused_until and account.paused_until > now):
        return True
    return _EARLIER.first(session=attempt.session_id, message=attempt.message_id) is not None


def _keep_pace(attempt: Attempt, *, now: datetime) -> bool:
    """Put the attempt off when the provider's limits leave no room for it yet. Whether it was."""
    wait = pacing.wait_for(attempt)
    if wait > 0:
        attempt.next_at = now + timedelta(seconds=wait)
        attempt.save(update_fields=["next_at"])
        if wait <= SOON:
            dispatch.after_commit("omni.tasks.send_attempt", delay=wait, attempt_id=attempt.pk)
    return wait > 0


def finish(*, attempt_id: int, result: SendResult, now: datetime) -> SendState:
    """Write down what the channel said; a temporary fault queues the next try, the session's next message is called up."""
    with transaction.atomic():
        blocked = isinstance(result, Failed) and result.reason is Reason.CONTACT_BLOCKED
        session, attempt = _lock(attempt_id, identity_too=blocked)
        if attempt.state != SendState.SENDING:  # the claim had run out and somebody else has settled it
            return _late(session, attempt, result, now=now)
        if isinstance(result, Sent):
            _sent(session, attempt, result, now=now)
        elif isinstance(result, Retry):
            _retry(session, attempt, result, now=now)
        else:
            _failed(session, attempt, result, now=now)
        attempt.finished_at = now
        update(attempt, *_OUTCOME)
        _call_next(attempt)
    return SendState(attempt.state)


_OUTCOME = ("state", "external_ids", "error_code", "error_text", "is_permanent", "possibly_delivered", "finished_at")
_PLACE = Prepared(lambda pk: Attempt.objects.filter(pk=pk).values_list("session_id", "session__identity_id"))
_LOCKED = Prepared(lambda pk: Attempt.objects.select_for_update(of=("self",)).select_related("account", "message").filter(pk=pk))


def _lock(attempt_id: int, *, identity_too: bool = False) -> tuple[Session, Attempt]:
    """The attempt and its session, both locked; the session first, and before it the identity if that will change, as everywhere."""
    session_id, identity_id = _PLACE.get(pk=attempt_id)
    if identity_too:
        identities.lock(identity_id)
    session = conversations.lock(session_id)
    return session, _LOCKED.get(pk=attempt_id)


def _late(session: Session, attempt: Attempt, result: SendResult, *, now: datetime) -> SendState:
    """An outcome after the claim had run out: what was sent is sent, so the next try is called off if it has not begun."""
    if isinstance(result, Sent) and attempt.state == SendState.FAILED:
        _sent(session, attempt, result, now=now)
        attempt.finished_at = now
        update(attempt, *_OUTCOME)
        Attempt.objects.filter(message_id=attempt.message_id, number__gt=attempt.number, state=SendState.QUEUED).update(
            state=SendState.CANCELLED
        )
        _call_next(attempt)
    return SendState(attempt.state)


def _sent(session: Session, attempt: Attempt, result: Sent, *, now: datetime) -> None:
    message = attempt.message
    attempt.state, attempt.external_ids = SendState(result.state.value), list(result.external_ids)
    if result.external_ids and not message.external_id:
        message.external_id = result.external_ids[0][:255]
        update(message, "external_id")
    _show(message, SendState(result.state.value))
    waiting.keep_promise(session, message, now=now)
    webchat.wake(session)  # what the visitor has on the screen already counts as delivered from now on
    # Statuses that overtook this commit have been waiting.
    early = _EARLY.all(account=attempt.account_id, ids=attempt.external_ids)
    for status in early:
        if status.state == SendState.FAILED and attempt.state != SendState.READ:
            _fall_through(session, attempt, status.error, now=now)
        elif status.state in SEND_MOVES[attempt.state]:
            attempt.state = SendState(status.state)
            _show(message, SendState(status.state), error=status.error)
    if early:
        EarlyStatus.objects.filter(pk__in=[status.pk for status in early]).delete()


_EARLY = Prepared(lambda account, ids: EarlyStatus.objects.filter(Among("external_id", ids), account_id=account).order_by("at"))


def _retry(session: Session, attempt: Attempt, result: Retry, *, now: datetime) -> None:
    _note_fault(attempt, result.code, result.text)
    attempt.external_ids = [*attempt.external_ids, *(ref for ref in result.sent if ref not in attempt.external_ids)]
    can = adapter_for(attempt.account.kind).capabilities
    # A provider that knows a repeat by its key cannot have it twice.
    doubtful = result.unknown and not can.idempotent_send
    attempt.possibly_delivered = doubtful
    if doubtful:
        Message.objects.filter(pk=attempt.message_id).update(possibly_delivered=True)
    last_try = attempt.tries > len(BACK_OFF)
    asked = result.after if result.after is not None else BACK_OFF[min(attempt.tries, len(BACK_OFF)) - 1]
    wait = timedelta(seconds=min(asked, LONGEST.total_seconds()))
    if doubtful and can.tells_our_key:
        wait = max(wait, TOLD)
    if result.whole_account and not last_try:
        ChannelAccount.objects.filter(pk=attempt.account_id).update(paused_until=now + wait)
    if last_try or now + wait > _first_tried(attempt, now=now) + LONGEST:
        _give_up(session, attempt, Failed(code="gave_up", text=result.text, reason=Reason.GAVE_UP), now=now)
        return
    attempt.state = SendState.FAILED
    attempt.save(update_fields=["state"])
    queue(message=attempt.message, not_before=now + wait, now=now, number=attempt.number + 1, tries=attempt.tries + 1)


def _first_tried(attempt: Attempt, *, now: datetime) -> datetime:
    """When the first of the tries since a person's wish had ended."""
    round_of = Attempt.objects.filter(message=attempt.message_id, number__gt=attempt.number - attempt.tries, finished_at__isnull=False)
    return round_of.order_by("number").values_list("finished_at", flat=True).first() or now


def _failed(session: Session, attempt: Attempt, result: Failed, *, now: datetime) -> None:
    _note_fault(attempt, result.code, result.text)
    attempt.external_ids = [*attempt.external_ids, *(ref for ref in result.sent if ref not in attempt.external_ids)]
    if result.reason is Reason.ACCOUNT_REFUSED:
        ChannelAccount.objects.filter(pk=attempt.account_id).update(state=AccountState.DEGRADED, state_reason=result.text[:240])
    if result.reason is Reason.CONTACT_BLOCKED:
        identities.mark_blocked(identity=session.identity, at=now)
    _give_up(session, attempt, result, now=now)


def _give_up(session: Session, attempt: Attempt, result: Failed, *, now: datetime) -> None:
    attempt.state, attempt.is_permanent = SendState.FAILED, True
    _show(attempt.message, SendState.FAILED, error=in_words(result))
    waiting.again(session, attempt.message, now=now)
    failures.note(session=session, message=attempt.message, now=now)
    events.publish(SendFailed(message_id=attempt.message_id, author_id=attempt.message.author_id))


def in_words(result: Failed) -> str:
    """Why the message was not sent, for the operator."""
    words = {
        Reason.REJECTED: _("The channel refused the message: %(text)s"),
        Reason.TOO_LONG: _("The text is too long for this channel."),
        Reason.CONTACT_BLOCKED: _("The guest has blocked us in this channel."),
        Reason.CONTACT_GONE: _("The guest no longer exists in this channel."),
        Reason.WINDOW_CLOSED: _("The reply window of this channel is over."),
        Reason.ACCOUNT_REFUSED: _("The channel no longer accepts our account."),
        Reason.GAVE_UP: _("The channel did not answer for too long."),
    }
    return words[result.reason].replace("%(text)s", result.text)[:240]


def _note_fault(attempt: Attempt, code: str, text: str) -> None:
    attempt.error_code, attempt.error_text = code[:64], text[:400]


def _call_next(attempt: Attempt) -> None:
    """The session's next queued message may go now."""
    following = _FOLLOWING.first(session=attempt.session_id, now=timezone.now())
    if following is not None:
        dispatch.after_commit("omni.tasks.send_attempt", attempt_id=following)


_FOLLOWING = Prepared(
    lambda session, now: (
        Attempt.objects.filter(session_id=session, state=SendState.QUEUED, next_at__lte=now)
        .order_by("message_id")
        .values_list("pk", flat=True)[:1]
    )
)


def forget_early(*, now: datetime) -> int:
    """Remove statuses of messages that never became ours: a vendor tells a send's fate within days. How many."""
    return EarlyStatus.objects.filter(at__lt=now - EARLY_KEPT).delete()[0]


def apply_status(*, account: ChannelAccount, external_id: str, state: str, error: str, now: datetime, our_key: str = "") -> None:
    """A provider's word on our message. Never backwards; one that we do not know yet waits.

    `our_key` = what we called the message, where the provider says it: then it is known whether a send without an answer was taken.
    """
    found = _attempt_of(account.pk, external_id)
    if found is None:
        EarlyStatus.objects.create(account=account, external_id=external_id[:255], state=state, error=error[:240], at=now)
        if our_key and state != SendState.FAILED:
            _recognise(account, our_key, external_id[:255], now=now)
        return
    session, attempt = _lock(found)
    if attempt.state == SendState.FAILED and attempt.message.attempts.filter(state__in=UNDER_WAY).exists():
        # Of a part that got through; the whole goes on by another try, which takes its news over.
        EarlyStatus.objects.create(account=account, external_id=external_id[:255], state=state, error=error[:240], at=now)
    elif state == SendState.FAILED and attempt.state not in (SendState.READ, SendState.FAILED):
        _fall_through(session, attempt, error, now=now)
    elif state in SEND_MOVES[attempt.state]:
        attempt.state, attempt.error_text = SendState(state), error[:400]
        _show(attempt.message, SendState(state), error=error)
    else:
        return
    update(attempt, "state", "error_text", "is_permanent")


def _fall_through(session: Session, attempt: Attempt, error: str, *, now: datetime) -> None:
    """What the provider had taken has not arrived. The row is not saved."""
    attempt.state, attempt.error_text, attempt.is_permanent = SendState.FAILED, error[:400], True
    _show(attempt.message, SendState.FAILED, error=error)
    waiting.again(session, attempt.message, now=now)
    failures.note(session=session, message=attempt.message, now=now)
    events.publish(SendFailed(message_id=attempt.message_id, author_id=attempt.message.author_id))


def _attempt_of(account_id: int, external_id: str) -> int | None:
    return max((pk for (pk,) in _NAMED_BY_VENDOR.rows(account=account_id, name=external_id)), default=None)


# Without order and limit: for the sake of those the server might walk all attempts from the newest on.
_NAMED_BY_VENDOR = Written(
    "select id from omni_attempt where account_id = %(account)s and external_ids @> array[%(name)s]::varchar(255)[]", about="omni_attempt"
)


def _recognise(account: ChannelAccount, our_key: str, external_id: str, *, now: datetime) -> None:
    """The provider has taken a send whose answer never came: it gets its id, so the next try does not send it again.

    Not once the next try has begun: then nobody can tell whose id this is.
    """
    tries = Attempt.objects.filter(account=account, message__public_id=our_key)
    doubtful = tries.filter(state=SendState.FAILED, possibly_delivered=True).order_by("-number").values_list("pk", flat=True).first()
    if doubtful is None:
        return
    session, attempt = _lock(doubtful)
    later = tries.filter(number__gt=attempt.number)
    if not attempt.possibly_delivered or later.exclude(state__in=[SendState.QUEUED, SendState.CANCELLED]).exists():
        return
    attempt.external_ids, attempt.possibly_delivered = [*attempt.external_ids, external_id], False
    attempt.save(update_fields=["external_ids", "possibly_delivered"])
    message = attempt.message
    message.possibly_delivered = tries.filter(possibly_delivered=True).exists()
    message.save(update_fields=["possibly_delivered"])
    following = later.filter(state=SendState.QUEUED).values_list("pk", flat=True).first()
    if following is not None:
        Attempt.objects.filter(pk=following).update(next_at=now)
        dispatch.after_commit("omni.tasks.send_attempt", attempt_id=following)
    elif message.send_state == SendState.FAILED and not message.attachments.exists():  # given up; a text alone is one send
        _late(session, attempt, Sent(tuple(attempt.external_ids)), now=now)


def settle_early(*, now: datetime, limit: int = 200) -> int:
    """Statuses that crossed the commit of their message's id, so that neither saw the other; how many were applied."""
    known = Attempt.objects.filter(account=OuterRef("account"), external_ids__contains=[OuterRef("external_id")])
    crossed = EarlyStatus.objects.filter(Exists(known), at__gt=now - CROSSED_UNTIL, at__lte=now - CROSSED_AFTER)
    return sum(_settle_early(pk, now=now) for pk in list(crossed.order_by("at", "pk").values_list("pk", flat=True)[:limit]))


@transaction.atomic
def _settle_early(early_id: int, *, now: datetime) -> int:
    early = EarlyStatus.objects.select_for_update(of=("self",), skip_locked=True).select_related("account").filter(pk=early_id).first()
    if early is None or _attempt_of(early.account_id, early.external_id) is None:
        return 0
    early.delete()
    apply_status(account=early.account, external_id=early.external_id, state=early.state, error=early.error, now=now)
    return 1


def apply_reading(*, account: ChannelAccount, guest_external_id: str, until: datetime) -> int:
    """The guest has read all that the channel had taken from us for him until then; how many messages that is.

    The provider's clock and ours differ a little, so what we know as sent a moment later counts as well.
    """
    taken = Attempt.objects.filter(account=account, session__identity__external_id=guest_external_id, finished_at__lte=until + READING)
    unread = taken.filter(session__identity__scope=str(account.public_id), state__in=[SendState.SENT, SendState.DELIVERED])
    found = list(unread.order_by("-pk").values_list("pk", flat=True)[:READ_AT_ONCE])
    for attempt_id in reversed(found):
        _session, attempt = _lock(attempt_id)
        if SendState.READ in SEND_MOVES[attempt.state]:
            attempt.state = SendState.READ
            attempt.save(update_fields=["state"])
            _show(attempt.message, SendState.READ)
    return len(found)


def _show(message: Message, state: SendState, *, error: str = "") -> None:
    message.send_state, message.send_error = state, error[:240]
    update(message, "send_state", "send_error")
    announce(
        kind="send_state",
        payload={"message_id": message.pk, "guest_id": message.guest_id, "state": state.value, "error": error[:240]},
        topics=[f"guest:{message.guest_id}"],
    )


def find_due(*, now: datetime, limit: int = 500) -> list[int]:
    """Attempts whose time has come, in the order of their messages."""
    due = Attempt.objects.filter(state=SendState.QUEUED, next_at__lte=now).exclude(account__state=AccountState.DISABLED)
    due = due.exclude(account__paused_until__gt=now)
    return list(due.order_by("next_at", "pk").values_list("pk", flat=True)[:limit])


def recover_lost(*, now: datetime, limit: int = 200) -> int:
    """Attempts whose worker died between claiming and finishing: the outcome is unknown, so the next try is marked so."""
    lost = list(Attempt.objects.filter(state=SendState.SENDING, claimed_until__lt=now).values_list("pk", "account__kind")[:limit])
    for attempt_id, kind in lost:
        safe = adapter_for(kind).capabilities.idempotent_send
        finish(attempt_id=attempt_id, result=Retry(code="lost", text="the worker died", after=0, unknown=not safe), now=now)
    return len(lost)
