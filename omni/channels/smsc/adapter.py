"""SMSC.ru as a channel for notices (https://smsc.ru/api/http/)."""

from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
from django.utils.translation import gettext as _

from omni.channels.asking import findings
from omni.channels.contract import (
    AccountConfig,
    Finding,
    Inbound,
    Outgoing,
    PollFault,
    RawEvent,
    SendResult,
    Unverified,
    WebhookReply,
)
from omni.channels.json_fields import digest_key, integer_at
from omni.channels.notice_channel import NoticeChannel
from omni.channels.phones import digits_of
from omni.channels.smsc import sending, statuses
from omni.channels.smsc.account import FORM
from omni.channels.smsc.client import call, keys_of, refused


class SmscAdapter(NoticeChannel):
    """SMS out, statuses in.

    Settings of an account: `sender`, `login`, `most_parts`, `quiet_from`, `quiet_until` (HH:MM), `api_base`, `proxy`,
    `read_timeout` (seconds). Secrets: `api_key`, or `password` with the setting `login`; `callback_secret` signs the statuses.
    """

    kind = "smsc"
    form = FORM
    capabilities = sending.CAPABILITIES

    def greet(self, event: RawEvent, method: str, account: AccountConfig) -> WebhookReply | None:
        """The provider looks whether the address answers before it keeps it."""
        return WebhookReply(body=b"OK", content_type="text/plain") if method == "GET" else None

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """SHA-1 or MD5 of `id:phone:status:secret`. Without a configured secret nothing is believed."""
        if not statuses.is_signed(statuses.fields_of(event), account.secrets.get("callback_secret", "")):
            raise Unverified("wrong signature")

    def event_key(self, event: RawEvent) -> str:
        """The callback's digest: the provider numbers messages, not callbacks."""
        return digest_key(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One status."""
        return [statuses.item_of(event, account)]

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Recipient is an E.164 number. Never sent again after a request without an answer."""
        return sending.send(outgoing, account)

    def reference(self, outgoing: Outgoing, account: AccountConfig) -> str:
        """`<number>-<digest of the telephone>`."""
        return sending.reference(str(sending.id_of(outgoing.key)), digits_of(outgoing.recipient))

    def track(self, external_ids: Sequence[str], recipient: str, account: AccountConfig) -> Inbound | None:
        """The status by number and telephone (status.php)."""
        number, phone = external_ids[0].partition("-")[0], digits_of(recipient)
        try:
            answer = call(account, "status", {"phone": phone, "id": number})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PollFault(_("The provider does not answer: %(fault)s") % {"fault": type(error).__name__}) from error
        if fault := refused(answer):
            raise fault
        status = integer_at(answer.object, "status")
        if status is None or status in (statuses.WAITING, statuses.UNKNOWN):
            return None
        return statuses.status_item(status, number, phone, at=datetime.now(UTC), error=integer_at(answer.object, "err"))

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the provider tells our balance."""

        def question() -> None:
            if not keys_of(account):
                raise PollFault(_("Neither a key of the API nor login and password are given."), refused=True)
            try:
                fault = refused(call(account, "balance", {}))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise PollFault(_("The provider does not answer: %(fault)s") % {"fault": type(error).__name__}) from error
            if fault:
                raise fault

        return findings(question, _("The provider knows our account."))
