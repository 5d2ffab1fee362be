"""Visitors' tokens: opaque, kept as digests, 30 days, revocable; a device that signed out opens nothing any more."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.refusal import Refusal
from core.statements import Prepared
from core.text import storable
from omni.chat.identity import ANONYMOUS, Identified
from omni.chat.sites import Site
from omni.models import ChatNonce, ChatToken
from omni.services import push
from omni.services.webchat import wake_visitor
from omni.states import AccountState

LIFETIME = timedelta(days=30)
# How long a widget keeps its device's secret; until then a forgotten one must stay known as such.
DEVICE_LIFETIME = timedelta(days=180)
SEEN_EVERY = timedelta(hours=1)
_DEVICE = re.compile(r"[A-Za-z0-9_-]{22,128}")


@dataclass(frozen=True)
class Device:
    """What a browser or app says of itself. `secret` is a random text of at least 128 bits that only the device knows."""

    secret: str
    page_url: str = ""
    user_agent: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the app says of itself (omni.chat.facts)."""

    @property
    def digest(self) -> str:
        return digest_of(self.secret)

    @property
    def visitor(self) -> str:
        """The anonymous visitor's external id; the secret cannot be told from it."""
        return f"{ANONYMOUS}{digest_of(f'visitor {self.secret}')[:32]}"


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def check_device(secret: object) -> str:
    """The device's secret. Raises Refusal when it is not 22 to 128 letters, digits, `-` and `_`."""
    if not isinstance(secret, str) or not _DEVICE.fullmatch(secret):
        raise Refusal("device_id", _("The device needs a random id of 22 to 128 letters and digits."), status=400)
    return secret


def refuse_forgotten(site: Site, device: Device) -> None:
    """Raises Refusal when the guest has signed out on this device: it needs a new secret."""
    if ChatToken.objects.filter(account=site.account, device=device.digest, device_forgotten=True).exists():
        raise Refusal("device_forgotten", _("This chat was closed on this device. Please begin a new one."))


def issue(*, site: Site, device: Device, known: Identified | None, now: datetime) -> tuple[str, ChatToken]:
    """A fresh token and its row."""
    token = f"oc_{secrets.token_urlsafe(32)}"
    row = ChatToken.objects.create(
        digest=digest_of(token),
        account=site.account,
        visitor=known.external_id if known else device.visitor,
        device=device.digest,
        name=storable(known.name) if known else "",
        phone=known.phone if known else "",
        page_url=storable(device.page_url)[:1000],
        user_agent=storable(device.user_agent)[:240],
        facts=dict(device.facts),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return token, row


def refresh(row: ChatToken, *, device: Device) -> None:
    """What the app says of itself has changed since the token was given: an update, another store."""
    if device.facts and row.facts != device.facts:
        row.facts, row.user_agent = dict(device.facts), storable(device.user_agent)[:240]
        row.save(update_fields=["facts", "user_agent"])


def find(token: str, *, now: datetime) -> ChatToken | None:
    """The live row of a token."""
    return _LIVE.first(digest=digest_of(token), now=now) if token else None


_LIVE = Prepared(
    lambda digest, now: (
        ChatToken.objects.select_related("account__queue__policy__calendar", "account__queue__group")
        .filter(digest=digest, revoked_at__isnull=True, expires_at__gt=now)
        .exclude(account__state=AccountState.DISABLED)
    )
)


def is_live(token_id: int, *, now: datetime) -> bool:
    return ChatToken.objects.filter(pk=token_id, revoked_at__isnull=True, expires_at__gt=now).exists()


def use_nonce(site: Site, known: Identified) -> None:
    """Raises Refusal when this signed identity has been used already."""
    if not known.nonce or known.expires_at is None:
        return
    _row, fresh = ChatNonce.objects.get_or_create(
        account=site.account, nonce=storable(known.nonce), defaults={"expires_at": known.expires_at}
    )
    if not fresh:
        raise Refusal("identity_used", _("This proof of who you are has been used already. Please reload the page."), status=403)


@transaction.atomic
def forget(*, token: ChatToken, now: datetime) -> None:
    """Sign out: every token of this device ends, and the device's secret with them."""
    ours = ChatToken.objects.filter(account=token.account, device=token.device)
    visitors = set(ours.filter(revoked_at__isnull=True).values_list("visitor", flat=True))
    ours.filter(revoked_at__isnull=True).update(revoked_at=now)
    ours.update(device_forgotten=True)
    push.forget(app=token.account, device=token.device, now=now)
    for visitor in visitors:
        wake_visitor(account=token.account, visitor=visitor)


def purge(*, now: datetime) -> None:
    """Remove tokens whose device would have forgotten them itself, and nonces that have expired."""
    ChatToken.objects.filter(expires_at__lt=now - DEVICE_LIFETIME).delete()
    ChatNonce.objects.filter(expires_at__lt=now).delete()
