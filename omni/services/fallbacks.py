"""What could not be sent in one channel goes through another one of the same guest: with consent, with the reason, by a person or a rule.

The message is written into the guest's dialogue of that channel. One that is open is joined; else the text is added to the last one,
which stays closed: a notice gives nobody work until the guest answers. The dialogue that waited for the answer is told afterwards, in
a transaction of its own, for two dialogues are never locked at a time in different orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.statements import insert
from customers.models import Identity
from customers.services import identities
from omni import dispatch
from omni.channels.registry import adapter_for
from omni.models import Attachment, ChannelAccount, Fallback, FallbackStep, Message, Session
from omni.services import continuing, conversations, reach, rows, sending, waiting
from omni.states import AccountState, Direction, FallbackState, SendState, SessionState

REACHED = (SendState.SENT, SendState.DELIVERED, SendState.READ)


@dataclass(frozen=True)
class Way:
    """Another channel through which the guest of a failed message may be reached."""

    identity: Identity
    account: ChannelAccount


def list_ways(message: Message, *, now: datetime) -> Sequence[Way]:
    """Other channels of the guest, with consent, in which nothing is known to be in the way; those tried already are left out.

    None when one was taken already: if that one fails too, it is asked for its own ways.
    """
    if Fallback.objects.filter(origin=message, state=FallbackState.SENT).exists():
        return []
    tried = _tried(message)
    agreed = Identity.objects.filter(guest=message.guest_id, consent__withdrawn_at=None, consent__isnull=False, blocked_at=None)
    found = list(agreed.exclude(pk__in=tried).order_by("-pk")[:20])
    by_scope = {str(one.public_id): one for one in ChannelAccount.objects.exclude(state=AccountState.DISABLED).select_related("queue")}
    ways = [Way(identity, by_scope[identity.scope]) for identity in found if identity.scope in by_scope]
    return [way for way in ways if _takes(way, message, now=now)]


def _takes(way: Way, message: Message, *, now: datetime) -> bool:
    """Whether the channel takes this text and these files, and its reply window is open; `send_by` looks again under the locks."""
    can = adapter_for(way.account.kind).capabilities
    files = message.attachments.count()
    fits = not can.notices_only and (can.text_limit is None or len(message.text) <= can.text_limit)
    if not fits or (files and (not can.attachments or files > can.attachments_per_message)):
        return False
    if can.reply_window is None:
        return True
    written = Session.objects.filter(identity=way.identity, account=way.account, last_inbound_at__gt=now - can.reply_window)
    return written.exists()


def _tried(message: Message) -> set[int]:
    """Identities by which this text was sent already: of the message and of those that it stands in for."""
    tried: set[int] = set()
    at: Message | None = message
    while at is not None and at.session.identity_id not in tried:
        tried.add(at.session.identity_id)
        before = Fallback.objects.filter(message=at).select_related("origin__session").first()
        at = before.origin if before else None
    return tried


def send_by(*, message_id: int, identity_id: int, by: Staff | None, now: datetime) -> Message:
    """Send a failed message through another channel of its guest. `by` None = by the queue's rule.

    Raises Refusal: the message has not failed or was sent otherwise meanwhile, no consent, or that channel does not take it.
    """
    with transaction.atomic():
        identity = identities.lock(identity_id)
        origin = _failed_one(message_id)
        way = next((one for one in list_ways(origin, now=now) if one.identity.pk == identity_id), None)
        if way is None:
            raise Refusal("no_way", gettext_lazy("The guest cannot be written to there: no consent, or that channel does not take this."))
        target = _dialogue(way, identity, now=now)
        if refusal := reach.obstacle(target, now=now):
            raise refusal
        made = _write(origin, target, by=by, now=now)
        values = {"message": made, "state": FallbackState.SENT, "by": by, "settled_at": None}
        wish, is_new = Fallback.objects.get_or_create(origin=origin, defaults={**values, "reason": origin.send_error, "at": now})
        if not is_new:
            Fallback.objects.filter(pk=wish.pk).update(**values)
        sending.queue(message=made, not_before=now, now=now)
        details = {"origin": origin.pk, "message": made.pk, "to": way.account.kind, "reason": origin.send_error}
        audit.record(action="message.sent_by_other_channel", by=by, subject=f"session:{origin.session_id}", now=now, details=details)
    _settle(wish.pk, now=now)
    return made


def _failed_one(message_id: int) -> Message:
    found = Message.objects.select_related("session__account", "author").filter(pk=message_id, direction=Direction.OUT).first()
    if found is None:
        raise Refusal("not_found", gettext_lazy("There is no such message, or you may not see it."), status=404)
    # Its row, so that two people cannot send it twice.
    Message.objects.select_for_update(of=("self",), no_key=True).get(pk=message_id)
    found.refresh_from_db(fields=["send_state", "send_error"])
    if found.send_state != SendState.FAILED:
        raise Refusal("not_failed", gettext_lazy("Only a message that was not sent can be sent again."))
    if Fallback.objects.filter(origin=found, state=FallbackState.SENT).exists():
        raise Refusal("sent_otherwise", gettext_lazy("This message was sent through another channel already."))
    return found


def _dialogue(way: Way, identity: Identity, *, now: datetime) -> Session:
    """The identity's newest dialogue, locked; if there is none, a closed one to write into."""
    newest = continuing.newest_of(identity_id=identity.pk, account_id=way.account.pk)
    if newest is not None:
        return conversations.lock(newest)
    times = {"opened_at": now, "closed_at": now, "last_message_at": now}
    facts = {"account": way.account, "identity": identity, "guest": identity.guest, "queue": way.account.queue}
    return insert(Session(**facts, **times, state=SessionState.CLOSED))


def _write(origin: Message, target: Session, *, by: Staff | None, now: datetime) -> Message:
    author = by or origin.author
    made = conversations.add_outgoing(session=target, text=origin.text, by=author, now=now)
    for file in origin.attachments.order_by("pk"):
        Attachment.objects.create(
            message=made,
            kind=file.kind,
            name=file.name,
            mime=file.mime,
            size=file.size,
            sha256=file.sha256,
            path=file.path,
            state=file.state,
        )
    words = _("Sent here because it could not be sent by %(channel)s: %(reason)s")
    told = words % {"channel": origin.session.account.name, "reason": origin.send_error}
    conversations.add_line(session=target, direction=Direction.SYSTEM, text=told[:1000], by=None, now=now)
    target.last_message_at = now
    target.save(update_fields=["last_message_at", "message_count"])
    rows.show(target, now=now, preview=made)
    return made


def run(fallback_id: int, *, now: datetime) -> Message | None:
    """Look for the next channel of the queue's rule and send through it; None = there is none, or somebody was quicker."""
    wish = Fallback.objects.select_related("origin__session").filter(pk=fallback_id, state=FallbackState.DUE).first()
    if wish is None:
        return None
    steps = FallbackStep.objects.filter(queue=wish.origin.session.queue_id).order_by("position", "pk").values_list("channel", flat=True)
    ways = list_ways(wish.origin, now=now)
    for channel in steps:
        for way in (one for one in ways if one.account.kind == channel):
            try:
                return send_by(message_id=wish.origin_id, identity_id=way.identity.pk, by=None, now=now)
            except Refusal:
                continue
    Fallback.objects.filter(pk=wish.pk, state=FallbackState.DUE).update(state=FallbackState.NONE, settled_at=now)
    return None


def _settle(fallback_id: int, *, now: datetime) -> None:
    """Tell the dialogue that waited: its answer is written (nobody waits), sent (the promise is kept), or failed again (it waits)."""
    with transaction.atomic():
        wish = Fallback.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=fallback_id, settled_at=None).first()
        if wish is None or wish.message is None:
            return
        session = conversations.lock(wish.origin.session_id)
        second = wish.message
        later = session.messages.filter(direction=Direction.IN, seq__gt=wish.origin.seq).exists()
        if second.send_state in REACHED:
            if not later and session.waiting_since:
                waiting.stop(session, wish.origin, now=now)
            waiting.keep_promise(session, wish.origin, now=now)
        elif second.send_state == SendState.FAILED:
            waiting.again(session, wish.origin, now=now)
        else:  # on its way
            if not later and session.waiting_since:
                waiting.stop(session, wish.origin, now=now)
            return
        Fallback.objects.filter(pk=wish.pk).update(settled_at=now)


def sweep(*, now: datetime, limit: int = 200) -> None:
    """Find the wishes whose call was lost, and tell the dialogues whose second message has been sent or has failed."""
    open_ones = Fallback.objects.filter(settled_at=None)
    for fallback_id in list(open_ones.filter(state=FallbackState.DUE).order_by("pk").values_list("pk", flat=True)[:limit]):
        dispatch.after_commit("omni.tasks.fall_back", expires=60, fallback_id=fallback_id)
    ended = open_ones.filter(state=FallbackState.SENT, message__send_state__in=[*REACHED, SendState.FAILED])
    for fallback_id in list(ended.order_by("pk").values_list("pk", flat=True)[:limit]):
        _settle(fallback_id, now=now)
