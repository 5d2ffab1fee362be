"""Dialogues that our people have among themselves, as a channel: notes only, nothing comes in, nothing goes out."""

from django.utils.translation import gettext_lazy as _

from omni.channels.account_form import KindForm
from omni.channels.contract import AccountConfig, Capabilities, Failed, Outgoing, SendResult
from omni.channels.notice_channel import NoticeChannel

FORM = KindForm(name=_("Among ourselves"), has_webhook=False, is_ours=True)


class InnerAdapter(NoticeChannel):
    """Its one account is made by the product itself (omni.services.inner)."""

    kind = "inner"
    form = FORM
    capabilities = Capabilities(text_limit=0, private=True, notices_only=True)
    medium = ""

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """There is nobody to send to."""
        return Failed("nobody", "this dialogue has no guest")
