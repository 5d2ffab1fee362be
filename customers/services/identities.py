"""Recognising who writes."""

from datetime import datetime

from core.locks import serialise
from core.statements import Prepared, insert
from core.text import first_line, searchable, storable
from customers.models import Guest, Identity

_KNOWN = Prepared(
    lambda scope, external_id: Identity.objects.select_for_update().select_related("guest").filter(scope=scope, external_id=external_id)
)


def recognise(
    *,
    channel: str,
    scope: str,
    external_id: str,
    name: str,
    now: datetime,
    address: str = "",
    phone: str = "",
    email: str = "",
    vouched: bool = True,
) -> Identity:
    """The identity of (scope, external_id), locked until the transaction ends; a new one comes with a new guest.

    Equal first messages in parallel make one guest.
    `phone` and `email` are contacts that the channel vouches for (`vouched=False` = only told, like a caller's number, which can be
    forged: they count as contacts but verify nobody); an e-mail address is kept in lower case, as it is looked up.
    A block stays as it is. Call inside a transaction.
    """
    key = storable(external_id)[:255]
    email = email.lower()
    known = _KNOWN.first(scope=scope, external_id=key)
    if known is None:
        contacts = {"address": address, "phone": phone, "email": email}
        known = _create(channel=channel, scope=scope, external_id=key, name=name, now=now, vouched=vouched, **contacts)
    else:
        _refresh(known, name=name, address=address, phone=phone, email=email)
    return known


def _create(
    *, channel: str, scope: str, external_id: str, name: str, now: datetime, address: str, phone: str, email: str, vouched: bool
) -> Identity:
    serialise(f"identity:{scope}:{external_id}")
    if met := _KNOWN.first(scope=scope, external_id=external_id):
        return met
    shown = first_line(storable(name), 160)
    found_by = searchable(shown, phone, email, external_id)
    guest = insert(Guest(name=shown, phone=phone, email=email, created_at=now, search_text=found_by))
    return insert(
        Identity(
            guest=guest,
            channel=channel,
            scope=scope,
            external_id=external_id,
            display_name=shown,
            address=address[:255],
            is_verified=vouched and bool(phone or email),
            created_at=now,
        )
    )


def _refresh(identity: Identity, *, name: str, address: str, phone: str, email: str) -> None:
    guest, shown = identity.guest, first_line(storable(name), 160)
    changed = {}
    if shown and not guest.name:
        changed["name"] = shown
    if phone and not guest.phone:
        changed["phone"] = phone
    if email and not guest.email:
        changed["email"] = email
    if changed:
        for field, value in changed.items():
            setattr(guest, field, value)
        guest.search_text = searchable(guest.name, guest.phone, guest.email, identity.external_id)
        guest.save(update_fields=[*changed, "search_text"])
    identity_changes = []
    if shown and identity.display_name != shown:
        identity.display_name = shown
        identity_changes.append("display_name")
    if address and identity.address != address[:255]:
        identity.address = address[:255]
        identity_changes.append("address")
    if identity_changes:
        identity.save(update_fields=identity_changes)


def mark_blocked(*, identity: Identity, at: datetime | None) -> None:
    """The guest blocked us in this channel at the provider's time `at` (None = lets us write again)."""
    identity.blocked_at = at
    identity.save(update_fields=["blocked_at"])
