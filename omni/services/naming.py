"""Names of guests whom the channel's events do not name: the provider is asked once for each, after the message is in."""

from datetime import datetime

from django.db import transaction

from customers.models import Identity
from customers.services import identities
from omni import dispatch
from omni.channels.abilities import Naming
from omni.channels.registry import adapter_for
from omni.models import ChannelAccount, Session
from omni.services import conversations, rows
from omni.states import SessionState


def ask_for(identity: Identity, account: ChannelAccount) -> None:
    """Have the provider asked when this message is committed. A lost call is made up for by the guest's next message."""
    if not identity.display_name and isinstance(adapter_for(account.kind), Naming):
        dispatch.after_commit("omni.tasks.name_guest", expires=300, identity_id=identity.pk)


def name_guest(identity_id: int, *, now: datetime) -> str:
    """Ask the provider and write the name down, on the screens too; the name, empty if it is not told or known already."""
    identity = Identity.objects.filter(pk=identity_id, display_name="").first()
    account = ChannelAccount.objects.filter(public_id=identity.scope).first() if identity else None
    if identity is None or account is None:
        return ""
    name = _asked(account, identity.external_id)
    if name:
        _write(identity, name, now=now)
    return name


def _asked(account: ChannelAccount, external_id: str) -> str:
    adapter = adapter_for(account.kind)
    return adapter.name_of(external_id, account.config()) if isinstance(adapter, Naming) else ""


@transaction.atomic
def _write(identity: Identity, name: str, *, now: datetime) -> None:
    # Under the identity's lock, as a message that tells the name.
    identities.recognise(
        channel=identity.channel, scope=identity.scope, external_id=identity.external_id, name=name, vouched=False, now=now
    )
    for session in Session.objects.filter(identity=identity).exclude(state=SessionState.CLOSED):
        rows.show(conversations.lock(session.pk), now=now)
