"""A line of operators and a queue that waits for them: decisions timed one by one, and everything worked off by many hands."""

import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from accounts.models import Group, Membership, Staff
from core.models import AuditEntry
from core.refusal import Refusal
from customers.models import Guest, Identity
from omni.models import ChannelAccount, Decision, Presence, Session
from omni.services import conversations, distribution
from omni.states import PresenceState, SessionState
from tests import builders as b
from worklist.models import Item
from worklist.states import Kind

CHUNK = 500
# So many dialogues a hand finishes before it looks for new ones again.
FINISHED_AT_ONCE = 20


def prepare(*, operators: int, waiting: int, capacity: int) -> dict[str, int]:
    """People on line for hours to come in a group of their own, and dialogues that wait since different moments."""
    group = b.a_group("bench-line", "Линия")
    _people(group, operators, capacity)
    account = b.an_account(queue=b.a_queue("bench-line", group))
    _dialogues(account, group, waiting)
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    return {"group": group.pk}


def _people(group: Group, number: int, capacity: int) -> None:
    now, later = timezone.now(), timezone.now() + timedelta(hours=6)
    role = b.a_role()
    made = Staff.objects.bulk_create([Staff(login=f"op-{one}", full_name=f"Оператор {one}", password="!") for one in range(number)])
    Membership.objects.bulk_create([Membership(staff=staff, group=group) for staff in made])
    Staff.roles.through.objects.bulk_create([Staff.roles.through(staff_id=staff.pk, role_id=role.pk) for staff in made])
    times = {"since": now, "seen_at": later, "assigned_at": now}
    Presence.objects.bulk_create([Presence(staff=staff, state=PresenceState.READY, capacity=capacity, **times) for staff in made])


def _dialogues(account: ChannelAccount, group: Group, number: int) -> None:
    begun, scope = timezone.now() - timedelta(seconds=number), str(account.public_id)
    guests = Guest.objects.bulk_create([Guest(name=f"Гость {one}", created_at=begun) for one in range(number)], batch_size=CHUNK)
    known = [
        Identity(guest=guest, channel=account.kind, scope=scope, external_id=f"bench-{one}", created_at=begun)
        for one, guest in enumerate(guests)
    ]
    identities = Identity.objects.bulk_create(known, batch_size=CHUNK)
    sessions = []
    for one, identity in enumerate(identities):
        at = begun + timedelta(seconds=one)
        times = {"opened_at": at, "last_message_at": at, "waiting_since": at}
        sessions.append(Session(account=account, identity=identity, guest_id=identity.guest_id, queue=account.queue, **times))
    for session in Session.objects.bulk_create(sessions, batch_size=CHUNK):
        session.account = account
    Item.objects.bulk_create([_row(session, group) for session in sessions], batch_size=CHUNK)


def _row(session: Session, group: Group) -> Item:
    since = session.last_message_at
    facts = {"guest_id": session.guest_id, "channel": session.account.kind, "group": group, "waiting_since": since, "last_at": since}
    return Item(kind=Kind.SESSION, subject_id=session.pk, session_id=session.pk, **facts)


def decide(*, group: int, number: int, warm: int) -> dict[str, Any]:
    """`times`: milliseconds of so many decisions, each from asking to the commit. `processor`: what one of them computes in our process."""
    found, used = [], 0.0
    for one in range(number + warm):
        if one == warm:
            found, used = [], time.process_time()
        begun = time.perf_counter()
        given = distribution.give_out(group_id=group, now=timezone.now(), limit=1)
        found.append(1000 * (time.perf_counter() - begun))
        if not given:
            raise RuntimeError("Nothing was given out.")
    return {"times": found, "processor": 1000 * (time.process_time() - used) / number}


def work(*, group: int, hands: int, part: int, parts: int) -> dict[str, Any]:
    """Many hands at once give out and finish until nothing is left; the sums of what was seen to be wrong meanwhile."""
    faults: Counter[str] = Counter()
    begun = time.time()
    threads = [threading.Thread(target=_hand, args=(group, part * hands + one, parts * hands, faults)) for one in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"begun": begun, "ended": time.time(), "faults": dict(faults)}


def _hand(group: int, mine: int, hands: int, faults: Counter[str]) -> None:
    try:
        idle = 0
        while idle < 50:
            given = distribution.give_out(group_id=group, now=timezone.now(), limit=10)
            over = Presence.objects.filter(load__gt=F("capacity")).count()
            faults["above capacity"] += over
            done = _finish(mine, hands)
            idle = 0 if given or done else idle + 1
            if not Session.objects.exclude(state=SessionState.CLOSED).exists():
                return
    except Exception as fault:  # noqa: BLE001  told by the measurement
        faults[repr(fault)[:200]] += 1
    finally:
        connection.close()


def _finish(mine: int, hands: int) -> int:
    """Finish some of the dialogues of the operators whose turn is with this hand."""
    active = Session.objects.filter(state=SessionState.ACTIVE).annotate(turn=F("owner_id") % hands).filter(turn=mine)
    found = list(active.order_by("assigned_at").values_list("pk", "owner")[:FINISHED_AT_ONCE])
    owners = Staff.objects.in_bulk([owner for _pk, owner in found])
    for pk, owner in found:
        try:
            conversations.close(session_id=pk, by=owners[owner], now=timezone.now())
        except Refusal:
            continue
    return len(found)


def checked() -> dict[str, int]:
    """What the rows say afterwards: dialogues, those given more than once, loads that lie, places out of the order of waiting."""
    given = Counter(AuditEntry.objects.filter(action="session.given").values_list("subject", flat=True))
    decided = list(Decision.objects.order_by("pk").values_list("session__opened_at", flat=True))
    held = Session.objects.filter(state=SessionState.ACTIVE).aggregate(sum=Sum("held_weight"))["sum"] or 0
    loads = Presence.objects.aggregate(sum=Sum("load"))["sum"] or 0
    return {
        "given": len(given),
        "twice": sum(times > 1 for times in given.values()),
        "lies": abs(held - loads),
        "disorder": sum(before > after for before, after in pairwise(decided)),
    }
