"""Letters about tickets go out by our mail accounts: claimed, filled in, handed over, settled. A killed sender's claim runs out."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.text import first_line
from escalation.senders import Letter, Outcome, sender_of
from escalation.states import Channel, DeliveryState
from tickets import tokens
from tickets.approving import ApprovalState
from tickets.asking import LetterKind, LetterState, fill
from tickets.masking import without_contacts
from tickets.models import Approval, Case, CaseLetter, LetterText, StoreLink, Survey
from tickets.services import asked, store_links

log = structlog.get_logger(__name__)
# A place that has nothing to say leaves no hole in the letter.
_BLANK = re.compile(r"(?:\r?\n){3,}")
# Seconds before try 2, 3, ...; then the letter has failed and the desk shows it.
BACK_OFF = (10, 60, 300, 1800, 7200)
CLAIM = timedelta(seconds=180)
NO_SENDER_PAUSE = timedelta(seconds=60)
BATCH = 50


def send_due(*, now: datetime) -> int:
    """Send what is due; returns how many letters were looked at. Call again while it returns BATCH."""
    _recover_lost(now=now)
    claimed = _claim(now=now)
    for letter in claimed:
        _send(letter, now=now)
    return len(claimed)


def _claim(*, now: datetime) -> list[CaseLetter]:
    with transaction.atomic():
        due = CaseLetter.objects.filter(state=LetterState.QUEUED, next_at__lte=now).order_by("next_at")
        ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
        CaseLetter.objects.filter(pk__in=ids).update(state=LetterState.SENDING, claimed_until=now + CLAIM, tries=F("tries") + 1)
    related = ("case__topic", "link__store", "link__case__topic", "approval__case__topic", "approval__rule", "approval__asked_by")
    return list(CaseLetter.objects.filter(pk__in=ids).select_related(*related).order_by("pk"))


def _recover_lost(*, now: datetime) -> None:
    """A sender died: the mail may have gone out, and goes again, for a link more is no harm."""
    lost = CaseLetter.objects.filter(state=LetterState.SENDING, claimed_until__lt=now)
    lost.update(state=LetterState.QUEUED, claimed_until=None, next_at=now)


def _send(letter: CaseLetter, *, now: datetime) -> None:
    sender = sender_of(Channel.EMAIL)
    try:
        with translation.override(settings.LANGUAGE_CODE):
            made = _letter(letter, now=now)
        if made is None:
            _end(letter, LetterState.CANCELLED)
            return
        outcome = sender.send(made) if sender else None
    except Exception as fault:  # one letter's fault must not stop the others
        log.exception("a letter about a ticket failed", letter_id=letter.pk)
        outcome = Outcome(None, error=type(fault).__name__)
    _settle(letter, outcome, now=timezone.now())


def _settle(letter: CaseLetter, outcome: Outcome | None, *, now: datetime) -> None:
    if outcome is None:  # no mail account is set up: it waits, and that is no try
        _wait(letter, now + NO_SENDER_PAUSE, tries=letter.tries - 1)
    elif outcome.state is None and letter.tries <= len(BACK_OFF):
        seconds = outcome.after if outcome.after is not None else BACK_OFF[letter.tries - 1]
        _wait(letter, now + timedelta(seconds=seconds), tries=letter.tries, error=outcome.error)
    elif outcome.state in {None, DeliveryState.FAILED}:
        _end(letter, LetterState.FAILED, error=outcome.error)
    else:
        _end(letter, LetterState.SENT, sent_at=now)


def _wait(letter: CaseLetter, next_at: datetime, *, tries: int, error: str = "") -> None:
    values = {"state": LetterState.QUEUED, "next_at": next_at, "tries": tries, "error": error[:240], "claimed_until": None}
    CaseLetter.objects.filter(pk=letter.pk, state=LetterState.SENDING).update(**values)


def _end(letter: CaseLetter, state: LetterState, *, error: str = "", sent_at: datetime | None = None) -> None:
    values = {"state": state, "next_at": None, "error": error[:240], "sent_at": sent_at, "claimed_until": None}
    CaseLetter.objects.filter(pk=letter.pk, state=LetterState.SENDING).update(**values)


def _letter(letter: CaseLetter, *, now: datetime) -> Letter | None:
    """The letter in words; None = what it is about is settled."""
    values = _values(letter, now=now)
    if values is None:
        return None
    written = LetterText.objects.filter(kind=letter.kind).first()
    heading, text = (written.heading, written.text) if written else (_("Ticket {number}"), "{link}")
    return Letter(
        key=f"case-{letter.key}",
        channel=Channel.EMAIL,
        address=letter.address,
        heading=first_line(fill(heading, values), 200),
        text=_BLANK.sub("\n\n", fill(text, values)),
    )


def _values(letter: CaseLetter, *, now: datetime) -> Mapping[str, str] | None:
    if letter.link is not None:
        return _store_values(letter.link, now=now)
    if letter.approval is not None:
        return _approval_values(letter.approval)
    return _mark_values(letter.case) if letter.kind == LetterKind.LOW_MARK else None


def _approval_values(approval: Approval) -> Mapping[str, str] | None:
    if approval.state != ApprovalState.WAITING:
        return None
    return {
        "number": approval.case.number,
        "topic": approval.case.topic.name,
        "rule": approval.rule.name,
        "question": approval.question,
        "asker": str(approval.asked_by),
        "until": in_words(approval.deadline_at, settings.TIME_ZONE),
        "link": settings.PUBLIC_URL + reverse("approval", kwargs={"approval_id": approval.pk}),
    }


def _mark_values(case: Case) -> Mapping[str, str] | None:
    survey = Survey.objects.filter(case=case, mark__isnull=False).first()
    if survey is None:
        return None
    return {
        "number": case.number,
        "topic": case.topic.name,
        "mark": str(survey.mark),
        "comment": survey.comment or "–",
        "link": f"{settings.PUBLIC_URL}/desk/case/{case.pk}/",
    }


def _store_values(link: StoreLink, *, now: datetime) -> Mapping[str, str] | None:
    if link.answered_at or link.revoked_at or link.expires_at <= now or not link.case.at_store:
        return None
    end = link.promised_at or store_links.due_at(link.case)
    return {
        "number": link.case.number,
        "topic": link.case.topic.name,
        "store": str(link.store),
        "matter": "\n".join([without_contacts(link.case.summary), *(f"{name}: {value}" for name, value in asked.for_store(link.case))]),
        "question": link.question,
        "until": in_words(end, link.store.time_zone) if end else "",
        "link": address_of(link),
    }


def address_of(link: StoreLink) -> str:
    """Where the store answers."""
    token = tokens.token_with(store_links.PURPOSE, link.public_id, digest=link.digest)
    return settings.PUBLIC_URL + reverse("store_link", kwargs={"token": token})


def in_words(at: datetime, zone: str) -> str:
    """A moment by the wall clock of the zone."""
    return date_format(localtime(at, ZoneInfo(zone)), "j E, H:i")
