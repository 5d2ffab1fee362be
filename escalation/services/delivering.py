"""Notices go out: claimed, bundled by address, handed to the channel's sender, settled. A killed sender's claim runs out."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.text import first_line
from escalation.models import Delivery, RunEvent
from escalation.senders import Letter, Outcome, sender_of
from escalation.states import DELIVERY_MOVES, PERSONAL_CHANNELS, DeliveryState, EventKind

log = structlog.get_logger(__name__)
# Seconds before try 2, 3, ...; then the notice has failed and the run's history says so.
BACK_OFF = (2, 10, 30, 120, 300)
CLAIM = timedelta(seconds=90)
# A notice without a sender is looked at again; it goes out as soon as somebody registers.
NO_SENDER_PAUSE = timedelta(seconds=30)
BATCH = 200
BUNDLE = 50
WAITING = (DeliveryState.QUEUED, DeliveryState.NO_SENDER)


def send_due(*, now: datetime) -> int:
    """Send what is due, one message for each address; returns how many notices were looked at. Call again while it returns BATCH."""
    claimed = _claim(now=now)
    for letters in _bundles(claimed):
        _send(letters)
    return len(claimed)


def _claim(*, now: datetime) -> list[Delivery]:
    with transaction.atomic():
        due = Delivery.objects.filter(state__in=WAITING, next_at__lte=now).order_by("next_at").select_for_update(skip_locked=True)
        found = list(due[:BATCH])
        ids = [one.pk for one in found]
        Delivery.objects.filter(pk__in=ids).update(state=DeliveryState.SENDING, claimed_until=now + CLAIM, tries=F("tries") + 1)
    for one in found:
        one.tries += 1
    return found


def _bundles(claimed: Sequence[Delivery]) -> list[list[Delivery]]:
    """Notices to one address go together: a storm of a thousand matters is not a thousand messages to one telephone."""

    def place(one: Delivery) -> tuple[str, str]:
        # Errands are never put together: each is about one matter.
        return (one.channel, one.address if one.channel in PERSONAL_CHANNELS else f"{one.address} {one.pk}")

    found = []
    for _place, group in groupby(sorted(claimed, key=lambda one: (place(one), one.pk)), key=place):
        letters = list(group)
        found += [letters[at : at + BUNDLE] for at in range(0, len(letters), BUNDLE)]
    return found


def _send(letters: Sequence[Delivery]) -> None:
    sender = sender_of(letters[0].channel)
    try:
        outcome = sender.send(_letter(letters)) if sender else None
    except Exception as fault:  # a sender's bug must not stop the others
        log.exception("a sender of notices failed", channel=letters[0].channel)
        outcome = Outcome(None, error=type(fault).__name__, unknown=True)
    settle(letters, outcome, now=timezone.now())


def _letter(letters: Sequence[Delivery]) -> Letter:
    first, number = letters[0], len(letters)
    heading = first.heading if number == 1 else f"{first.heading} (+{number - 1})"
    text = first.message if number == 1 else "\n\n".join(first_line(one.message.replace("\n", " "), 300) for one in letters)
    details = {"run": first.run_id, "subject": first.run.subject if first.run else "", "level": first.level, "number": number}
    return Letter(f"escalation-{first.pk}", first.channel, first.address, heading, text, details)


def settle(letters: Sequence[Delivery], outcome: Outcome | None, *, now: datetime) -> None:
    """Write down what became of a try; `outcome` None = nobody sends in this channel yet."""
    bundle = uuid.uuid4() if len(letters) > 1 else None
    with transaction.atomic():
        held = Delivery.objects.select_for_update().filter(pk__in=[one.pk for one in letters], state=DeliveryState.SENDING).order_by("pk")
        for one in held:
            one.claimed_until, one.bundle = None, bundle
            _settle(one, outcome, now=now)
            one.save()


def _settle(one: Delivery, outcome: Outcome | None, *, now: datetime) -> None:
    if outcome is None:
        one.state, one.next_at, one.tries = DeliveryState.NO_SENDER, now + NO_SENDER_PAUSE, one.tries - 1
        return
    one.error, one.external_id = outcome.error[:240], outcome.external_id[:255] or one.external_id
    one.possibly_delivered = one.possibly_delivered or outcome.unknown
    if outcome.state is None and one.tries <= len(BACK_OFF):
        wait = outcome.after if outcome.after is not None else BACK_OFF[one.tries - 1]
        one.state, one.next_at = DeliveryState.QUEUED, now + timedelta(seconds=wait)
        return
    one.state, one.next_at = outcome.state or DeliveryState.FAILED, None
    if one.state == DeliveryState.FAILED:
        _note_unsent(one, now=now)
    else:
        _stamp(one, now=now)


def _stamp(one: Delivery, *, now: datetime) -> None:
    one.sent_at = one.sent_at or now
    if one.state in {DeliveryState.DELIVERED, DeliveryState.READ}:
        one.delivered_at = one.delivered_at or now
    if one.state == DeliveryState.READ:
        one.read_at = now


def _note_unsent(one: Delivery, *, now: datetime) -> None:
    """The run's history tells that a notice was not delivered, and why."""
    if one.run_id is None:
        return
    RunEvent.objects.get_or_create(
        run_id=one.run_id,
        turn=one.turn,
        key=f"unsent:{one.pk}",
        defaults={
            "kind": EventKind.UNSENT,
            "level": max(1, one.level),
            "at": now,
            "due_at": now,
            "details": {"channel": one.channel, "to": [str(one.staff) if one.staff else one.recipient], "error": one.error},
        },
    )


def apply_status(*, channel: str, external_id: str, state: DeliveryState, error: str = "", now: datetime) -> bool:
    """A provider's later word on a notice; never backwards. False when no notice has this id."""
    with transaction.atomic():
        found = list(Delivery.objects.select_for_update().filter(channel=channel, external_id=external_id).exclude(external_id=""))
        for one in found:
            if state in DELIVERY_MOVES.get(one.state, ()):
                one.state, one.error = state, error[:240]
                _note_unsent(one, now=now) if state == DeliveryState.FAILED else _stamp(one, now=now)
                one.save()
        return bool(found)


def recover_lost(*, now: datetime) -> int:
    """Notices whose sender died: perhaps they went out, so the next try is marked so. Returns how many."""
    with transaction.atomic():
        lost = Delivery.objects.select_for_update(skip_locked=True).filter(state=DeliveryState.SENDING, claimed_until__lt=now)
        found = list(lost.order_by("claimed_until")[:BATCH])
        for one in found:
            one.claimed_until = None
            _settle(one, Outcome(None, error="the sender died", after=0, unknown=True), now=now)
            one.save()
        return len(found)
