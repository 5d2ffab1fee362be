"""Two guests become one, and can be parted again.

What a guest has hangs on identities, so a merge moves identities and everything with them, and its undo moves the same identities
back: what came after the merge stays with the identity it came by. Nothing is deleted: the guest who is gone stays as an alias.

Locks: first the two guests' names (only merges take them, in the order of their numbers), then identities, guests, dialogues,
tickets as everywhere. An event of many guests may still cross ours; PostgreSQL then ends one of the two, and a merge begins again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core import audit, events
from core.locks import serialise
from core.refusal import Refusal
from customers.events import GuestsMerged
from customers.holders import holders
from customers.matching import Match
from customers.models import Guest, GuestMerge, Identity, TwoPeople
from customers.selectors import are_two_people, match_of, merge_policy
from customers.services.identities import search_text_of

log = structlog.get_logger(__name__)
T = TypeVar("T")
FILLED = ("name", "phone", "email", "note")
TRIES = 4
_DEADLOCK = "40P01"


@dataclass(frozen=True)
class Preview:
    """What a merge would do. `counts` by kind (identities, sessions, messages, cases, rows); `fills` = fields of the kept guest that
    are empty and would be filled; `keeps` = fields that both have and in which the kept guest's value wins: (kept, gone)."""

    kept: Guest
    gone: Guest
    match: Match
    identities: Sequence[Identity]
    counts: Mapping[str, int]
    fills: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def preview(*, kept_id: int, gone_id: int) -> Preview:
    """What joining `gone` to `kept` would move and change. Raises Refusal."""
    kept, gone = _pair(kept_id, gone_id, {guest.pk: guest for guest in Guest.objects.filter(pk__in=[kept_id, gone_id])})
    identities = list(Identity.objects.filter(guest=gone).order_by("pk"))
    return Preview(
        kept=kept,
        gone=gone,
        match=match_of(kept, gone),
        identities=identities,
        counts=_count([identity.pk for identity in identities]),
        fills={name: after for name, (before, after) in _filled(kept, gone).items() if not before},
        keeps={
            name: (getattr(kept, name), getattr(gone, name))
            for name in FILLED
            if name != "note" and getattr(kept, name) and getattr(gone, name) and getattr(kept, name) != getattr(gone, name)
        },
    )


def _count(identity_ids: Sequence[int]) -> dict[str, int]:
    counts = {"identities": len(identity_ids)}
    for holder in holders():
        counts |= holder.count(identity_ids)
    return counts


def merge(
    *, kept_id: int, gone_id: int, by: Staff | None, now: datetime, reasons: Sequence[str] = (), score: int | None = None
) -> GuestMerge:
    """Join `gone` to `kept`: the kept guest's values win, empty ones are filled. `by` None = the system, by a rule.

    Raises Refusal: the same guest twice, one of the two was joined to somebody meanwhile, or somebody has said that they are two
    people and nobody (`by` None) says otherwise.
    """
    return _again_after_deadlock(lambda: _merge(kept_id, gone_id, by=by, now=now, reasons=reasons, score=score))


def _merge(kept_id: int, gone_id: int, *, by: Staff | None, now: datetime, reasons: Sequence[str], score: int | None) -> GuestMerge:
    identities, guests = _lock(kept_id, gone_id)
    kept, gone = _pair(kept_id, gone_id, guests)
    if by is None and are_two_people(kept, gone):
        raise Refusal("two_people", _("Somebody has said that these are two people."))
    TwoPeople.objects.filter(first_id=min(kept.pk, gone.pk), second_id=max(kept.pk, gone.pk)).delete()
    moving = [identity.pk for identity in identities if identity.guest_id == gone.pk]
    filled = _filled(kept, gone)
    for name, (_before, after) in filled.items():
        setattr(kept, name, after)
    moved = _move(moving, to=kept, now=now)
    kept.search_text = search_text_of(kept)
    kept.save(update_fields=[*filled, "search_text"])
    gone.merged_into = kept
    gone.save(update_fields=["merged_into"])
    made = GuestMerge.objects.create(
        kept=kept, gone=gone, at=now, by=by, reasons=list(reasons), score=score, identity_ids=moving, moved=moved, filled=filled
    )
    details = {"gone": gone.pk, "merge": made.pk, "moved": moved, "identities": moving[:100], "reasons": list(reasons), "score": score}
    audit.record(action="guest.merged", by=by, subject=kept, now=now, details=details)
    events.publish(GuestsMerged(kept_id=kept.pk, gone_id=gone.pk))
    return made


def undo(*, merge_id: int, by: Staff, now: datetime) -> GuestMerge:
    """Part the two guests again: the identities that moved go back with all that hangs on them, filled fields are emptied.

    The two are then known to be two people. Raises Refusal: undone already, too long ago, or the kept guest was joined to somebody
    later (that comes first).
    """
    return _again_after_deadlock(lambda: _undo(merge_id, by=by, now=now))


def _undo(merge_id: int, *, by: Staff, now: datetime) -> GuestMerge:
    pair = GuestMerge.objects.filter(pk=merge_id).values_list("kept_id", "gone_id").first()
    if pair is None:
        raise Refusal("not_found", _("There is no such joining of guests."), status=404)
    identities, guests = _lock(*pair)
    done = GuestMerge.objects.select_for_update().get(pk=merge_id)
    kept, gone = guests[done.kept_id], guests[done.gone_id]
    _check_undo(done, kept, gone, now=now)
    back = [identity.pk for identity in identities if identity.pk in set(done.identity_ids) and identity.guest_id == kept.pk]
    restored = {name: before for name, (before, after) in done.filled.items() if getattr(kept, name) == after}
    for name, before in restored.items():
        setattr(kept, name, before)
    moved = _move(back, to=gone, now=now)
    kept.search_text = search_text_of(kept)
    kept.save(update_fields=[*restored, "search_text"])
    gone.merged_into, gone.search_text = None, search_text_of(gone)
    gone.save(update_fields=["merged_into", "search_text"])
    done.undone_at, done.undone_by = now, by
    done.save(update_fields=["undone_at", "undone_by"])
    say_two_people(one_id=kept.pk, other_id=gone.pk, by=by, now=now)
    details = {"gone": gone.pk, "merge": done.pk, "moved": moved}
    audit.record(action="guest.merge_undone", by=by, subject=kept, now=now, details=details)
    events.publish(GuestsMerged(kept_id=kept.pk, gone_id=gone.pk, undone=True))
    return done


def _check_undo(done: GuestMerge, kept: Guest, gone: Guest, *, now: datetime) -> None:
    days = merge_policy().undo_days
    if done.undone_at is not None:
        raise Refusal("undone", _("These guests have been parted again already."))
    if now - done.at > timedelta(days=days):
        raise Refusal("too_late", _("Guests can be parted again within %(days)d days.") % {"days": days})
    if kept.merged_into_id is not None or gone.merged_into_id != kept.pk:
        raise Refusal("merged_later", _("This guest was joined to another one later. Undo that first."))


@transaction.atomic
def say_two_people(*, one_id: int, other_id: int, by: Staff, now: datetime) -> None:
    """These two are not one person: they are not offered again. Saying it twice is the same as once. Raises Refusal."""
    if one_id == other_id or Guest.objects.filter(pk__in=[one_id, other_id]).count() != 2:
        raise Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)
    first, second = sorted((one_id, other_id))
    _pair_row, made = TwoPeople.objects.get_or_create(first_id=first, second_id=second, defaults={"at": now, "by": by})
    if made:
        audit.record(action="guest.two_people", by=by, subject=f"guest:{first}", now=now, details={"other": second})


def _lock(one_id: int, other_id: int) -> tuple[Sequence[Identity], Mapping[int, Guest]]:
    """All identities of both guests and the guests themselves, locked."""
    for guest_id in sorted({one_id, other_id}):
        serialise(f"guest:{guest_id}")
    both = Q(guest=one_id) | Q(guest=other_id)
    identities = list(Identity.objects.select_for_update(of=("self",), no_key=True).filter(both).order_by("pk"))
    guests = Guest.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=[one_id, other_id]).order_by("pk")
    return identities, {guest.pk: guest for guest in guests}


def _pair(kept_id: int, gone_id: int, guests: Mapping[int, Guest]) -> tuple[Guest, Guest]:
    """The two, in this order. Raises Refusal."""
    if kept_id == gone_id:
        raise Refusal("same_guest", _("This is the same guest."), status=400)
    if kept_id not in guests or gone_id not in guests:
        raise Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)
    if not all(guest.is_person for guest in guests.values()):
        raise Refusal("no_person", _("One of the two is no guest: our people talk there among themselves."))
    # Both are ends of their chains, so a chain can never close to a circle.
    if any(guest.merged_into_id is not None for guest in guests.values()):
        raise Refusal("merged_already", _("One of these guests was joined to another one meanwhile. Please look again."))
    return guests[kept_id], guests[gone_id]


def _filled(kept: Guest, gone: Guest) -> dict[str, list[str]]:
    """Fields of the kept guest that change: [before, after]. Both notes are kept, for both were written to be read."""
    found = {name: ["", getattr(gone, name)] for name in FILLED if getattr(gone, name) and not getattr(kept, name)}
    if kept.note and gone.note and gone.note not in kept.note:
        found["note"] = [kept.note, f"{kept.note}\n{gone.note}"]
    return found


def _move(identity_ids: Sequence[int], *, to: Guest, now: datetime) -> dict[str, int]:
    moved = {"identities": Identity.objects.filter(pk__in=identity_ids).update(guest=to)}
    for holder in holders():
        moved |= holder.move(identity_ids, guest=to, now=now)
    return moved


def _again_after_deadlock(run: Callable[[], T]) -> T:
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                return run()
        except OperationalError as fault:
            if left == 0 or getattr(fault.__cause__, "pgcode", "") != _DEADLOCK:
                raise
            log.warning("a merge of guests begins again after a deadlock")
    raise AssertionError("unreachable")
