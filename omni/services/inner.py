"""Dialogues without a guest: our people write notes there on a matter that no single guest has brought.

Behind each stands a row of guests that is nobody (`Guest.is_person`), for a feed is read by its guest.
"""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.locks import serialise
from core.refusal import Refusal
from core.statements import insert
from core.text import first_line, searchable
from customers.models import Guest, Identity
from omni.channels.inner.adapter import InnerAdapter
from omni.models import ChannelAccount, Queue, Session
from omni.states import SessionState

_KIND = InnerAdapter.kind


def open_dialogue(*, key: str, name: str, now: datetime) -> Session:
    """A new parked dialogue, known as `key` and called `name`. Call inside a transaction: nobody else sees it before the commit.

    Raises Refusal: the product has no queue yet.
    """
    account, shown = _account(), first_line(name, 160)
    guest = insert(Guest(name=shown, is_person=False, created_at=now, search_text=searchable(shown)))
    known = {"channel": _KIND, "scope": str(account.public_id), "external_id": key, "display_name": shown, "created_at": now}
    identity = insert(Identity(guest=guest, **known))
    opened = {"subject": shown, "opened_at": now, "last_message_at": now, "state": SessionState.PARKED}
    return insert(Session(account=account, identity=identity, guest=guest, queue=account.queue, **opened))


def _account() -> ChannelAccount:
    """The one account of the kind, made at its first use. A dialogue never waits in its queue; the row must only name one."""
    serialise("the account of dialogues among ourselves")
    found = ChannelAccount.objects.select_related("queue__policy__calendar").filter(kind=_KIND).first()
    if found is not None:
        return found
    queue = Queue.objects.select_related("policy__calendar").order_by("pk").first()
    if queue is None:
        raise Refusal("no_queue", _("There is no queue yet."))
    account = ChannelAccount(kind=_KIND, name=str(InnerAdapter.form.name), queue=queue)
    account.set_secrets()
    account.save()
    return account
