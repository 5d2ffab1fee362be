"""Answers that our people give past us, in the provider's own pages: they belong into the feed, and nobody waits any more."""

from datetime import datetime

import structlog

from core.statements import update
from customers.models import Identity
from omni import responders
from omni.channels.contract import Inbound
from omni.models import ChannelAccount, Message, Session
from omni.services import conversations, files, waiting
from omni.states import Direction, SessionState

log = structlog.get_logger(__name__)
_OPEN = (SessionState.WAITING, SessionState.ACTIVE)


def keep(*, account: ChannelAccount, identity: Identity, item: Inbound, now: datetime) -> Message | None:
    """The answer joins the identity's last dialogue; None when there was none. The identity is locked.

    It opens no closed dialogue, and ends no wait that began after it. An open one stays where it is: somebody has to close it.
    A dialogue left to a ticket stays with it: who has the ticket reads the answer and decides.
    """
    last = Session.objects.filter(identity=identity, account=account).order_by("-opened_at", "-pk").values_list("pk", flat=True).first()
    if last is None:
        log.info("an answer from outside to somebody who never wrote is kept in the journal only", account=account.pk)
        return None
    session = conversations.lock(last)
    message = conversations.add_outside(session=session, item=item, now=now)
    files.keep_all(message=message, attachments=item.attachments, now=now)
    later = session.messages.filter(direction=Direction.IN, sent_at__gt=message.sent_at)
    if session.state not in _OPEN or later.exists():
        update(session, "message_count")
        return message
    responders.part(session, now=now)
    waiting.stop(session, message, now=now)
    waiting.keep_promise(session, message, now=now)
    return message
