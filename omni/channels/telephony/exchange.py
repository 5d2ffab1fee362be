"""What an adapter of an exchange need not say again."""

from omni.channels.contract import AccountConfig, AttachmentGone, Capabilities, Failed, InboundAttachment, Outgoing, SendResult


class Exchange:
    """A channel of calls: nothing can be written to it, and the sound stays in the exchange."""

    capabilities = Capabilities(text_limit=0)

    def fetch(self, attachment: InboundAttachment, account: AccountConfig, *, limit: int) -> bytes:
        """Raises AttachmentGone: this exchange gives no recordings."""
        raise AttachmentGone("this exchange gives no recordings")

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """A call cannot be answered by a text."""
        return Failed("no_text_in_calls", "a call cannot be answered by a text; call the guest back")
