"""The chat of our own mobile app: the same API and events as the web chat, an account and a form of its own."""

from omni.channels.mobile.account import FORM
from omni.channels.webchat.adapter import WebChatAdapter


class MobileAdapter(WebChatAdapter):
    """Implements omni.channels.contract.Adapter; what the app says of itself comes with each message (`facts`)."""

    kind = "mobile"
    form = FORM
