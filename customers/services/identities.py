"""Recognising who writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Staff
from core import audit, events
from core.locks import serialise
from core.statements import Prepared, insert, update
from core.text import first_line, searchable, storable
from customers.events import IdentityVerified
from customers.models import Consent, Guest, Identity

# NO KEY UPDATE: whoever holds a dialogue and writes a row that names the guest must not wait for us, who will want that dialogue.
_LOCKED = Identity.objects.select_for_update(no_key=True)
_KNOWN = Prepared(lambda scope, external_id: _LOCKED.select_related("guest").filter(scope=scope, external_id=external_id))
_ALONE = Prepared(lambda scope, external_id: _LOCKED.filter(scope=scope, external_id=external_id))
_GUEST = Prepared(lambda pk: Guest.objects.select_for_update(no_key=True).filter(pk=pk))


@dataclass(frozen=True)
class Told:
    """What came along about the person. An e-mail address is kept in lower case, as it is looked up.

    `vouched` = the channel vouches for the telephone (the guest shared the own contact); a caller's number, which can be forged, is
    only told. `signed` = the site's server vouches for who it is. An e-mail address verifies nobody: anybody can write any sender.
    """

    name: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    vouched: bool = True
    signed: bool = False

    @property
    def verifies(self) -> bool:
        return self.signed or (self.vouched and bool(self.phone))


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
    signed: bool = False,
) -> Identity:
    """The identity of (scope, external_id), locked until the transaction ends; a new one comes with a new guest.

    Equal first messages in parallel make one guest. What the other arguments mean: `Told`. A block stays as it is.
    Call inside a transaction.
    """
    key = storable(external_id)[:255]
    shown = first_line(storable(name), 160)
    told = Told(name=shown, address=address[:255], phone=phone, email=email.lower(), vouched=vouched, signed=signed)
    known = _KNOWN.first(scope=scope, external_id=key)
    if known is None:
        known, is_new = _find_or_create(channel=channel, scope=scope, external_id=key, told=told, now=now)
        if is_new:
            return known
    _refresh(known, told)
    return known


def _find_or_create(*, channel: str, scope: str, external_id: str, told: Told, now: datetime) -> tuple[Identity, bool]:
    serialise(f"identity:{scope}:{external_id}")
    # Alone, without its guest: a merge that has just moved it to another guest must not make it look new.
    if met := _ALONE.first(scope=scope, external_id=external_id):
        met.guest = _GUEST.get(pk=met.guest_id)
        return met, False
    return _create(channel=channel, scope=scope, external_id=external_id, told=told, now=now), True


def _create(*, channel: str, scope: str, external_id: str, told: Told, now: datetime) -> Identity:
    found_by = searchable(told.name, told.phone, told.email, external_id)
    guest = insert(Guest(name=told.name, phone=told.phone, email=told.email, created_at=now, search_text=found_by))
    made = insert(
        Identity(
            guest=guest,
            channel=channel,
            scope=scope,
            external_id=external_id,
            display_name=told.name,
            address=told.address,
            phone=told.phone,
            is_verified=told.verifies,
            link_due=told.verifies,
            created_at=now,
        )
    )
    if made.link_due:
        events.publish(IdentityVerified(made.pk))
    return made


def _refresh(identity: Identity, told: Told) -> None:
    identity_changes = _changes_of_identity(identity, told)
    for field, value in identity_changes.items():
        setattr(identity, field, value)
    if identity_changes:
        update(identity, *identity_changes)
    guest = identity.guest
    changed = {
        field: value
        for field, value in (("name", told.name), ("phone", told.phone), ("email", told.email))
        if value and not getattr(guest, field)
    }
    for field, value in changed.items():
        setattr(guest, field, value)
    if changed or {"phone", "display_name"} & set(identity_changes):
        guest.search_text = search_text_of(guest)
        update(guest, *changed, "search_text")
    if identity_changes.get("link_due"):
        events.publish(IdentityVerified(identity.pk))


def _changes_of_identity(identity: Identity, told: Told) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if told.name and identity.display_name != told.name:
        changes["display_name"] = told.name
    if told.address and identity.address != told.address:
        changes["address"] = told.address
    # A number that was only told never takes the place of a verified one.
    if told.phone and identity.phone != told.phone and (told.vouched or not identity.is_verified):
        changes["phone"] = told.phone
    if told.verifies and (not identity.is_verified or "phone" in changes):
        changes |= {"is_verified": True, "link_due": True}
    return changes


def search_text_of(guest: Guest) -> str:
    """What a search for the guest finds: own contacts, and those of all identities."""
    parts = [guest.name, guest.phone, guest.email]
    for identity in Identity.objects.filter(guest=guest).order_by("pk")[:50]:
        parts += [identity.display_name, identity.phone, identity.external_id]
    return searchable(*dict.fromkeys(parts))


def lock_known(*, scope: str, external_id: str) -> Identity | None:
    """The identity of (scope, external_id), locked, also when another transaction is just making it; None when there is none."""
    key = storable(external_id)[:255]
    known = _ALONE.first(scope=scope, external_id=key)
    if known is None:
        serialise(f"identity:{scope}:{key}")
        known = _ALONE.first(scope=scope, external_id=key)
    return known


def lock(identity_id: int) -> Identity:
    """The identity, locked until the transaction ends: before its session, as everywhere."""
    return _LOCKED.get(pk=identity_id)


def move(*, scope: str, external_id: str, to: str, address: str, phone: str, now: datetime) -> Identity | None:
    """The channel says that the guest goes on as `to` (empty = the id stays) under another address and number; None = nobody known.

    An id that somebody has already stays with its guest: two ids of a channel are joined by people only, who now see the same number.
    Call inside a transaction.
    """
    identity, wanted = lock_known(scope=scope, external_id=external_id), storable(to)[:255]
    if identity is None:
        return None
    before = {"external_id": identity.external_id, "phone": identity.phone}
    is_free = bool(wanted) and lock_known(scope=scope, external_id=wanted) is None
    if is_free:
        identity.external_id = wanted
    if is_free or not wanted:
        identity.address = storable(address)[:255] or identity.address
    guest = _GUEST.get(pk=identity.guest_id)
    if phone:
        guest.phone = phone if guest.phone in ("", identity.phone) else guest.phone
        identity.phone, identity.is_verified, identity.link_due = phone, True, True
    update(identity, "external_id", "address", "phone", "is_verified", "link_due")
    guest.search_text = search_text_of(guest)
    update(guest, "phone", "search_text")
    audit.record(
        action="identity.moved", by=None, subject=f"identity:{identity.pk}", now=now, details={**before, "to": identity.external_id}
    )
    if identity.link_due:
        events.publish(IdentityVerified(identity.pk))
    return identity


def mark_blocked(*, identity: Identity, at: datetime | None, since: datetime | None = None) -> None:
    """The guest blocked us in this channel at the provider's time `at`; None = lets us write again, `since` this time."""
    identity.blocked_at = at
    changed = ["blocked_at"]
    if at is None and since is not None and (identity.unblocked_at is None or identity.unblocked_at < since):
        identity.unblocked_at = since
        changed.append("unblocked_at")
    update(identity, *changed)


def agree(*, identity_id: int, source: str, by: Staff, now: datetime) -> Consent:
    """The guest agreed that we write to this identity first when another channel fails; `source` says how."""
    with transaction.atomic():
        values = {"given_at": now, "source": storable(source)[:200], "by": by, "withdrawn_at": None}
        consent, _made = Consent.objects.update_or_create(identity=lock(identity_id), defaults=values)
        audit.record(action="consent.given", by=by, subject=f"identity:{identity_id}", now=now, details={"source": source[:200]})
        return consent


def withdraw(*, identity_id: int, by: Staff, now: datetime) -> None:
    """The guest no longer agrees."""
    with transaction.atomic():
        if Consent.objects.filter(identity_id=identity_id, withdrawn_at=None).update(withdrawn_at=now):
            audit.record(action="consent.withdrawn", by=by, subject=f"identity:{identity_id}", now=now)
