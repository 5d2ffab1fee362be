"""Huawei's Push Kit as a channel for notices."""

from omni.channels.contract import AccountConfig, Outgoing, SendResult
from omni.channels.hms import sending
from omni.channels.hms.account import FORM
from omni.channels.notice_channel import PushChannel


class HmsAdapter(PushChannel):
    """Push out to Huawei's devices; nothing comes in.

    Settings of an account: `app_id`, `click_action`, `quiet_from`, `quiet_until` (HH:MM), `api_base`, `token_address`, `proxy`,
    `read_timeout` (seconds). Secret: `app_secret`.
    """

    kind = "hms"
    form = FORM
    capabilities = sending.CAPABILITIES

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Recipient is a token; one that is gone is Failed with CONTACT_GONE."""
        return sending.send(outgoing, account)
