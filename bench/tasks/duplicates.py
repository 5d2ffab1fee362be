"""Duplicates on a base of a given size: how good, how quick; and tickets opened with all that belongs to it."""

import time
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.tasks.desk import signed_in
from customers.models import Guest, Identity
from omni.models import ChannelAccount, Session
from stores.models import Store
from tests import builders as b
from tickets.models import Case, CasePrint, Likeness, Topic
from tickets.selectors import list_topics
from tickets.services import duplicates, prints
from tickets.services import topics as tree
from tickets.services.opening import open_ticket
from tickets.tests import likeness_set


def prepared() -> dict[str, int]:
    """Prints for all tickets of the base; how many there are."""
    while prints.add_missing():
        pass
    with connection.cursor() as cursor:
        cursor.execute("vacuum (analyze) tickets_caseprint")
    return {"cases": Case.objects.count(), "prints": CasePrint.objects.count()}


def measured(*, matters: int, seed: int) -> dict[str, Any]:
    """Precision and recall over the labelled set, opened among the base's tickets."""
    found = likeness_set.measure(matters=matters, seed=seed)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "duplicates": found.duplicates,
        "right": found.right,
        "wrong": found.wrong,
    }


def searched(*, number: int) -> dict[str, Any]:
    """Milliseconds of looking for duplicates of tickets from all over the base, as of the time each was opened; the first ones warm up."""
    top = Case.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    step = max(top // number, 1)
    asked = list(CasePrint.objects.filter(pk__in=range(top, 0, -step)).select_related("case__guest"))
    times, offered = [], 0
    for one in asked:
        begun = time.perf_counter()
        offered += len(duplicates.find(guest=one.case.guest, asked=one, case_id=one.pk))
        times.append((time.perf_counter() - begun) * 1000)
    return {"times": times[len(times) // 20 :], "offered": offered, "asked": len(asked)}


def dialogues(*, number: int) -> dict[str, Any]:
    """Open dialogues of known guests, in which tickets are then opened: ids, and what the tickets are about."""
    staff, _cookie = signed_in("bench-cases", groups=[], role=b.a_role("bench"))
    account = ChannelAccount.objects.filter(kind="webchat").select_related("queue").first() or b.an_account("webchat")
    now, ids = timezone.now(), []
    taken = f"bench {now.timestamp()}"
    for at, guest in enumerate(islice(Guest.objects.filter(merged_into=None).order_by("-pk").iterator(), number)):
        identity = Identity.objects.create(
            guest=guest, channel="webchat", scope=str(account.public_id), external_id=f"{taken} {at}", created_at=now
        )
        facts = {"account": account, "identity": identity, "guest": guest, "queue": account.queue}
        ids.append(Session.objects.create(**facts, opened_at=now, last_message_at=now - timedelta(seconds=1)).pk)
    topics = [one.id for one in list_topics() if not tree.resolved(Topic(pk=one.id)).store_involved]
    return {"sessions": ids, "staff": staff.pk, "topics": topics[:20], "stores": list(Store.objects.values_list("pk", flat=True)[:500])}


def opened(*, sessions: list[int], staff: int, topics: list[int], stores: list[int], warm: int = 20) -> dict[str, float]:
    """Open a ticket in each of these dialogues: routed, its clocks started, its duplicates looked for. When it began and ended."""
    person = b.Staff.objects.get(pk=staff)
    about = list(Topic.objects.filter(pk__in=topics))
    places = list(Store.objects.filter(pk__in=stores).select_related("region"))
    begun = time.monotonic()
    for at, session_id in enumerate(sessions):
        if at == warm:
            begun = time.monotonic()
        open_ticket(
            session_id=session_id,
            topic=about[at % len(about)],
            store=places[at % len(places)],
            by=person,
            now=timezone.now(),
            summary=f"Творог с вышедшим сроком стоит на полке, чек {10_000_000 + at}",
        )
    return {"begun": begun, "ended": time.monotonic(), "number": len(sessions) - warm, "found": Likeness.objects.count()}
