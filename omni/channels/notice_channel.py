"""What channels that only take notices share: nobody writes here, nothing is fetched."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from omni.channels.asking import findings
from omni.channels.contract import (
    AccountConfig,
    AttachmentGone,
    Failed,
    Finding,
    Inbound,
    InboundAttachment,
    Outgoing,
    PollFault,
    RawEvent,
    Reason,
    Retry,
    SendResult,
    Unreadable,
    Unverified,
)
from omni.channels.json_fields import digest_key
from omni.channels.segments import segments

MOST_PARTS = 4
TRIED_TOKEN = "otklik-connection-check"  # noqa: S105 - nobody's token


class NoticeChannel:
    """The parts of omni.channels.contract.Adapter of a vendor that delivers nothing to us; those with statuses replace them."""

    medium = "sms"
    """What reaches the guest (omni.models.NoticeMedium)."""

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


class PushChannel(NoticeChannel):
    """A vendor of push notices."""

    medium = "push"

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        raise NotImplementedError

    def check(self, account: AccountConfig, address: str) -> Sequence[Finding]:
        """Whether the provider takes our key: a push to nobody must fail for the token and for nothing else."""

        def question() -> None:
            result = self.send(Outgoing(key="check", recipient=TRIED_TOKEN, text="-"), account)
            if isinstance(result, Retry) or (isinstance(result, Failed) and result.reason is not Reason.CONTACT_GONE):
                raise PollFault(_("The provider says: %(text)s") % {"text": result.text})

        return findings(question, _("The provider takes our key."))


def too_many_parts(text: str, account: AccountConfig) -> Failed | None:
    """The refusal of a text that takes more SMS than the account's setting `most_parts` allows, else None."""
    most, needed = int(account.settings.get("most_parts") or MOST_PARTS), segments(text).parts
    return Failed("too_many_parts", f"{needed} SMS, at most {most} are allowed", Reason.TOO_LONG) if needed > most else None
