"""Calls by our own signed form: a POST of JSON with `X-Signature: sha256=<HMAC of the body>` and `X-Event-Id`."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omni.channels.contract import AccountConfig, Inbound, Polled, RawEvent, Unverified, WebhookReply
from omni.channels.json_fields import digest_key, storable
from omni.channels.telephony import history as telephony_history
from omni.channels.telephony.account import region_of
from omni.channels.telephony.exchange import Exchange
from omni.channels.voice import history
from omni.channels.voice.account import FORM
from omni.channels.voice.events import items_of

SIGNATURE_HEADER, EVENT_HEADER = "x-signature", "x-event-id"


class VoiceAdapter(Exchange):
    """The generic exchange. Secret: `signing_key`. An event may be one object, a list, or {"events": [...]}; see `events.step_of`."""

    kind = "voice"
    form = FORM
    poll_seconds = telephony_history.POLL_SECONDS

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """HMAC-SHA256 over the body as it came. Without a key nothing is believed."""
        key = account.secrets.get("signing_key", "")
        expected = "sha256=" + hmac.new(key.encode("utf-8", "replace"), event.body, hashlib.sha256).hexdigest()
        given = event.headers.get(SIGNATURE_HEADER, "").strip().lower()
        if not key or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Unverified("wrong signature")

    def event_key(self, event: RawEvent) -> str:
        """The sender's `X-Event-Id`, else a digest of the body."""
        if known := telephony_history.key_of(event.body):
            return known
        given = storable(event.headers.get(EVENT_HEADER, "").strip())
        return f"event:{given}" if given else digest_key(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        if (told := telephony_history.call_of(event.body)) is not None:
            return telephony_history.items(history.steps_of(told, account))
        return items_of(event.body, event.received_at, region=region_of(account))

    def poll(self, account: AccountConfig, cursor: Mapping[str, Any], *, now: datetime) -> Polled:
        """Calls that we may not have heard of, where the exchange is Voximplant."""
        return telephony_history.polled(account, cursor, now=now, ask=history.remembered)

    def reply(self, event: RawEvent, account: AccountConfig) -> WebhookReply:
        """202: kept, understood later."""
        return WebhookReply(status=202)
