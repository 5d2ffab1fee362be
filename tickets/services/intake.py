"""Tickets that another system reports for a guest who is already known in one of our channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from core.statements import Prepared
from customers.models import Identity
from omni.models import ChannelAccount
from omni.services import conversations
from omni.states import AccountState, Direction
from stores.models import Store
from tickets.models import Case, Topic
from tickets.services import opening

_ACCOUNT = Prepared(
    lambda public_id: (
        ChannelAccount.objects.select_related("queue__policy__calendar").filter(public_id=public_id).exclude(state=AccountState.DISABLED)
    )
)
_BY_ACCOUNT = Prepared(lambda scope, external_id: _newest(Identity.objects.filter(scope=scope, external_id=external_id)))
_BY_PHONE = Prepared(lambda phone: _newest(Identity.objects.filter(guest__phone=phone)))
# A guest joined from several has several telephones; the others are known by the identities they came with.
_BY_OWN_PHONE = Prepared(lambda phone: _newest(Identity.objects.filter(phone=phone)))
_BY_EMAIL = Prepared(lambda email: _newest(Identity.objects.filter(guest__email=email)))


@dataclass(frozen=True)
class GuestKey:
    """Whom the report is about: a channel account with the guest's id in it, or a contact that a channel has vouched for.

    `account` is the account's public id, `phone` E.164, `email` in any case.
    """

    account: str = ""
    external_id: str = ""
    phone: str = ""
    email: str = ""


@transaction.atomic(savepoint=False)
def report(
    *,
    guest: GuestKey,
    text: str,
    topic: Topic,
    by: Staff,
    now: datetime,
    store: Store | None = None,
    summary: str = "",
    priority: int = 0,
    details: Mapping[str, object] | None = None,
) -> Case:
    """Open a ticket for the guest; `text` joins the conversation as a note, for the guest has not written it there.

    The guest is answered in the channel of the identity found. A conversation that is open stays with whoever has it; one that
    begins with the report goes straight to the ticket's group. Raises Refusal: unknown guest, empty text, no route.
    """
    if not text.strip():
        raise Refusal("empty", _("Write something first."), status=400)
    identity = _identity(guest)
    account = _ACCOUNT.first(public_id=identity.scope)
    if account is None:
        raise Refusal("account_off", _("The guest is known only in a channel that is switched off."))
    session = conversations.join_or_open(account=account, identity=identity, subject="", now=now)
    begins_here = session.opened_at == now
    conversations.add_line(session=session, direction=Direction.NOTE, text=text, by=by, now=now)
    case = opening.open_in(session, topic=topic, by=by, now=now, store=store, summary=summary or text, priority=priority, details=details)
    if begins_here:
        conversations.park(session=session, by=by, now=now)
    return case


def _identity(guest: GuestKey) -> Identity:
    """The guest's identity, locked. Raises Refusal (404)."""
    identity = _matching(guest)
    if identity is None:
        raise Refusal("guest_unknown", _("This guest is not known in any channel."), status=404)
    return identity


def _matching(guest: GuestKey) -> Identity | None:
    if guest.account:
        return _BY_ACCOUNT.first(scope=guest.account, external_id=guest.external_id)
    if guest.phone:
        return _BY_PHONE.first(phone=guest.phone) or _BY_OWN_PHONE.first(phone=guest.phone)
    return _BY_EMAIL.first(email=guest.email.lower()) if guest.email else None


def _newest(identities: "QuerySet[Identity]") -> "QuerySet[Identity]":
    # Where the guest has blocked us there is no answering; else the newest identity is the likeliest to be read.
    ordered = identities.order_by(F("blocked_at").asc(nulls_first=True), "-pk")
    return ordered.select_for_update(of=("self",)).select_related("guest")[:1]
