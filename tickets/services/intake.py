"""Tickets that another system reports for a guest who is already known in one of our channels."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from customers.models import Identity
from omni.models import ChannelAccount, Session
from omni.services import conversations
from omni.states import AccountState, Direction, SessionState
from stores.models import Store
from tickets.models import Case, Topic
from tickets.services import cases


@dataclass(frozen=True)
class GuestKey:
    """Whom the report is about: a channel account with the guest's id in it, or a contact that a channel has vouched for.

    `account` is the account's public id, `phone` E.164, `email` in any case.
    """

    account: str = ""
    external_id: str = ""
    phone: str = ""
    email: str = ""


@transaction.atomic
def report(
    *, guest: GuestKey, text: str, topic: Topic, by: Staff, now: datetime, store: Store | None = None, summary: str = "", priority: int = 0
) -> Case:
    """Open a ticket for the guest; `text` joins the conversation as a note, for the guest has not written it there.

    The guest is answered in the channel of the identity found. A conversation that is open stays with whoever has it; one that
    begins with the report goes straight to the ticket's group. Raises Refusal: unknown guest, empty text, no route.
    """
    if not text.strip():
        raise Refusal("empty", _("Write something first."), status=400)
    identity = _identity(guest)
    account = ChannelAccount.objects.select_related("queue").filter(public_id=identity.scope).exclude(state=AccountState.DISABLED).first()
    if account is None:
        raise Refusal("account_off", _("The guest is known only in a channel that is switched off."))
    talking = Session.objects.filter(identity=identity, account=account).exclude(state=SessionState.CLOSED).exists()
    session = conversations.join_or_open(account=account, identity=identity, subject="", now=now)
    conversations.add_line(session=session, direction=Direction.NOTE, text=text, by=by, now=now)
    case = cases.open_ticket(session_id=session.pk, topic=topic, by=by, now=now, store=store, summary=summary or text, priority=priority)
    if not talking:
        conversations.park(session=conversations.lock(session.pk), by=by, now=now)
    return case


def _identity(guest: GuestKey) -> Identity:
    """The guest's identity, locked. Raises Refusal (404)."""
    found = _matching(guest).select_for_update(of=("self",)).select_related("guest")
    # Where the guest has blocked us there is no answering; else the newest identity is the likeliest to be read.
    identity = found.order_by(F("blocked_at").asc(nulls_first=True), "-pk").first()
    if identity is None:
        raise Refusal("guest_unknown", _("This guest is not known in any channel."), status=404)
    return identity


def _matching(guest: GuestKey) -> "QuerySet[Identity]":
    if guest.account:
        return Identity.objects.filter(scope=guest.account, external_id=guest.external_id)
    if guest.phone:
        return Identity.objects.filter(guest__phone=guest.phone)
    return Identity.objects.filter(guest__email=guest.email.lower()) if guest.email else Identity.objects.none()
