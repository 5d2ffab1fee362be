"""A mail that came back: our message was not delivered."""

from datetime import datetime

from omni.channels.contract import DeliveryState, Inbound
from omni.models import ChannelAccount, Message, Session
from omni.services import conversations, sending
from omni.states import Direction


def apply(*, account: ChannelAccount, item: Inbound, now: datetime) -> Message | None:
    """Mark our message failed (permanent) or note the delay (temporary); a line in the dialogue says why.

    `item.extra` as the mail channel gives it: `bounce_message_id`, `bounce_permanent`, `bounce_recipient`, `bounce_status`.
    """
    ours = str(item.extra.get("bounce_message_id") or "")
    message = Message.objects.filter(account=account, external_id=ours).select_related("session").first() if ours else None
    if message is None:
        return None
    session = Session.objects.select_for_update().get(pk=message.session_id)
    if item.extra.get("bounce_permanent"):
        sending.apply_status(account=account, external_id=ours, state=DeliveryState.FAILED.value, error=item.text[:240], now=now)
    return conversations.add_line(
        session=session, direction=Direction.SYSTEM, text=item.text, by=None, now=now, external_id=item.external_id
    )
