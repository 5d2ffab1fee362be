"""What omni does when a lower app tells something."""

from core import events
from customers.events import IdentityVerified
from omni import dispatch


@events.on(IdentityVerified)
def look_for_the_same_guest(event: IdentityVerified) -> None:
    """Outside the message's transaction: joining two guests locks both, and a message must not wait for that."""
    dispatch.after_commit("omni.tasks.link_guest", identity_id=event.identity_id)
