"""Counted tickets in bulk, with figures drawn by a seeded generator."""

import random
from datetime import timedelta

from omni.models import Session
from reports.models import CaseFact
from tests import builders as b
from tickets.models import Case
from tickets.states import CaseState, Cause


def many_facts(count, *, now, seed=1, days=40):
    """`count` facts of closed tickets over the last `days`, in several groups, topics, stores, channels."""
    pick = random.Random(seed)
    b.receive(b.an_account("webchat"), b.webchat_event(visitor=f"seed-{seed}"), now=now)
    session = Session.objects.select_related("guest").latest("pk")
    people = [None, *(b.a_person(f"p{seed}-{n}", f"Имя {n}") for n in range(2))]
    groups = [b.a_group(f"g{n}", f"Группа {n}") for n in range(3)]
    topics = [b.a_topic(f"t{n}", group=groups[n % 3]) for n in range(4)]
    stores = [None, b.a_store("1"), b.a_store("2")]
    cases = []
    for number in range(count):
        topic, store, closed = pick.choice(topics), pick.choice(stores), now - timedelta(seconds=pick.randrange(days * 86400))
        cases.append(
            Case(
                number=f"{seed}-{number}",
                guest=session.guest,
                session=session,
                topic=topic,
                policy=topic.policy,
                group=pick.choice(groups),
                store=store,
                owner=pick.choice(people),
                state=CaseState.CLOSED,
                opened_at=closed - timedelta(hours=pick.randrange(1, 90)),
                opened_by=people[1],
                last_at=closed,
                closed_at=closed,
                cause=pick.choice(Cause.values),
            )
        )
    return CaseFact.objects.bulk_create([_fact(case, pick) for case in Case.objects.bulk_create(cases)])


def _fact(case, pick):
    return CaseFact(
        case=case,
        number=case.number,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        group=case.group,
        topic=case.topic,
        store=case.store,
        region=case.store.region if case.store else None,
        channel=pick.choice(["telegram", "email", "webchat"]),
        owner=case.owner,
        cause=case.cause,
        first_answer_seconds=pick.choice([None, pick.randrange(10_000)]),
        resolution_seconds=pick.randrange(100_000),
        answered_in_time=pick.choice([None, True, False]),
        resolved_in_time=pick.choice([None, True, False]),
        messages_in=pick.randrange(9),
        messages_out=pick.randrange(9),
        reopened=pick.randrange(3),
    )
