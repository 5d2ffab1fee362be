"""Writing to a guest whose dialogue may be over, in the channel by which the guest came.

An open dialogue of that channel is gone on with; else the word is added to the last one, which stays closed: it gives nobody work until
the guest answers.
"""

from django.db.models import F

from customers.models import Identity
from omni.models import Session
from omni.services import conversations


def newest_of(*, identity_id: int, account_id: int) -> int | None:
    """The identity's open dialogue with the account, else the one that closed last; None = there was none."""
    mine = Session.objects.filter(identity=identity_id, account=account_id)
    return mine.order_by(F("closed_at").desc(nulls_first=True), "-opened_at").values_list("pk", flat=True).first()


def goes_on_in(session: Session) -> Session:
    """Where the guest of a closed dialogue is written to now; not locked."""
    newest = newest_of(identity_id=session.identity_id, account_id=session.account_id)
    if newest is None or newest == session.pk:
        return session
    return Session.objects.select_related("account", "identity", "guest", "queue").get(pk=newest)


def lock(session_id: int) -> Session:
    """The same, locked until the transaction ends, after the guest's identity: so no new dialogue opens meanwhile. Raises Refusal."""
    facts = Session.objects.filter(pk=session_id).values_list("identity_id", "account_id").first()
    if facts is None:
        return conversations.lock(session_id)
    Identity.objects.select_for_update(of=("self",)).get(pk=facts[0])
    return conversations.lock(newest_of(identity_id=facts[0], account_id=facts[1]) or session_id)
