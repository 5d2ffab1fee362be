"""Firebase Cloud Messaging (HTTP v1) as a channel for notices (https://firebase.google.com/docs/cloud-messaging)."""

from omni.channels.contract import AccountConfig, Outgoing, SendResult
from omni.channels.fcm import sending
from omni.channels.fcm.account import FORM
from omni.channels.notice_channel import PushChannel


class FcmAdapter(PushChannel):
    """Push out to Android and Apple's devices; nothing comes in.

    Settings of an account: `project`, `quiet_from`, `quiet_until` (HH:MM), `api_base`, `token_address`, `proxy`,
    `read_timeout` (seconds). Secret: `service_account` (its JSON).
    """

    kind = "fcm"
    form = FORM
    capabilities = sending.CAPABILITIES

    def send(self, outgoing: Outgoing, account: AccountConfig) -> SendResult:
        """Recipient is a registration token; one that is gone is Failed with CONTACT_GONE."""
        return sending.send(outgoing, account)
