"""What the guest of a joined ticket says later goes to the end of the main ticket, in a transaction of its own.

The main ticket's dialogue is another one, and two dialogues are never locked one after the other in the order of chance.
"""

from datetime import datetime

from django.db import transaction

from core.statements import insert
from omni import dispatch
from omni.models import Message, Session
from omni.services import conversations
from omni.states import Direction, SessionState
from tickets.models import Case, CaseLink, JoinedWord
from tickets.services import chains, following, linking
from tickets.states import CaseState

TELL = "tickets.tasks.tell_main_tickets"
BATCH = 100


class JoinedFollower:
    """Registered with omni: a dialogue of a joined ticket belongs to the main one for as long as that is open."""

    def holds(self, session: Session) -> bool:
        return bool(chains.joined_through(session))

    def on_inbound(self, session: Session, message: Message, *, now: datetime) -> None:
        for case_id in chains.joined_through(session)[:1]:
            insert(JoinedWord(message_id=message.pk, case_id=case_id, at=now), or_nothing=True)
            dispatch.wake(TELL)

    def on_answered(self, session: Session, message: Message, *, now: datetime) -> None:
        """Nothing: the answer went to this guest only; the main ticket's own is answered in its dialogue."""

    def on_sent(self, session: Session, message: Message, *, now: datetime) -> None:
        """Nothing, as for `on_answered`."""

    def on_unanswered(self, session: Session, message: Message, *, now: datetime) -> None:
        """Nothing, as for `on_answered`: its author is told."""

    def on_parked(self, session: Session, *, now: datetime) -> None:
        """Nothing: what was said before is known."""

    def on_returned(self, session: Session, *, now: datetime) -> None:
        """Nothing: the guest's word is told to the main ticket, whoever has the dialogue."""

    def on_reopened(self, session: Session, *, now: datetime) -> None:
        """Nothing: the main ticket is closed then, else the dialogue were not."""


@transaction.atomic
def tell(message_id: int, *, now: datetime) -> bool:
    """Tell the main ticket of the message; False = somebody else does, or there is nothing to tell any more."""
    word = JoinedWord.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=message_id, told_at=None).first()
    if word is None:
        return False
    JoinedWord.objects.filter(pk=word.pk).update(told_at=now)
    main_id = chains.end_of(word.case_id)
    if main_id == word.case_id:  # split again meanwhile
        return False
    held = linking.lock_all({main_id, word.case_id})
    main, joined = held[main_id], held[word.case_id]
    if main.state == CaseState.CLOSED:
        return False
    message = Message.objects.select_related("session__account", "guest").get(pk=message_id)
    if joined.guest_id == main.guest_id and joined.session_id == message.session_id:
        # One guest: the ticket is answered where the guest wrote last.
        linking.swap_dialogues(main, joined, now=now)
    elif joined.guest_id != main.guest_id:
        _quote(main, joined, message, now=now)
    following.hear_on(main, message, since=now, now=now, details={"message": message.pk, "case": joined.number})
    return True


def _quote(main: Case, joined: Case, message: Message, *, now: datetime) -> None:
    """Another guest's word stands as a note in the feed of the main ticket's guest, who never sees it."""
    session = conversations.lock(main.session_id)
    said = f"№ {joined.number}, {message.guest}, {message.session.account.name}:\n{message.visible_text or message.text}"
    conversations.add_line(session=session, direction=Direction.NOTE, text=said, by=None, now=now, external_id=chains.quote_of(message))


def find_due(*, limit: int = BATCH) -> list[int]:
    """Messages that no main ticket was told of yet, the oldest first."""
    return list(JoinedWord.objects.filter(told_at=None).order_by("at").values_list("pk", flat=True)[:limit])


def let_go(*, now: datetime, limit: int = BATCH) -> int:
    """Close the dialogues of joined tickets whose main ticket has closed; how many. Safe to run twice."""
    joined = CaseLink.objects.filter(kind=CaseLink.Kind.DUPLICATE, undone_at=None, main__state=CaseState.CLOSED)
    parked = joined.filter(case__session__state=SessionState.PARKED).order_by("pk").values_list("case__session_id", flat=True)[:limit]
    closed = 0
    for session_id in set(parked):
        closed += conversations.close(session_id=session_id, by=None, now=now).state == SessionState.CLOSED
    return closed
