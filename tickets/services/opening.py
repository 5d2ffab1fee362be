"""A ticket begins: from a dialogue, by rules and topic."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Group, Staff
from core import audit, events
from core.refusal import Refusal
from core.statements import Prepared, insert, insert_all
from core.text import storable
from omni.models import Session
from omni.states import Direction, SessionState
from sla.models import Metric, Policy
from sla.services import clocks
from stores.models import Store
from tickets.events import CaseOpened
from tickets.models import Case, Topic
from tickets.services import asked, cases, duplicates, promising, routebook, rows, subjects, topics, ways
from tickets.services.guest_news import heard as tell_guest
from tickets.services.promising import Promise
from tickets.services.ways import Way
from tickets.states import CaseState, Step

PROMISES = (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.HANDOVER)


_POLICY = Prepared(lambda pk, group: _policies(Group.objects.filter(pk=group, is_active=True)).filter(pk=pk))


def _policies(group_in_use: "QuerySet[Group]") -> "QuerySet[Any]":
    return Policy.objects.select_related("calendar").annotate(group_in_use=Exists(group_in_use))


def next_number() -> str:
    """The next ticket number, from a sequence of the database: never given twice, holes allowed."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('ticket_number')")
        return str(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def open_ticket(
    *,
    session_id: int,
    topic: Topic,
    by: Staff,
    now: datetime,
    store: Store | None = None,
    summary: str = "",
    priority: int = 0,
    details: Mapping[str, object] | None = None,
) -> Case:
    """Open a ticket from a conversation and route it by rules and topic. The operator's dialogue goes on until it is finished.

    `details` are what the topic asks for, by code; None = whoever opens it is asked for nothing (the system itself).
    Raises Refusal: the topic needs a store or a detail, is switched off, or nobody is responsible for it.
    """
    session = cases.conversation_of(session_id)
    return open_in(session, topic=topic, by=by, now=now, store=store, summary=summary, priority=priority, details=details)


def open_in(
    session: Session,
    *,
    topic: Topic,
    by: Staff | None,
    now: datetime,
    store: Store | None = None,
    summary: str = "",
    priority: int = 0,
    details: Mapping[str, object] | None = None,
    previous: Case | None = None,
) -> Case:
    """As `open_ticket`, in a locked conversation inside the caller's transaction. `by` None = the guest came back (`previous`).

    In a dialogue among ourselves the ticket has no guest, and needs no store.
    """
    given = asked.checked(topic, details, now=now) if details is not None else {}
    way, policy, promise = _routed(session, topic, store=store, priority=priority, now=now)
    if previous is not None:  # the guest has only written again: people look whether it is for the store
        way.to_store = False
    case = Case(
        number=next_number(),
        guest=session.guest if session.guest.is_person else None,
        session=session,
        topic=topic,
        policy=policy,
        group_id=way.group_id,
        store=store,
        owner=way.owner,
        at_store=way.to_store,
        state=_first_state(way),
        details=given,
        previous=previous,
        summary=storable(summary).strip() or _first_words(session),
        priority=priority,
        routing=way.told() | {"promise": dict(promise.reason)},
        opened_at=now,
        opened_by=by,
        waiting_since=(session.waiting_since or now) if session.guest.is_person else None,
        last_at=now,
    )
    insert(case)
    _begin(case, session, path=way.topic.path, now=now)
    return case


def _begin(case: Case, session: Session, *, path: Sequence[str], now: datetime) -> None:
    """What comes with a ticket: history, clocks, its row, the news."""
    subjects.note_topic(session, case.topic)
    opened = cases.step_row(case, Step.OPENED, by=case.opened_by, now=now, details={"topic": list(path)})
    insert_all([opened, cases.step_row(case, Step.ROUTED, by=None, now=now, details=case.routing)])
    tell_guest(case, Step.OPENED, now=now)
    zone = cases.zone_of(case)
    promises = PROMISES if case.guest_id is not None else cases.WITHOUT_GUEST
    running = clocks.start(subject=case.clock_subject, policy=case.policy, metrics=promises, now=now, is_new=True, store_zone=zone)
    audit.record(action="case.opened", by=case.opened_by, subject=case, now=now, details={"topic": case.topic.code, "group": case.group_id})
    rows.show(case, now=now, preview=case.summary, running=running)
    duplicates.note_opened(case, now=now)
    if session.state == SessionState.CLOSED:
        cases.keep_open(session)
    events.publish(CaseOpened(case_id=case.pk))


def _routed(session: Session, topic: Topic, *, store: Store | None, priority: int, now: datetime) -> "tuple[Way, Any, Promise]":
    """Where the ticket goes, its policy and why. Raises Refusal."""
    asks = topics.resolved(topic)
    if not topics.facts()[topic.pk].is_active:
        raise Refusal("topic_off", _("This topic is not used any more. Please choose another one."))
    if asks.store_required and store is None and session.guest.is_person:
        raise Refusal("store_needed", _("Please name the store: tickets on this topic need it."), status=400)
    channel = session.account.kind
    way = ways.choose(topic, store=store, channel=channel, priority=priority, now=now)
    promise = promising.promise_for(asks, channel=channel, priority=priority, group_id=way.group_id, guest=session.guest, store=store)
    if promise.policy_id is None:
        raise Refusal("no_route", _("No group or SLA policy is set for this topic. Please tell your supervisor."))
    policy = _POLICY.get(pk=promise.policy_id, group=way.group_id)
    if not policy.group_in_use:  # switched off since this process read the rules: now its stand-in, or a refusal
        routebook.forget()
        way = ways.choose(topic, store=store, channel=channel, priority=priority, now=now)
    return way, policy, promise


def _first_state(way: Way) -> CaseState:
    if way.to_store:
        return CaseState.WAITING_STORE
    return CaseState.IN_WORK if way.owner else CaseState.ROUTED


def _first_words(session: Session) -> str:
    """What the guest began with since the dialogue was opened, or opened again: what was said before was another matter."""
    said = session.messages.filter(direction=Direction.IN, is_automatic=False).exclude(text="").order_by("seq")
    first = said.filter(received_at__gte=session.opened_at).first() or said.first()
    return (first.visible_text or first.text) if first else ""
