"""A store without an account: asked by letter with a signed link, answers on a page, asks for time, or says that it is another's matter.

A link works once for the answer, while its ticket waits for its store, until it expires. Sweeps send what a ticket's way has made due.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit
from core.refusal import Refusal
from core.text import first_line, storable
from omni.channels.contract import OutgoingFile
from omni.models import Message
from omni.services import conversations, files
from omni.states import Direction
from sla.models import Metric
from sla.services import clocks
from tickets import tokens
from tickets.asking import LetterKind, Revoked, StoreWord, latest_promise, remind_at
from tickets.models import Case, StoreLink
from tickets.services import cases, handovers, letters, numbers
from tickets.states import CaseState, Step

log = structlog.get_logger(__name__)
PURPOSE = "store"
BATCH = 200
# A guest's matter is for the store that has it: these clocks say until when.
_CLOCKS = (Metric.HANDOVER, Metric.RESOLUTION)


class LinkRefused(Refusal):
    """The link does not open. `code`: link_forged, link_expired, link_revoked, link_foreign, link_used."""


def forged() -> LinkRefused:
    return LinkRefused("link_forged", _("This link is not right: was it cut when it was copied? Open it from the letter."), status=404)


def _expired() -> LinkRefused:
    return LinkRefused("link_expired", _("The time of this link is over. The feedback desk will write again if needed."), status=410)


def _revoked() -> LinkRefused:
    return LinkRefused("link_revoked", _("Nothing is needed from you here any more. Thank you!"), status=410)


def _replaced() -> LinkRefused:
    return LinkRefused("link_revoked", _("A newer letter about this matter was sent to you. Please use the link in it."), status=410)


def _foreign() -> LinkRefused:
    return LinkRefused("link_foreign", _("This matter was handed to another store. Nothing is needed from you."), status=410)


def _used() -> LinkRefused:
    return LinkRefused("link_used", _("The answer was sent already."))


@transaction.atomic
def send(*, case_id: int, by: Staff | None, now: datetime, question: str = "") -> StoreLink:
    """A new link to the store of a ticket that waits for it; an older one stops working. `question` = what the operator wants to know.

    Without a mailbox of the store the link is made and no letter goes out. Raises Refusal: the ticket does not wait for a store.
    """
    case = cases.lock(case_id)
    if not case.at_store or case.store is None:
        raise Refusal("wrong_state", _("This ticket does not wait for the store."))
    _take_back(case.pk, Revoked.REPLACED, now=now)
    rules = numbers.current()
    link = StoreLink(case=case, store=case.store, question=storable(question).strip()[:2000], sent_by=by, created_at=now)
    link.digest = tokens.digest_of(tokens.token_of(PURPOSE, link.public_id))
    link.expires_at = now + timedelta(hours=rules.link_hours)
    link.next_at = _reminder(link, now=now)
    link.save(force_insert=True)
    if case.store.email:
        letters.queue(kind=LetterKind.STORE_ASKED, case=case, link=link, address=case.store.email, key=f"store:{link.pk}", now=now)
    details = {"store": case.store.number, "by_letter": bool(case.store.email), "reason": first_line(link.question, 200)}
    cases.note_step(case, Step.STORE_ASKED, by=by, now=now, details=details)
    audit.record(action="case.store_asked", by=by, subject=case, now=now, details={"link": link.pk, "store": case.store_id})
    return link


def _take_back(case_id: int, why: Revoked, *, now: datetime) -> int:
    living = StoreLink.objects.filter(case=case_id, answered_at=None, revoked_at=None)
    return living.update(revoked_at=now, revoked_because=why, next_at=None)


def due_at(case: Case) -> datetime | None:
    """Until when the ticket's clocks want it settled; they stand for nobody's sake while the store has it."""
    ends = [clock.due_at for clock in clocks.running(case.clock_subject) if clock.metric in _CLOCKS and clock.paused_at is None]
    return min(ends, default=None)


def _reminder(link: StoreLink, *, now: datetime) -> datetime | None:
    """When the store is reminded next; what would be at once is not worth a second letter."""
    minutes = numbers.current().remind_minutes
    at = remind_at(due_at=due_at(link.case), promised_at=link.promised_at, before=timedelta(minutes=minutes))
    return at if minutes and at and at > now else None


def find(token: str, *, now: datetime) -> StoreLink:
    """The link of a token, to be shown; one that was used shows what was answered. Raises LinkRefused."""
    link = _known(token)
    if link.expires_at <= now:
        raise _expired()
    if link.answered_at is None:
        _check_open(link)
    return link


def _known(token: str) -> StoreLink:
    public_id = tokens.read(PURPOSE, token)
    found = StoreLink.objects.select_related("case__topic", "case__session", "store", "message")
    link = found.filter(public_id=public_id, digest=tokens.digest_of(token)).first() if public_id else None
    if link is None:
        raise forged()
    return link


def _check_open(link: StoreLink) -> None:
    if link.case.store_id != link.store_id:
        raise _foreign()
    if link.revoked_because == Revoked.REPLACED:
        raise _replaced()
    if link.revoked_at or not link.case.at_store:
        raise _revoked()


def note_look(link: StoreLink, *, now: datetime) -> None:
    """The store has seen the question; the first look is kept."""
    if StoreLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=now):
        log.info("a store opened its link", link_id=link.pk, case_id=link.case_id)


def note_refusal(token: str, refusal: LinkRefused, *, address: str | None, now: datetime) -> None:
    """A link that did not open is in the log; if it was one of ours, in the audit trail, too."""
    log.warning("a store's link was refused", code=refusal.code, address=address)
    public_id = tokens.read(PURPOSE, token)
    link = StoreLink.objects.filter(public_id=public_id).first() if public_id else None
    if link is not None:
        with transaction.atomic():
            audit.record(action="store_link.refused", by=None, subject=link, now=now, details={"code": refusal.code}, address=address)


def _lock(token: str, *, now: datetime) -> tuple[Case, StoreLink]:
    """The ticket and its link, both locked and still open. Raises LinkRefused."""
    case_id, link_id = (lambda link: (link.case_id, link.pk))(_known(token))
    case = cases.lock(case_id)
    link = StoreLink.objects.select_for_update(of=("self",)).select_related("store").get(pk=link_id)
    link.case = case
    if link.answered_at is not None:
        raise _used()
    _check_open(link)
    if link.expires_at <= now:
        raise _expired()
    return case, link


@transaction.atomic
def answer(
    *, token: str, words: str, signed: str, now: datetime, uploads: Sequence[OutgoingFile] = (), not_ours: bool = False
) -> StoreLink:
    """The store's answer: a note in the feed that the group sees; the ticket comes back to it. `not_ours` = it is not about this store.

    Raises LinkRefused; Refusal: nothing written, no name.
    """
    case, link = _lock(token, now=now)
    words, signed = storable(words).strip(), first_line(storable(signed), 120)
    _check_words(words, signed)
    word = StoreWord.NOT_OURS if not_ours else StoreWord.ANSWERED
    note = _note(case, link, _answer_line(word), words, signed, now=now)
    files.store_uploads(message=note, uploads=uploads)
    _come_back(case, link, word, note, now=now)
    link.word, link.words, link.signed, link.message = word, words, signed, note
    link.answered_at, link.next_at = now, None
    link.save(update_fields=["word", "words", "signed", "message", "answered_at", "next_at"])
    audit.record(
        action="case.store_answered", by=None, subject=case, now=now, details={"link": link.pk, "word": word, "files": len(uploads)}
    )
    return link


def _check_words(words: str, signed: str) -> None:
    if not words:
        raise Refusal("empty", _("Write something first."), status=400)
    if len(words) > 4000:
        raise Refusal("too_long", _("At most 4000 characters, please."), status=400)
    if not signed:
        raise Refusal("no_name", _("Please write your name and position."), status=400)


def _answer_line(word: StoreWord) -> str:
    if word == StoreWord.NOT_OURS:
        return _t("%(who)s, store %(store)s, answers that it is another's matter:")
    return _t("%(who)s, store %(store)s, answers:")


def _note(case: Case, link: StoreLink, line: str, words: str, signed: str, *, now: datetime) -> Message:
    heading = line % {"who": signed, "store": str(link.store)}
    session = conversations.lock(case.session_id)
    return conversations.add_line(session=session, direction=Direction.NOTE, text=f"{heading}\n{words}", by=None, now=now)


def _come_back(case: Case, link: StoreLink, word: StoreWord, note: Message, *, now: datetime) -> None:
    case.at_store = False
    handovers.restart(case, now=now)
    cases.move(case, CaseState.IN_WORK if case.owner_id else CaseState.ROUTED)
    case.unread += 1
    details: dict[str, Any] = {"store": link.store.number, "word": word, "by_link": link.pk}
    cases.note_step(case, Step.STORE_ANSWERED, by=None, now=now, details=details)
    cases.save(case, now=now, preview=note)


@transaction.atomic
def ask_time(*, token: str, hours: int, words: str, signed: str, now: datetime) -> StoreLink:
    """The store needs so many hours more from now, and says why. The ticket's clock goes on; the link works until the promise at least.

    Raises LinkRefused; Refusal: too long, too often, no reason, no name.
    """
    case, link = _lock(token, now=now)
    words, signed = storable(words).strip()[:1000], first_line(storable(signed), 120)
    _check_words(words, signed)
    rules = numbers.current()
    if link.time_asks >= rules.most_time_asks:
        raise Refusal("time_used", _("More time was asked for already. Please answer what is known by now."))
    until = now + timedelta(hours=max(hours, 0))
    if hours < 1 or until > latest_promise(asked_at=now, most_hours=rules.most_time_hours):
        raise Refusal("too_much_time", _("At most %(hours)d hours can be asked for.") % {"hours": rules.most_time_hours}, status=400)
    link.promised_at, link.time_asks = until, link.time_asks + 1
    link.expires_at = max(link.expires_at, until + timedelta(hours=rules.link_hours))
    link.next_at = _reminder(link, now=now)
    link.save(update_fields=["promised_at", "time_asks", "expires_at", "next_at"])
    line = _t("%(who)s, store %(store)s, asks for time:")
    note = _note(case, link, line, words, signed, now=now)
    case.unread += 1
    details = {"store": link.store.number, "until": until.isoformat(), "reason": first_line(words, 200)}
    cases.note_step(case, Step.TIME_ASKED, by=None, now=now, details=details)
    cases.save(case, now=now, preview=note)
    audit.record(action="case.store_asked_time", by=None, subject=case, now=now, details={"link": link.pk, "until": until.isoformat()})
    return link


def sweep(*, now: datetime) -> int:
    """Send a link for each ticket that waits for its store without one, remind, take back what is over. Returns how many were touched."""
    living = StoreLink.objects.filter(answered_at=None, revoked_at=None)
    left = living.filter(case__at_store=False) | living.exclude(case__store=F("store"))
    over = StoreLink.objects.filter(pk__in=list(left.values_list("pk", flat=True)[:BATCH]))
    gone = over.update(revoked_at=now, revoked_because=Revoked.LEFT, next_at=None)
    asked = living.filter(case=OuterRef("pk"), store=OuterRef("store"))
    waiting = Case.objects.filter(~Exists(asked), at_store=True, store__isnull=False).order_by("pk")
    sent = sum(_try_send(case_id, now=now) for case_id in list(waiting.values_list("pk", flat=True)[:BATCH]))
    due = list(living.filter(next_at__lte=now).order_by("next_at").values_list("pk", flat=True)[:BATCH])
    return sent + gone + sum(_remind(link_id, now=now) for link_id in due)


def _try_send(case_id: int, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            # Under the lock once more: another sweep may have been here.
            case = cases.lock(case_id)
            if StoreLink.objects.filter(case=case, store=case.store, answered_at=None, revoked_at=None).exists():
                return False
            send(case_id=case_id, by=None, now=now)
    except Refusal:
        return False  # it has left the store meanwhile
    return True


@transaction.atomic
def _remind(link_id: int, *, now: datetime) -> bool:
    """Once for each end of time: what has moved to later is waited for."""
    case_id = StoreLink.objects.values_list("case_id", flat=True).get(pk=link_id)
    case = cases.lock(case_id)
    link = StoreLink.objects.select_for_update(of=("self",)).select_related("store").get(pk=link_id)
    link.case = case
    if link.next_at is None or link.next_at > now:
        return False
    if link.expires_at <= now:
        send(case_id=case_id, by=None, now=now, question=link.question)
        return True
    link.next_at = _reminder(link, now=now)
    link.save(update_fields=["next_at"])
    if link.next_at is None and link.store.email:
        end = link.promised_at or due_at(case) or now
        key = f"store:{link.pk}:{int(end.timestamp())}"
        letters.queue(kind=LetterKind.STORE_REMINDED, case=case, link=link, address=link.store.email, key=key, now=now)
        cases.note_step(case, Step.REMINDED, by=None, now=now, details={"store": link.store.number})
    return True
