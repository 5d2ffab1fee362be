"""What one inbound item does: a message joins or opens a session, an edit changes a message, a status moves a send."""

from datetime import datetime

import structlog
from django.utils.translation import gettext as _

from core.live import announce
from core.statements import Prepared
from core.text import storable
from customers.models import Identity
from customers.services import identities
from omni import readers
from omni.channels.contract import DeliveryState, Inbound, InboundAttachment, InboundKind
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount, Message, MessageVersion, Session
from omni.services import (
    bounces,
    calls,
    continuing,
    conversations,
    files,
    naming,
    notice_statuses,
    outside,
    sending,
    session_facts,
    templates,
    threads,
)
from omni.states import Direction, SessionState

log = structlog.get_logger(__name__)
_MESSAGES = frozenset({InboundKind.MESSAGE, InboundKind.AUTO_REPLY})


def apply(*, account: ChannelAccount, item: Inbound, now: datetime) -> Message | None:
    """Apply one item inside the caller's transaction; None when it makes or changes no message. Repeats change nothing."""
    if item.kind in _MESSAGES:
        return _message(account, item, now=now)
    if item.kind is InboundKind.EDIT:
        return _edit(account, item, now=now)
    if item.kind is InboundKind.DELETE:
        return _delete(account, item, now=now)
    if item.kind is InboundKind.OUTSIDE:
        return _outside(account, item, now=now)
    if item.kind is InboundKind.STATUS and item.state:
        _status(account, item, state=item.state, now=now)
    elif item.kind is InboundKind.CALL and item.call:
        return calls.apply(account=account, step=item.call, name=item.guest_name, now=now)
    elif item.kind is InboundKind.READ_UNTIL:
        sending.apply_reading(account=account, guest_external_id=item.guest_external_id, until=item.sent_at)
    elif item.kind is InboundKind.MOVED:
        return _moved(account, item, now=now)
    elif item.kind is InboundKind.TEMPLATE:
        templates.apply(account=account, item=item, now=now)
    elif item.kind is InboundKind.BOUNCE:
        return bounces.apply(account=account, item=item, now=now)
    elif item.kind in {InboundKind.BLOCKED, InboundKind.UNBLOCKED}:
        _block(account, item, now=now)
    return None


def _outside(account: ChannelAccount, item: Inbound, *, now: datetime) -> Message | None:
    # Nobody is made known by an answer of ours.
    identity = identities.lock_known(scope=str(account.public_id), external_id=item.guest_external_id)
    if identity is None:
        return None
    return _known(account, item.external_id) or outside.keep(account=account, identity=identity, item=item, now=now)


def _status(account: ChannelAccount, item: Inbound, *, state: DeliveryState, now: datetime) -> None:
    """Of a notice where nobody can write to us, else of an answer."""
    notices_only = adapter_for(account.kind).capabilities.notices_only
    if notices_only:
        notice_statuses.apply(account=account, external_id=item.external_id, state=state.value, error=item.error, now=now)
        return
    ours = str(item.extra.get("our_key") or "")
    sending.apply_status(account=account, external_id=item.external_id, state=state.value, error=item.error, our_key=ours, now=now)


_KNOWN = Prepared(
    lambda account, external_id: Message.objects.filter(account_id=account, external_id=external_id)
    .exclude(external_id="")
    .select_related("session")
)


def _known(account: ChannelAccount, external_id: str) -> Message | None:
    if not external_id:
        return None
    return _KNOWN.first(account=account.pk, external_id=storable(external_id)[:255])


def identity_of(account: ChannelAccount, item: Inbound, *, now: datetime) -> Identity:
    return identities.recognise(
        channel=account.kind,
        scope=str(account.public_id),
        external_id=item.guest_external_id,
        name=item.guest_name,
        address=item.conversation or item.guest_external_id,
        phone=item.phone,
        email=item.email,
        signed=item.signed,
        now=now,
    )


def _message(account: ChannelAccount, item: Inbound, *, now: datetime) -> Message | None:
    identity = identity_of(account, item, now=now)
    # Asked under the identity's lock: of equal events in parallel the second finds the first one's message.
    if known := _known(account, item.external_id):
        return known
    automatic = item.kind is InboundKind.AUTO_REPLY
    reading = _reading(account, identity, item, now=now)
    answered_in = reading.session if reading else None
    session = answered_in or threads.find(account=account, identity=identity, item=item)
    if session is None and automatic:
        log.info("machine mail without a conversation is kept in the journal only", account=account.pk)
        return None
    if session is None or (session.state == SessionState.CLOSED and not automatic and not answered_in):
        subject = str(item.extra.get("bare_subject") or item.subject)
        session = conversations.join_or_open(account=account, identity=identity, subject=subject, now=now)
    message = conversations.add_inbound(session=session, item=item, now=now, heard=not answered_in)
    naming.ask_for(identity, account)
    files.keep_all(message=message, attachments=item.attachments, now=now)
    if form := str(item.extra.get("form") or ""):
        key = f"{item.external_id}:form"
        conversations.add_line(session=session, direction=Direction.SYSTEM, text=form, by=None, now=now, external_id=key)
    if facts := item.extra.get("facts"):
        session_facts.keep(session=session, facts=facts, now=now)
    if not automatic and identity.blocked_at and identity.blocked_at <= item.sent_at:
        _change_block(session, identity, item, blocked=False, now=now)
    if reading is not None:
        reading.keep(message)
    return message


def _reading(account: ChannelAccount, identity: Identity, item: Inbound, *, now: datetime) -> readers.Reading | None:
    """What the message answers, if we have asked the guest something; words with files are a message like any other."""
    if item.kind is InboundKind.AUTO_REPLY or item.attachments:
        return None
    return readers.read(identity=identity, account=account, text=item.visible_text or item.text, now=now)


def _edit(account: ChannelAccount, item: Inbound, *, now: datetime) -> Message | None:
    # The identity's lock first: the original may be in another process that has not committed it yet.
    identity_of(account, item, now=now)
    at = item.edited_at or item.sent_at
    message = _known(account, item.external_id)
    if message is None:  # the original never reached us: the edit is all there is
        made = _message(account, item, now=now)
        Message.objects.filter(pk=made.pk).update(edited_at=at) if made else None
        return made
    text, fresh = storable(item.text), _new_files(message, item)
    if (message.text == text and not fresh) or _is_outdated(message, text, at):
        return message
    if message.text != text:
        MessageVersion.objects.create(message=message, text=message.text, replaced_at=now)
    files.keep_all(message=message, attachments=fresh, now=now)
    message.text, message.visible_text, message.edited_at = text, storable(item.visible_text), at
    message.save(update_fields=["text", "visible_text", "edited_at"])
    _tell(message)
    return message


def _new_files(message: Message, item: Inbound) -> list[InboundAttachment]:
    """Files that an edit has put in; what it has put them in place of stays, as its words do.

    Addresses of the same file differ in what signs them, ids of some providers from event to event: then the size tells.
    """
    known = list(message.attachments.values_list("kind", "ref", "size"))
    places, sizes = {ref.partition("?")[0] for _kind, ref, _size in known}, {(kind, size) for kind, _ref, size in known if size}
    files_of_it = [one for one in item.attachments if one.kind not in files.NO_FILE]
    return [one for one in files_of_it if storable(one.ref).partition("?")[0] not in places and (one.kind.value, one.size) not in sizes]


def _is_outdated(message: Message, text: str, at: datetime) -> bool:
    """Whether a newer version is there already. Providers count whole seconds, so equal times are told apart by what was replaced."""
    if message.edited_at is None or message.edited_at < at:
        return False
    return message.edited_at > at or message.versions.filter(text=text).exists()


def _delete(account: ChannelAccount, item: Inbound, *, now: datetime) -> Message | None:
    # As an edit: the original may be in another process that has not committed it yet.
    if item.guest_external_id:
        identities.lock_known(scope=str(account.public_id), external_id=item.guest_external_id)
    message = _known(account, item.external_id)
    if message is not None and message.deleted_at is None:
        message.deleted_at = now
        message.save(update_fields=["deleted_at"])
        _tell(message)
    return message


def _tell(message: Message) -> None:
    session = message.session
    announce(kind="message_changed", payload={"message_id": message.pk, "guest_id": session.guest_id}, topics=[f"guest:{session.guest_id}"])


def _moved(account: ChannelAccount, item: Inbound, *, now: datetime) -> Message | None:
    """The guest's dialogues go on under the new number; a line in the last one says so."""
    scope, goes_on_as = str(account.public_id), str(item.extra.get("moved_to") or "")
    identity = identities.move(
        scope=scope, external_id=item.guest_external_id, to=goes_on_as, address=item.conversation, phone=item.phone, now=now
    )
    if identity is None:
        return None
    if known := _known(account, item.external_id):
        return known
    newest = continuing.newest_of(identity_id=identity.pk, account_id=account.pk)
    if newest is None:
        return None
    session = conversations.lock(newest)
    return conversations.add_line(
        session=session, direction=Direction.SYSTEM, text=item.text, by=None, now=now, external_id=item.external_id
    )


def _block(account: ChannelAccount, item: Inbound, *, now: datetime) -> None:
    identity = identity_of(account, item, now=now)
    blocked = item.kind is InboundKind.BLOCKED
    if _is_past(account, identity, item):
        return
    if blocked == bool(identity.blocked_at):
        if not blocked:  # it has overtaken its block, which will come and must find it over
            identities.mark_blocked(identity=identity, at=None, since=item.sent_at)
        return
    session = Session.objects.filter(identity=identity, account=account).order_by("-opened_at", "-pk").first()
    _change_block(conversations.lock(session.pk) if session else None, identity, item, blocked=blocked, now=now)


def _is_past(account: ChannelAccount, identity: Identity, item: Inbound) -> bool:
    """Whether the event is replayed or late: its line is there, a later block or unblock was seen, or the guest has written after it."""
    if _known(account, _line_key(item)) or (identity.blocked_at and identity.blocked_at > item.sent_at):
        return True
    if item.kind is InboundKind.BLOCKED and identity.unblocked_at and identity.unblocked_at >= item.sent_at:
        return True
    written = Message.objects.filter(session__identity=identity, direction=Direction.IN, is_automatic=False, sent_at__gt=item.sent_at)
    return item.kind is InboundKind.BLOCKED and written.exists()


def _change_block(session: Session | None, identity: Identity, item: Inbound, *, blocked: bool, now: datetime) -> None:
    """Note the change and show it in the locked session."""
    identities.mark_blocked(identity=identity, at=item.sent_at if blocked else None, since=item.sent_at)
    if session is not None:
        text = _("The guest has blocked us in this channel.") if blocked else _("The guest can be written to again.")
        key = _line_key(item)
        conversations.add_line(session=session, direction=Direction.SYSTEM, text=text, by=None, now=now, external_id=key)


def _line_key(item: Inbound) -> str:
    return f"{item.external_id}:block"
