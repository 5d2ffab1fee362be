"""A bot's talk in a dialogue: each word of the guest is noted in its own transaction and answered once, in one of ours."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import translation

from bots import engine, rendering, summary
from bots.engine import MESSAGE, Place, Why
from bots.engine import Turn as Answer
from bots.models import Dialogue, Run, Turn
from bots.script import Script
from bots.services import asking, scripts
from bots.services.topics import line_of
from bots.states import RunState, TurnState, VersionState
from core.statements import Prepared, insert
from omni import dispatch
from omni.channels.contract import AttachmentKind
from omni.models import ChannelAccount, Message, Queue, Session
from omni.services import attending, conversations, distribution
from omni.services.reach import capabilities_of, has_private, is_private

log = structlog.get_logger(__name__)
# An answer that could not be written is tried again after these seconds; then a person takes over.
BACK_OFF = (2, 10, 30)
SPOKEN = frozenset({"voice", "asterisk"})
"""Exchanges that ask us what a caller hears (bots.services.calling)."""
_NOT_FILES = (AttachmentKind.CONTACT.value, AttachmentKind.LOCATION.value)
_RUN = Prepared(lambda session, opened: Run.objects.filter(session=session, opened_at=opened, call_key=""))
_PUBLISHED = Prepared(
    lambda code: Dialogue.objects.filter(code=code, versions__state=VersionState.PUBLISHED).values_list("versions__pk", flat=True)
)


class BotResponder:
    """Registered with omni: talks first where the account names a dialogue."""

    def offered(self, account: ChannelAccount) -> Sequence[tuple[str, str]]:
        """Dialogues with a published version."""
        if not (has_private(account.kind) or account.kind in SPOKEN):
            return []  # a balance told under a post would be told to everybody
        return list(Dialogue.objects.filter(versions__state=VersionState.PUBLISHED).values_list("code", "name"))

    def takes(self, session: Session, message: Message, *, now: datetime) -> bool:
        """From the first word of a dialogue on, until a person has it."""
        if not is_private(session):  # nor are calls: they are talked to while they go on
            return False
        run = _RUN.first(session=session.pk, opened=session.opened_at)
        if run is None:
            run = None if session.responder or session.opened_at != now else _begin(session)
        elif run.state != RunState.OPEN or not session.responder:
            return False
        if run is None:
            return False
        turn = insert(Turn(run=run, message=message, number=message.seq, next_at=now))
        dispatch.after_commit("bots.tasks.answer_turn", turn_id=turn.pk)
        return True

    def on_parted(self, session: Session, *, now: datetime) -> None:
        open_ones = Run.objects.filter(session=session, state=RunState.OPEN)
        open_ones.update(state=RunState.TAKEN, ended_at=now, next_at=None)


def _begin(session: Session) -> Run | None:
    """A talk by the published version of the account's dialogue; None when there is none (any more)."""
    version = _PUBLISHED.first(code=session.account.answers_first)
    if version is None:
        return None
    return insert(Run(version_id=version, account=session.account, session=session, opened_at=session.opened_at))


def answer(turn_id: int, *, now: datetime) -> bool:
    """Answer a guest's word and those before it, once; whether this call did. Safe to run twice and in parallel."""
    try:
        with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
            done, group = _answer(turn_id, now=now)
    except Exception:  # a broken script or database: the guest must not be left with a machine that says nothing
        log.exception("a bot could not answer", turn_id=turn_id)
        group = _put_off(turn_id, now=now)
        done = False
    if group:
        distribution.try_give_out(group_id=group, now=now)
    return done


def _answer(turn_id: int, *, now: datetime) -> tuple[bool, int]:
    """Whether something was answered, and the group that has to look for a person now (0 = none)."""
    found = Turn.objects.filter(pk=turn_id, state=TurnState.DUE).values_list("run_id", "run__session_id").first()
    if found is None or found[1] is None:
        return False, 0
    session = conversations.lock(found[1])
    run = Run.objects.select_for_update(of=("self",)).select_related("version__dialogue", "account").get(pk=found[0])
    due = list(run.turns.filter(state=TurnState.DUE).select_related("message").order_by("number"))
    for turn in due:
        _one(session, run, turn, now=now)
    handed = bool(due) and run.state == RunState.HANDED
    return bool(due), session.serving_group_id if handed else 0


def _one(session: Session, run: Run, turn: Turn, *, now: datetime) -> None:
    if run.state != RunState.OPEN or not session.responder or turn.message is None:
        turn.state = TurnState.SKIPPED
        turn.save(update_fields=["state"])
        return
    said = _said_to(session, run, turn.message, now=now)
    turn.state = TurnState.DONE
    turn.save(update_fields=["state"])
    carry_out(session, run, said, now=now)


def _said_to(session: Session, run: Run, message: Message, *, now: datetime) -> Answer:
    script, place = scripts.read(run.version), summary.place_from(run.place)
    known = asking.known_of(session.guest_id)
    facts = asking.facts_of(known, queue_of(session, place), can_share_phone=capabilities_of(session).asks_phone, now=now)
    perform = asking.performing(run, known, now=now)
    text = message.visible_text or message.text
    if place.step != MESSAGE and message.attachments.exclude(kind__in=_NOT_FILES).exists():
        return engine.hand(script, place, Why.FILE, facts, perform)
    if run.turns_done >= run.version.most_turns:
        return engine.hand(script, place, Why.LONG, facts, perform)
    if not run.place:
        return engine.begin_with(script, text, facts, perform)
    return engine.hear(script, place, text, facts, perform)


def queue_of(session: Session, place: Place) -> Queue:
    """Where a person would be looked for: the queue that the dialogue names, else the session's."""
    found = Queue.objects.select_related("policy__calendar").filter(code=place.queue).first() if place.queue else None
    return found or session.queue


def carry_out(session: Session, run: Run, said: Answer, *, now: datetime) -> None:
    """Say it, keep the place, and hand over or end where it says so. Session and run are locked."""
    script = scripts.read(run.version)
    reached = _say(session, script, said, now=now)
    run.place, run.turns_done = asdict(said.place), run.turns_done + 1
    run.next_at = now + timedelta(minutes=run.version.idle_minutes)
    if said.handed or not reached:
        _hand_over(session, run, said.place, said.handed or Why.BROKEN, now=now)
    elif said.ended:
        _end(run, RunState.DONE, now=now)
        conversations.close(session_id=session.pk, by=None, now=now)
    else:
        run.save()


def _say(session: Session, script: Script, said: Answer, *, now: datetime) -> bool:
    """Whether the guest could be written to."""
    can = capabilities_of(session)
    waits = not said.ended and said.place.step != MESSAGE
    said_in_chat = rendering.in_chat(said.said, operator=script.operator_label, keyboards=can.keyboards, limit=can.text_limit, waits=waits)
    sent = [
        attending.say(session=session, text=word.text, choices=word.choices, asks_phone=word.asks_phone, now=now) for word in said_in_chat
    ]
    return all(message is not None for message in sent)


def _hand_over(session: Session, run: Run, place: Place, why: Why, *, now: datetime) -> None:
    _end(run, RunState.HANDED, now=now)
    told = summary.described(run.version.dialogue.name, place, why)
    queue = queue_of(session, place)
    attending.hand_over(session=session, summary=told, topics=line_of(place.topic), queue=queue, now=now)


def _end(run: Run, state: RunState, *, now: datetime) -> None:
    run.state, run.ended_at, run.next_at = state, now, None
    run.save()


def _put_off(turn_id: int, *, now: datetime) -> int:
    """The answer is tried again later; after the last try a person takes over, whose group is returned (0 = not yet)."""
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        found = Turn.objects.filter(pk=turn_id, state=TurnState.DUE).values_list("run_id", "run__session_id").first()
        if found is None or found[1] is None:
            return 0
        session = conversations.lock(found[1])
        turn = Turn.objects.select_for_update(of=("self",)).get(pk=turn_id)
        if turn.state != TurnState.DUE:
            return 0
        turn.tries += 1
        if turn.tries <= len(BACK_OFF):
            turn.next_at = now + timedelta(seconds=BACK_OFF[turn.tries - 1])
            turn.save(update_fields=["tries", "next_at"])
            return 0
        Turn.objects.filter(run=found[0], state=TurnState.DUE).update(state=TurnState.SKIPPED)
        run = Run.objects.select_for_update(of=("self",)).select_related("version__dialogue").get(pk=found[0])
        if run.state == RunState.OPEN and session.responder:
            _hand_over(session, run, summary.place_from(run.place), Why.BROKEN, now=now)
        return session.serving_group_id


def find_due(*, now: datetime, limit: int = 200) -> list[int]:
    """Turns whose time has come, whoever forgot to call for them."""
    due = Turn.objects.filter(state=TurnState.DUE, next_at__lte=now, message__isnull=False)
    return list(due.order_by("next_at", "pk").values_list("pk", flat=True)[:limit])


def find_silent(*, now: datetime, limit: int = 200) -> list[int]:
    """Talks in which the guest has fallen silent."""
    silent = Run.objects.filter(state=RunState.OPEN, next_at__lte=now)
    return list(silent.order_by("next_at").values_list("pk", flat=True)[:limit])


def end_silent(run_id: int, *, now: datetime) -> RunState | None:
    """End a talk whose guest has fallen silent: who waited for a person is handed over, else the dialogue is closed. None = it goes on."""
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        session_id, call = Run.objects.values_list("session_id", "call_key").get(pk=run_id)
        session = None if call or session_id is None else conversations.lock(session_id)
        run = Run.objects.select_for_update(of=("self",)).select_related("version__dialogue").get(pk=run_id)
        if run.state != RunState.OPEN or run.next_at is None or run.next_at > now or run.turns.filter(state=TurnState.DUE).exists():
            return None
        place = summary.place_from(run.place)
        if session is None:  # a call whose exchange has forgotten to say that it is over
            _end(run, RunState.SILENT, now=now)
        elif place.step == MESSAGE:
            _hand_over(session, run, place, Why.SILENT, now=now)
        else:
            _end(run, RunState.SILENT, now=now)
            conversations.close(session_id=session.pk, by=None, now=now)
        return RunState(run.state)


def leave(message_id: int, *, now: datetime) -> None:
    """A word of ours did not reach the guest: a person sees to it, if the talk still goes on."""
    session_id = Message.objects.values_list("session_id", flat=True).get(pk=message_id)
    with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
        session = conversations.lock(session_id)
        runs = Run.objects.select_for_update(of=("self",)).select_related("version__dialogue")
        run = runs.filter(session=session, state=RunState.OPEN).first()
        if run is not None and session.responder:
            _hand_over(session, run, summary.place_from(run.place), Why.BROKEN, now=now)
