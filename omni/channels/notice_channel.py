"""What channels that only take notices share: nobody writes here, nothing is fetched."""

from collections.abc import Sequence

from omni.channels.contract import AccountConfig, AttachmentGone, Inbound, InboundAttachment, RawEvent, Unreadable, Unverified
from omni.channels.json_fields import digest_key


class NoticeChannel:
    """The parts of omni.channels.contract.Adapter of a vendor that delivers nothing to us; those with statuses replace them."""

    def verify(self, event: RawEvent, account: AccountConfig) -> None:
        """Nobody posts here."""
        raise Unverified("this channel has no webhook")

    def event_key(self, event: RawEvent) -> str:
        return digest_key(event.body)

    def parse(self, event: RawEvent, account: AccountConfig) -> Sequence[Inbound]:
        raise Unreadable("this channel has no webhook")

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Notices have no files."""
        raise AttachmentGone("notices have no files")
