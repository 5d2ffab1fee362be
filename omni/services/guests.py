"""What omni keeps of a guest hangs on identities: dialogues, messages, rows of the list. They go where the identity goes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.live import announce
from customers.models import Guest
from omni.models import Message, Session
from worklist.services import items
from worklist.states import Kind


class DialogueHolder:
    """Registered with customers: moves dialogues, their messages and rows inside a merge."""

    place = 10

    def count(self, identity_ids: Sequence[int]) -> Mapping[str, int]:
        sessions = list(Session.objects.filter(identity__in=identity_ids).values_list("pk", flat=True))
        return {
            "sessions": len(sessions),
            "messages": Message.objects.filter(session__in=sessions).count(),
            "rows": items.count(kind=Kind.SESSION, subject_ids=sessions),
        }

    def move(self, identity_ids: Sequence[int], *, guest: Guest, now: datetime) -> Mapping[str, int]:
        # Whoever writes into a dialogue holds its row and reads whose it is there, so no message can be left behind.
        held = Session.objects.select_for_update(of=("self",)).filter(identity__in=identity_ids).order_by("pk")
        sessions = list(held.only("pk", "guest_id"))
        ids = [session.pk for session in sessions]
        Session.objects.filter(pk__in=ids).update(guest=guest)
        moved = Message.objects.filter(session__in=ids).update(guest=guest)
        rows = items.give_to_guest(kind=Kind.SESSION, subject_ids=ids, guest=guest)
        _tell(sessions, guest)
        return {"sessions": len(ids), "messages": moved, "rows": rows}

    def namesakes(self, guest: Guest, *, limit: int) -> Mapping[int, str]:
        return {}


def _tell(sessions: Sequence[Session], guest: Guest) -> None:
    """Screens that show the guest who had the dialogues go over to the one who has them now; those of the latter read the feed anew."""
    by_guest: dict[int, list[int]] = defaultdict(list)
    for session in sessions:
        by_guest[session.guest_id].append(session.pk)
    for was, ids in by_guest.items():
        told = {"session_ids": ids[:200], "guest_id": guest.pk, "was": was}
        announce(kind="guest_changed", payload=told, topics=[f"guest:{was}", f"guest:{guest.pk}"])
