"""Devices that take a push: registered by the app, followed through sign-in and sign-out, dropped when the vendor says so."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from core.text import storable
from customers.models import Guest, Identity
from omni.models import ChannelAccount, PushToken


@dataclass(frozen=True)
class Device:
    """What an app says of the device it runs on. `key` is the digest of the device's secret, `visitor` who is signed in on it."""

    app: ChannelAccount
    visitor: str
    key: str
    platform: str = ""
    app_version: str = ""
    time_zone: str = ""


@transaction.atomic
def register(*, device: Device, account: ChannelAccount, token: str, takes_notices: bool, now: datetime) -> PushToken:
    """The device takes pushes under this token of the vendor's `account`. A token belongs to who registered it last."""
    values = {
        "app": device.app,
        "visitor": device.visitor,
        "device": device.key,
        "token": token,
        "platform": device.platform,
        "app_version": storable(device.app_version)[:40],
        "time_zone": device.time_zone,
        "takes_notices": takes_notices,
        "seen_at": now,
        "gone_at": None,
    }
    row, _made = PushToken.objects.update_or_create(
        account=account, digest=digest_of(token), defaults=values, create_defaults={**values, "created_at": now}
    )
    # A vendor that gives the device a new token does not take the old one back.
    _living(device).filter(account=account).exclude(pk=row.pk).update(gone_at=now)
    return row


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _living(device: Device) -> "QuerySet[PushToken]":
    return PushToken.objects.filter(app=device.app, device=device.key, gone_at__isnull=True)


def hand_over(*, device: Device, now: datetime) -> None:
    """Somebody else is signed in on the device: its pushes are theirs from now on."""
    _living(device).exclude(visitor=device.visitor).update(visitor=device.visitor, seen_at=now)


def drop(*, account: ChannelAccount, token: str, now: datetime) -> bool:
    """The vendor no longer delivers to the token, or the app gave it back. Returns whether it was there."""
    found = PushToken.objects.filter(account=account, digest=digest_of(token), gone_at__isnull=True)
    return bool(found.update(gone_at=now))


def forget(*, app: ChannelAccount, device: str, now: datetime) -> None:
    """The guest has signed out on the device: nothing is pushed to it any more."""
    PushToken.objects.filter(app=app, device=device, gone_at__isnull=True).update(gone_at=now)


def devices_of(guest: Guest) -> "QuerySet[PushToken]":
    """The guest's living devices in all apps, the latest seen first."""
    return devices_of_identities(list(Identity.objects.filter(guest=guest)))


def devices_of_identities(identities: Sequence[Identity]) -> "QuerySet[PushToken]":
    """Living devices on which one of these is signed in."""
    theirs = Q()
    for identity in identities:
        theirs |= Q(app__public_id=identity.scope, visitor=identity.external_id)
    living = PushToken.objects.filter(theirs, gone_at__isnull=True) if theirs else PushToken.objects.none()
    return living.select_related("account").order_by("-seen_at", "-pk")
