"""One story, played through the services at times gone by, so that clocks, counters, audit and history are what they would be."""

import contextlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from accounts.models import Group, Staff
from customers.models import Identity
from demo.services.wire import event_body
from demo.stories import Stage, Story, picture
from omni.channels.contract import Failed, OutgoingFile, RawEvent, Reason, SendResult, Sent
from omni.models import Attempt, ChannelAccount, InboundEvent, Message, Session
from omni.services import answering, conversations, files, journal, sending
from omni.states import SendState, SessionState
from stores.models import Store
from tickets.models import Case, Topic
from tickets.services import cases, opening, topics
from tickets.states import CaseState, Cause


class Later(Exception):
    """The next step of the story has not happened yet."""


@dataclass
class Cast:
    """Who works: operators by the group of their queue, experts by group, store staff by store."""

    operators: dict[int, list[Staff]]
    experts: dict[int, list[Staff]]
    store_staff: dict[int, Staff]
    topics: dict[str, Topic]
    busy: dict[int, int] = field(default_factory=dict)
    """Dialogues in hand, by operator."""


MOST_IN_HAND = 4


class Play:
    """A story of one guest in one channel. `until` is the present: what would happen later does not happen."""

    def __init__(
        self, *, story: Story, account: ChannelAccount, identity: Identity, store: Store, cast: Cast, chance: random.Random
    ) -> None:
        self.story, self.account, self.identity, self.store, self.cast, self.chance = story, account, identity, store, cast, chance
        self.at = self.until = datetime.min.replace(tzinfo=UTC)
        self.session_id = 0
        self.operator: Staff | None = None

    def run(self, *, start: datetime, until: datetime, stage: Stage) -> None:
        """Play from `start` up to `stage`, or to where the story stands at `until`."""
        self.at, self.until = start, until
        with contextlib.suppress(Later):
            self._guest_says(self.story.opening, photo=self.story.photo and self.chance.random() < 0.6)
            if stage > Stage.WAITING:
                self._talk(stage)
        state = Session.objects.values_list("state", flat=True).get(pk=self.session_id)
        if self.operator and state == SessionState.ACTIVE:
            self.cast.busy[self.operator.pk] = self.cast.busy.get(self.operator.pk, 0) + 1

    def _talk(self, stage: Stage) -> None:
        self._take()
        if self.story.ask:
            self._answer(self._operator, self.story.ask)
        if self.story.detail and stage > Stage.ASKED:
            self._pass(1, 6)
            self._guest_says(self.story.detail)
        if stage <= Stage.TALKING:
            return
        if self.story.answer:
            self._answer_at_once()
        else:
            self._hand_on(stage)

    @property
    def _operator(self) -> Staff:
        assert self.operator is not None
        return self.operator

    def _pass(self, least: float, most: float) -> None:
        """Let minutes go by."""
        self.at += timedelta(minutes=self.chance.uniform(least, most))
        if self.at >= self.until:
            raise Later

    def _guest_says(self, text: str, *, photo: bool = False) -> None:
        body = event_body(self.account, self.identity, text, at=self.at, chance=self.chance, subject=self.story.subject)
        kept = journal.keep(account=self.account, event=RawEvent(body=body, headers={}, received_at=self.at))
        assert kept is not None
        journal.process(kept.pk, now=self.at)
        [message_id] = InboundEvent.objects.values_list("message_ids", flat=True).get(pk=kept.pk)
        message = Message.objects.get(pk=message_id)
        self.session_id = message.session_id
        if photo:
            file = OutgoingFile(name="photo.png", mime="image/png", data=picture(self.chance))
            files.store_uploads(message=message, uploads=[file])

    def _take(self) -> None:
        """An operator with room takes the dialogue; while nobody has any it waits."""
        free = [one for one in self.cast.operators[self.account.queue.group_id] if self.cast.busy.get(one.pk, 0) < MOST_IN_HAND]
        if not free:
            raise Later
        self._pass(0.5, 9 if self.chance.random() < 0.85 else 40)
        self.operator = self.chance.choice(free)
        if Session.objects.values_list("state", flat=True).get(pk=self.session_id) == SessionState.WAITING:
            conversations.take(session_id=self.session_id, by=self.operator, now=self.at)
        self._pass(0.3, 2)

    def _answer(self, by: Staff, text: str) -> None:
        message = answering.answer(session_id=self.session_id, text=text, by=by, now=self.at, over_newer=True)
        attempt = message.attempts.get()
        Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
        sending.finish(attempt_id=attempt.pk, result=self._fate(message), now=self.at)
        if self.account.kind == "webchat" and self.chance.random() < 0.9:
            message.refresh_from_db()
            sending.apply_status(account=self.account, external_id=message.external_id, state=SendState.READ.value, error="", now=self.at)

    def _fate(self, message: Message) -> SendResult:
        if self.chance.random() < 0.008:
            return Failed(code="403", text="Forbidden: bot was blocked by the user", reason=Reason.REJECTED)
        by_kind = {
            "telegram": f"{self.identity.external_id}:{self.chance.randint(10**6, 10**9)}",
            "webchat": f"out:{message.public_id}",
            "email": f"{self.session_id}.{message.public_id}@lukoshko.example",
        }
        return Sent(external_ids=[by_kind[self.account.kind]])

    def _answer_at_once(self) -> None:
        self._pass(0.5, 4)
        self._answer(self._operator, self.story.answer)
        if self.story.thanks and self.chance.random() < 0.8:
            self._pass(1, 8)
            self._guest_says(self.story.thanks)
        self._pass(0.5, 3)
        conversations.close(session_id=self.session_id, by=self._operator, now=self.at)

    def _hand_on(self, stage: Stage) -> None:
        """The operator opens a ticket, promises an answer, and is free for the next guest."""
        self._pass(0.5, 4)
        topic = self.cast.topics[self.story.topic]
        way = topics.resolved(topic)
        store = self.store if way.store_required or self.chance.random() < 0.3 else None
        case = opening.open_ticket(session_id=self.session_id, topic=topic, by=self._operator, now=self.at, store=store)
        if self.story.promise:
            self._answer(self._operator, self.story.promise)
        if self.story.note and self.chance.random() < 0.7:
            answering.note(session_id=self.session_id, text=self.story.note, by=self._operator, now=self.at)
        conversations.close(session_id=self.session_id, by=self._operator, now=self.at)
        if case.at_store and stage > Stage.HANDED_ON:
            self._ask_store(case)
        if stage > Stage.STORE_ANSWERED:
            self._work(case, stage)

    def _ask_store(self, case: Case) -> None:
        self._pass(20, 200)
        words = self.story.store or "Проверили, меры приняты."
        cases.store_answer(case_id=case.pk, text=words, by=self.cast.store_staff[self.store.pk], now=self.at)

    def _work(self, case: Case, stage: Stage) -> None:
        expert = self.chance.choice(self.cast.experts[case.group_id])
        self._pass(10, 120)
        cases.take(case_id=case.pk, by=expert, now=self.at)
        if stage == Stage.IN_WORK:
            self._wait_perhaps(case, expert)
            return
        self._pass(5, 90)
        self._answer(expert, self.story.expert)
        if stage < Stage.CLOSED:
            return
        if self.story.thanks:
            self._pass(3, 180)
            self._guest_says(self.story.thanks)
        self._pass(5, 60)
        cases.close(case_id=case.pk, cause=Cause(self.story.cause or Cause.SOLVED), by=expert, now=self.at)

    def _wait_perhaps(self, case: Case, expert: Staff) -> None:
        if self.chance.random() < 0.4:
            self._pass(5, 30)
            waiting = self.chance.choice([CaseState.WAITING_GUEST, CaseState.WAITING_THIRD])
            cases.wait_for(case_id=case.pk, state=waiting, by=expert, now=self.at)


def cast_of() -> Cast:
    """Everybody who works, from the base."""
    members: dict[int, list[Staff]] = {}
    for group in Group.objects.prefetch_related("staff").order_by("pk"):
        members[group.pk] = [person for person in group.staff.order_by("pk") if person.is_active]
    first_line = {group.pk for group in Group.objects.filter(line=Group.Line.FIRST)}
    store_staff: dict[int, Staff] = {}
    for store in Store.objects.prefetch_related("staff__staff"):
        for worker in store.staff.all():
            store_staff.setdefault(store.pk, worker.staff)
    return Cast(
        operators={pk: [one for one in people if one.login not in OBSERVERS] for pk, people in members.items() if pk in first_line},
        experts={pk: people for pk, people in members.items() if people},
        store_staff=store_staff,
        topics={topic.code: topic for topic in Topic.objects.all()},
    )


OBSERVERS = frozenset({"supervisor", "supervisor2", "senior"})
