"""SMS Aero as a channel for notices (API v2)."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from omni.channels.asking import Answer, findings, page
from omni.channels.contract import AccountConfig, Finding, Inbound, Outgoing, PollFault, RawEvent, SendResult, Unverified
from omni.channels.json_fields import digest_key, identifier_at, object_at, storable
from omni.channels.notice_channel import NoticeChannel
from omni.channels.smsaero import sending, statuses
from omni.channels.smsaero.account import FORM
from omni.channels.smsaero.client import call, is_success, keyless


class SmsAeroAdapter(NoticeChannel):
    """SMS out, statuses in.

    Settings of an account: `email`, `sign`, `dry_run`, `most_parts`, `quiet_from`, `quiet_until` (HH:MM), `api_base`, `proxy`,
    `read_timeout` (seconds). Secrets: `api_key`; `callback_secret` signs the addresses for statuses.
    """

    kind = "smsaero"
    form = FORM
    capabilities = sending.CAPABILITIES

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """The provider signs nothing, so the address itself proves that we gave it. Without a secret nothing is believed."""
        expected = sending.signature(event.query.get("k", ""), account)
        if not expected or not hmac.compare_digest(event.query.get("s", "").encode("utf-8", "replace"), expected.encode()):
            raise Unverified("this is not an address that we gave")

    def event_key(self, event: RawEvent) -> str:
        """Our key of the send and the callback's digest."""
        return f"{storable(event.query.get('k', ''))[:80]}:{digest_key(event.body)}"

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """One status; its send is named by the query."""
        return [statuses.item_of(event)]

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Recipient is an E.164 number. Never sent again after a request without an answer."""
        return sending.send(outgoing, account)

    def reference(self, outgoing: Outgoing, account: AccountConfig) -> str:
        """Our key: the address for statuses carries it."""
        return outgoing.key

    def track(self, external_ids: Sequence[str], recipient: str, account: AccountConfig) -> Inbound | None:
        """The status by the provider's number (sms/status); a send without one cannot be asked about."""
        if len(external_ids) < 2:
            return None
        data = object_at(_asked(account, "sms/status", {"id": int(external_ids[1])}), "data")
        status = identifier_at(data, "status")
        item = statuses.status_item(status, external_ids[0], at=datetime.now(UTC), told=identifier_at(data, "extendStatus"))
        return item if item.state else None

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the provider knows our key (auth)."""

        def question() -> None:
            if keyless(account):
                raise PollFault(_("The e-mail or the key of the API is missing."), refused=True)
            _asked(account, "auth", {})

        return findings(question, _("The provider knows our account."))


def _asked(account: AccountConfig, method: str, fields: dict[str, object]) -> dict[str, object]:
    """The answer's JSON. Raises PollFault."""
    answers: list[Answer] = []

    def once() -> Answer:
        answers.append(call(account, method, fields))
        return answers[-1]

    found = dict(page(once))
    if not is_success(answers[-1]):
        raise PollFault(f"SMS Aero: {answers[-1].said}"[:200])
    return found
