"""The labelled set (bench.guests.matters) as tickets of a real base, opened by the product's own service, and what it then offers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from bench.guests.matters import Report, reports
from customers.models import Guest, Identity
from omni.models import Session
from tests import builders as b
from tests import shipped
from tickets.models import Case, Likeness, Topic
from tickets.services import opening
from tickets.services import topics as tree

STORES = 60


@dataclass
class Measured:
    """Pairs of tickets: offered and right, offered and wrong, of one matter and not offered. `wrong` and `missed` count the reasons."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    told: dict[str, list[str]] = field(default_factory=lambda: {"wrong": [], "missed": []})

    @property
    def duplicates(self) -> int:
        return self.right + self.missed

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.right + self.missed, 1)


def measure(*, matters: int, seed: int) -> Measured:
    """Open the set's tickets in the order of their time and judge what was offered for each."""
    told = reports(matters, seed=seed, stores=STORES)
    opened = dict(zip([case.pk for case in open_all(told)], told, strict=True))
    return judge(opened)


def judge(opened: dict[int, Report]) -> Measured:
    found, offered = Measured(), {(row.case_id, row.other_id): row for row in Likeness.objects.filter(case__in=opened)}
    by_pk = list(opened.items())
    for at, (pk, report) in enumerate(by_pk):
        for other_pk, other in by_pk[:at]:
            row, same = offered.get((pk, other_pk)), report.matter == other.matter
            if row and same:
                found.right += 1
            elif row:
                found.wrong += 1
                found.told["wrong"].append(f"{row.score} {row.reasons}\n   {report}\n   {other}")
            elif same:
                found.missed += 1
                found.told["missed"].append(f"{report}\n   {other}")
    return found


def open_all(told: list[Report]) -> Iterator[Case]:
    shipped.load()
    begin = timezone.now() - timedelta(days=90)
    account, operator = b.an_account("webchat"), b.a_person("measured", "Опера Тор")
    stores = [b.a_store(str(50_000 + number)) for number in range(STORES)]
    topics = {topic.code: topic for topic in Topic.objects.all()}
    guests: dict[int, Guest] = {}
    for report in told:
        now = begin + timedelta(hours=report.hour)
        guest = guests.get(report.guest) or guests.setdefault(report.guest, _guest(report, now))
        identity = Identity.objects.create(
            guest=guest, channel="webchat", scope=str(account.public_id), external_id=f"{report.guest}-{now}", created_at=now
        )
        facts = {"account": account, "identity": identity, "guest": guest, "queue": account.queue}
        session = Session.objects.create(**facts, opened_at=now, last_message_at=now)
        topic = topics[report.topic]
        # Where the topic wants a store, whoever opens the ticket asks the guest for it.
        at = report.home if tree.resolved(topic).store_required else report.store
        store = None if at is None else stores[at]
        yield opening.open_ticket(session_id=session.pk, topic=topic, by=operator, now=now, store=store, summary=report.text)


def _guest(report: Report, now) -> Guest:
    return Guest.objects.create(name=report.name, phone=report.phone, created_at=now)
