"""Letters about tickets, written down to be sent (tickets.services.mailing carries them out)."""

from datetime import datetime

from core.statements import insert
from tickets.asking import LetterKind
from tickets.models import Approval, Case, CaseLetter, StoreLink


def queue(
    *,
    kind: LetterKind,
    case: Case,
    address: str,
    key: str,
    now: datetime,
    link: StoreLink | None = None,
    approval: Approval | None = None,
    not_before: datetime | None = None,
) -> bool:
    """A letter to one mailbox, in the caller's transaction; the same key is the same letter. Returns whether it is new."""
    row = CaseLetter(key=key, kind=kind, case=case, link=link, approval=approval, address=address, created_at=now)
    row.next_at = not_before or now
    insert(row, or_nothing=True)
    return not row._state.adding
