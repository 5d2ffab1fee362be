"""Calls of Asterisk: what its listener (omni.services.exchanges) keeps is read here. Nothing is delivered to us by HTTP."""

import re
from collections.abc import Sequence
from urllib.parse import quote

import httpx
from django.utils.translation import gettext as _

from omni.channels.asterisk import ami_events, ari_events, wire
from omni.channels.asterisk.account import AMI, FORM
from omni.channels.asterisk.ari import client_of
from omni.channels.asterisk.reading import Reading
from omni.channels.contract import AccountConfig, AttachmentGone, Finding, Inbound, InboundAttachment, RawEvent, Unverified
from omni.channels.http import client_for, connection_of, download, own_host
from omni.channels.json_fields import digest_key
from omni.channels.telephony.exchange import Exchange

_OWN_TIME = re.compile(rb'^Timestamp:|"timestamp"', re.MULTILINE)


class AsteriskAdapter(Exchange):
    """Settings: `interface` ari or ami, `user`, the interface's own; secret `password`. The form names them all."""

    kind = "asterisk"
    form = FORM

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Asterisk posts nothing: whatever comes by HTTP is somebody else's."""
        raise Unverified("Asterisk delivers nothing by HTTP")

    def event_key(self, event: RawEvent) -> str:
        """A digest of the event; without a time of its own, of its arrival too: it can only be told twice by being there twice."""
        own_time = _OWN_TIME.search(event.body) is not None
        return digest_key(event.body if own_time else event.body + event.received_at.isoformat().encode())

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        """ARI speaks JSON, AMI lines: the first character tells which."""
        reading = Reading.of(account, self.event_key(event), event.received_at)
        of_ari = event.body.lstrip()[:1] in (b"{", b"[") or not event.body.strip()
        return ari_events.items_of(event.body, reading) if of_ari else ami_events.items_of(event.body, reading)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """`ref` is the recording's name."""
        name = quote(attachment.ref, safe="")
        if account.settings.get("interface") != AMI:
            client = client_of(account)
            return download(client, str(client.base_url.join(f"ari/recordings/stored/{name}/file")), limit=limit, allow=_own(client))
        address = str(account.settings.get("recordings") or "")
        if "{name}" not in address:
            raise AttachmentGone("the account names no address of recordings")
        client = client_for(account, connection_of(account, base=address.partition("{name}")[0]), name="recordings")
        return download(client, address.replace("{name}", name), limit=limit, allow=_own(client))

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Sign in and count the channels; nothing is heard or changed."""
        try:
            with wire.open_wire(account) as found:
                channels = len(found.seen())
        except wire.ExchangeFault as fault:
            return [Finding(False, str(fault))]
        return [Finding(True, _("The exchange answers; channels now: %(count)d") % {"count": channels})]


def _own(client: httpx.Client) -> "wire.Allow":
    return own_host(str(client.base_url))
