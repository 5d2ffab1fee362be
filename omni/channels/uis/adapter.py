"""Calls of UIS (CoMagic): notices of our own templates, a secret instead of a signature."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
from django.utils.translation import gettext as _

from omni.channels.contract import AccountConfig, AttachmentGone, Finding, Inbound, InboundAttachment, Polled, RawEvent, Unverified
from omni.channels.http import client_for, connection_of, download
from omni.channels.json_fields import digest_key
from omni.channels.telephony import history as telephony_history
from omni.channels.telephony.account import region_of, zone_of
from omni.channels.telephony.exchange import Exchange
from omni.channels.uis import history
from omni.channels.uis.account import FORM
from omni.channels.uis.events import items_of
from omni.channels.uis.template import TYPES, body_of

SECRET_HEADER = "x-otklik-secret"  # noqa: S105 - the header's name
RECORDINGS = "https://app.uiscom.ru"


class UisAdapter(Exchange):
    """Settings: `time_zone` of the notices. Secret: `webhook_secret`, in the header X-Otklik-Secret or as a password (RFC 7617)."""

    kind = "uis"
    form = FORM
    poll_seconds = telephony_history.POLL_SECONDS

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Without a configured secret nothing is believed."""
        expected = account.secrets.get("webhook_secret", "").encode("utf-8", "replace")
        given = (event.headers.get(SECRET_HEADER, ""), _password(event.headers.get("authorization", "")))
        right = [hmac.compare_digest(one.encode("utf-8", "replace"), expected) for one in given]
        if not expected or not any(right):
            raise Unverified("wrong secret")

    def event_key(self, event: RawEvent) -> str:
        """A digest of the body: a notice has no id."""
        return telephony_history.key_of(event.body) or digest_key(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        if (told := telephony_history.call_of(event.body)) is not None:
            return telephony_history.items(history.steps_of(told, account))
        return items_of(event.body, event.received_at, region=region_of(account), zone=zone_of(account))

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Calls that we may not have heard of."""
        return telephony_history.polled(account, cursor, now=now, ask=history.remembered)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is the recording's address; only public hosts are asked."""
        if not attachment.ref.startswith(("https://", "http://")):
            raise AttachmentGone("the recording has no address")
        try:
            return download(client_for(account, connection_of(account, base=RECORDINGS)), attachment.ref, limit=limit)
        except httpx.InvalidURL as error:
            raise AttachmentGone("the recording has no address") from error

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """What is to be pasted into UIS: nobody can be asked."""
        found = [
            Finding(
                bool(account.secrets.get("webhook_secret")),
                _("In UIS, make one HTTP notice (POST) to %(address)s for each event:") % {"address": address},
            )
        ]
        return [*found, *(Finding(True, f"{name}: {body_of(kind)}") for kind, name in TYPES.items())]


def _password(header: str) -> str:
    scheme, _space, value = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
