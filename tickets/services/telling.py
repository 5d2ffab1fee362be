"""Guests are told of their tickets: once for each state, in the channel they came by, else by push or SMS; by consent, not at night."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation

from core.text import first_line
from omni.channels import quiet
from omni.channels.registry import adapter_for
from omni.models import Message, Notice, Session
from omni.services import attending, conversations, notice_routes, notices
from omni.services.reach import is_switched_off
from tickets.asking import fill
from tickets.models import Case, GuestNotice
from tickets.services import cases, numbers
from tickets.states import Step
from tickets.telling import TellState, TellWay, Untold, still_so

BATCH = 200
# Longer than a night: what could not be told by then is old.
KEPT = timedelta(hours=36)


@dataclass(frozen=True)
class Told:
    """How a text went to a guest; `why_not` when it did not."""

    message: Message | None = None
    notice: Notice | None = None
    why_not: str = ""

    @property
    def way(self) -> str:
        if self.message is not None:
            return TellWay.CHANNEL
        return TellWay.NOTICE if self.notice is not None else ""


def tell_due(*, now: datetime) -> int:
    """Tell what is due; returns how many rows were looked at. Call again while it returns BATCH."""
    due = GuestNotice.objects.filter(state=TellState.DUE, next_at__lte=now).order_by("next_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    with translation.override(settings.LANGUAGE_CODE):
        for notice_id in ids:
            _tell(notice_id, now=now)
    return len(ids)


@transaction.atomic
def _tell(notice_id: int, *, now: datetime) -> None:
    """One row, by whoever is first: its ticket's lock orders them."""
    case = cases.lock(GuestNotice.objects.values_list("case_id", flat=True).get(pk=notice_id))
    row = GuestNotice.objects.select_for_update(of=("self",)).select_related("wording").get(pk=notice_id)
    if row.state != TellState.DUE or row.next_at is None or row.next_at > now:
        return
    session = conversations.lock(case.session_id)
    if why := _pointless(row, case, now=now):
        _settle(row, Told(why_not=why), now=now)
    elif (moment := allowed_at(session, now=now)) > now:
        GuestNotice.objects.filter(pk=row.pk).update(next_at=moment)
    else:
        _settle(row, _send(row, case, session, now=now), now=now)
        if row.state == TellState.TOLD:
            cases.note_step(case, Step.NOTIFIED, by=None, now=now, details={"status": row.status, "way": row.way})


def _pointless(row: GuestNotice, case: Case, *, now: datetime) -> str:
    if row.wording is None or not row.wording.is_active or not still_so(row.status, case.state):
        return Untold.OUTDATED
    return Untold.LATE if now - row.created_at > KEPT else ""


def _send(row: GuestNotice, case: Case, session: Session, *, now: datetime) -> Told:
    assert row.wording is not None
    topic = case.topic.name_in(row.wording.language)
    title, text = (filled(words, case, topic=topic) for words in (row.wording.title, row.wording.text))
    told = in_channel(session, text, choices=(), now=now)
    if told.why_not == Untold.NOWHERE and row.wording.falls_back:
        return by_notice(case, title=title, text=text, key=row.status, now=now)
    return told


def _settle(row: GuestNotice, told: Told, *, now: datetime) -> None:
    row.state = TellState.SKIPPED if told.why_not else TellState.TOLD
    row.way, row.why_not, row.message, row.notice, row.next_at = told.way, told.why_not, told.message, told.notice, None
    row.told_at = None if told.why_not else now
    row.save()


def filled(text: str, case: Case, **values: str) -> str:
    """A text about the ticket with its places filled in."""
    first_name = first_line(case.guest_name, 60).split(" ")[0]
    return fill(text, {"number": case.number, "topic": case.topic.name, "guest": first_name, **values})


def in_channel(session: Session, text: str, *, choices: Sequence[str], now: datetime) -> Told:
    """Write to the guest of the locked dialogue, which stays as it is: nobody has work by it until the guest answers."""
    if refuses(session):
        return Told(why_not=Untold.NO_CONSENT)
    limit = adapter_for(session.account.kind).capabilities.text_limit
    if is_switched_off(session) or is_public(session) or (limit is not None and len(text) > limit):
        return Told(why_not=Untold.NOWHERE)
    message = attending.say(session=session, text=text, choices=choices, now=now)
    return Told(message=message, why_not="" if message else Untold.NOWHERE)


def by_notice(case: Case, *, title: str, text: str, key: str, now: datetime) -> Told:
    """Push, then SMS, as consent and the guest's night allow; omni.services.notices does the rest."""
    assert case.guest is not None, "notices are made due for guests only"
    thread = f"case:{case.pk}"
    notice = notices.notify(
        guest=case.guest, title=title, text=text, key=f"{thread}:{key}", thread=thread, data={"case": case.number}, now=now
    )
    return Told(notice=notice)


def refuses(session: Session) -> bool:
    """The guest took back the consent to be written to first in this channel."""
    consent = getattr(session.identity, "consent", None)
    return consent is not None and consent.withdrawn_at is not None


def is_public(session: Session) -> bool:
    """Whether everybody reads what is written there: reviews, comments under posts."""
    if session.account.kind in numbers.current().public_channels:
        return True
    return session.identity.external_id.startswith(("comments:", "feed:"))


def allowed_at(session: Session, *, now: datetime) -> datetime:
    """`now`, or when the guest's night ends; who wrote a moment ago does not sleep."""
    awake = timedelta(minutes=numbers.current().awake_minutes)
    if session.last_inbound_at is not None and now - session.last_inbound_at <= awake:
        return now
    return quiet.allowed_at(now, notice_routes.zone_of(session.guest), *quiet.hours_of(session.account.settings))
