"""Beginning a chat: who the visitor is, a token, and what joins when an anonymous visitor signs in.

Signing in joins the anonymous dialogue only when the same request proves the anonymous visitor by that visitor's live token and
device secret, that is within one browser. Then the open dialogue goes over to the customer, with its messages. It stays where it
is, with a line that names the customer's dialogue for the operator, when a ticket already follows it or the customer has an open
dialogue in this chat. Closed anonymous dialogues are never joined.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.live import announce
from core.refusal import Refusal
from customers.models import Identity
from customers.services import identities
from omni.channels.webchat.adapter import FILE_LIMIT, FILES_AT_ONCE, TEXT_LIMIT
from omni.chat import devices, feed, forms, identity, texts, tokens
from omni.chat.sites import Site
from omni.chat.tokens import Device
from omni.followers import followers
from omni.models import ChatToken, Message, Session
from omni.services import conversations, push, rows, webchat
from omni.states import Direction, SessionState


@dataclass(frozen=True)
class Presented:
    """The token that the visitor still has from before, and its live row."""

    text: str
    row: ChatToken


def start(*, site: Site, device: Device, claim: Any, presented: Presented | None, now: datetime) -> Presented:
    """The visitor's token: the one presented while it serves, else a new one. `claim` as omni.chat.identity.check takes it.

    Raises Refusal: a wrong, expired or used claim, nobody signed in where only customers may write, a device that signed out.
    """
    if presented and (presented.row.device != device.digest or presented.row.account_id != site.account.pk):
        presented = None
    if presented is None:
        tokens.refuse_forgotten(site, device)
    if presented:
        tokens.refresh(presented.row, device=device)
    if claim is None:
        return _go_on(site, device, presented, now=now)
    key = site.account.config().secrets.get("identity_key", "")
    known = identity.check(claim, key=key, site_key=site.key, now=now)
    tokens.use_nonce(site, known)
    if presented and presented.row.visitor == known.external_id:
        return presented
    text, row = tokens.issue(site=site, device=device, known=known, now=now)
    push.hand_over(device=devices.device_of(row), now=now)
    if presented and presented.row.is_anonymous:
        join(anonymous=presented.row, known=row, now=now)
    return Presented(text, row)


def _go_on(site: Site, device: Device, presented: Presented | None, *, now: datetime) -> Presented:
    if site.only_identified and (presented is None or presented.row.is_anonymous):
        raise Refusal("identity_required", gettext_lazy("Please sign in on the site to write to us."), status=403)
    if presented:
        return presented
    text, row = tokens.issue(site=site, device=device, known=None, now=now)
    return Presented(text, row)


@transaction.atomic
def join(*, anonymous: ChatToken, known: ChatToken, now: datetime) -> None:
    """The anonymous visitor's open dialogue becomes the customer's, where that is safe."""
    account = known.account
    was = feed.identity_of(anonymous)
    open_ones = Session.objects.filter(identity=was, account=account).exclude(state=SessionState.CLOSED)
    found = open_ones.values_list("pk", flat=True).first() if was else None
    if found is None:
        return
    customer = identities.recognise(
        channel=account.kind,
        scope=str(account.public_id),
        external_id=known.visitor,
        name=known.name,
        address=known.visitor,
        phone=known.phone,
        signed=not known.is_anonymous,
        now=now,
    )
    session = conversations.lock(found)
    elsewhere = Session.objects.filter(identity=customer, account=account).exclude(state=SessionState.CLOSED).first()
    if elsewhere is not None or any(follower.holds(session) for follower in followers()):
        _point_to(session, elsewhere, customer, now=now)
    else:
        _hand_over(session, customer, now=now)


def _point_to(session: Session, elsewhere: Session | None, customer: Identity, *, now: datetime) -> None:
    text = _("The guest has signed in as %(customer)s.") % {"customer": customer.external_id}
    if elsewhere is not None:
        text += " " + _("The conversation goes on in dialogue %(number)s.") % {"number": elsewhere.pk}
    conversations.add_line(session=session, direction=Direction.SYSTEM, text=text, by=None, now=now)


def _hand_over(session: Session, customer: Identity, *, now: datetime) -> None:
    guest_before = session.guest_id
    session.identity, session.guest = customer, customer.guest
    session.save(update_fields=["identity", "guest"])
    Message.objects.filter(session=session).update(guest=customer.guest)
    text = _("The guest has signed in as %(customer)s.") % {"customer": customer.external_id}
    conversations.add_line(session=session, direction=Direction.SYSTEM, text=text, by=None, now=now)
    rows.show(session, now=now)
    moved = {"session_id": session.pk, "guest_id": customer.guest_id, "was": guest_before}
    announce(kind="guest_changed", payload=moved, topics=[f"guest:{guest_before}"])


def opening(*, site: Site, visitor: Presented, now: datetime) -> dict[str, Any]:
    """What a widget needs to begin: token, settings, the newest messages, the state."""
    row = visitor.row
    known = feed.identity_of(row)
    page = feed.list_before(identity=known, account=site.account, before=None)
    return {
        "session_token": visitor.text,
        "expires_at": row.expires_at.isoformat(),
        "contact_id": str(webchat.contact_id(site.account.public_id, row.visitor)),
        "identified": not row.is_anonymous,
        "settings": settings_of(site),
        "messages": page.messages,
        "more": page.more,
        "state": asdict(feed.state_of(site=site, identity=known, now=now)),
    }


def settings_of(site: Site) -> dict[str, Any]:
    """What a widget or app must know of the site. Sizes in bytes, texts in characters."""
    return {
        "title": site.title,
        "greeting": site.greeting,
        "promise": texts.promise(site.account.queue.policy.first_response_minutes),
        "prechat": forms.shown(site.fields),
        "consent_version": site.consent_version,
        "only_identified": site.only_identified,
        "text_limit": TEXT_LIMIT,
        "file_limit": FILE_LIMIT,
        "files_at_once": FILES_AT_ONCE,
        "push": devices.vendors(site),
    }
