"""Guests who may be one person, as far as somebody may see: what the desk and the API ask before they join or part guests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from customers import selectors
from customers.matching import Doubt, Reason
from customers.models import Guest, GuestMerge
from customers.selectors import Candidate
from customers.services import merging
from customers.services.merging import Preview
from omni.selectors import find_guest
from worklist.models import Item

REASONS = {
    Reason.VERIFIED_PHONE: _("the same telephone, shared in both channels"),
    Reason.VERIFIED_ID: _("the same verified id in two accounts of one channel"),
    Reason.PHONE: _("the same telephone"),
    Reason.EMAIL: _("the same e-mail address"),
    Reason.SAME_ID: _("the same id in two accounts of one channel"),
    Reason.NAME_AND_STORE: _("the same name, and tickets about the same store"),
}
DOUBTS = {
    Doubt.OTHER_ID: _("one channel knows them by different ids"),
    Doubt.OTHER_EMAIL: _("different e-mail addresses"),
    Doubt.OTHER_PHONE: _("different telephones, both shared by the guests"),
}


def list_candidates(*, staff: Staff, guest_id: int) -> Sequence[Candidate]:
    """Who may be the same person as a guest whom the person sees. Raises Refusal (404)."""
    return selectors.list_candidates(find_guest(staff=staff, guest_id=guest_id))


def list_merges(*, staff: Staff, guest_id: int, now: datetime) -> Sequence[GuestMerge]:
    """Joinings to this guest that can still be undone. Raises Refusal (404)."""
    return selectors.list_merges(find_guest(staff=staff, guest_id=guest_id), now=now)


def preview(*, staff: Staff, kept_id: int, gone_id: int) -> Preview:
    """What joining the two would do. Raises Refusal (404 for guests whom the person may not join)."""
    _check(staff, kept_id, gone_id)
    return merging.preview(kept_id=kept_id, gone_id=gone_id)


def merge(*, kept_id: int, gone_id: int, by: Staff, now: datetime) -> GuestMerge:
    """Join the two by a person's word; what spoke for it is kept with the deed. Raises Refusal."""
    _check(by, kept_id, gone_id)
    match = merging.preview(kept_id=kept_id, gone_id=gone_id).match
    return merging.merge(kept_id=kept_id, gone_id=gone_id, by=by, now=now, reasons=match.reasons, score=match.score)


def undo(*, merge_id: int, by: Staff, now: datetime) -> GuestMerge:
    """Part two guests again. Raises Refusal (404 for guests whom the person does not see)."""
    kept = GuestMerge.objects.filter(pk=merge_id).values_list("kept_id", flat=True).first()
    find_guest(staff=by, guest_id=kept or 0)
    return merging.undo(merge_id=merge_id, by=by, now=now)


def say_two_people(*, one_id: int, other_id: int, by: Staff, now: datetime) -> None:
    """These two are not one person. Raises Refusal."""
    _check(by, one_id, other_id)
    merging.say_two_people(one_id=one_id, other_id=other_id, by=by, now=now)


def _check(staff: Staff, one_id: int, other_id: int) -> None:
    """One of the two is seen by the person, the other one too or offered as a candidate. Raises Refusal (404)."""
    seen = [guest_id for guest_id in (one_id, other_id) if _sees(staff, guest_id)]
    if not seen:
        raise _unknown()
    unseen = {one_id, other_id} - set(seen)
    if unseen:
        offered = selectors.list_candidates(Guest.objects.get(pk=seen[0]))
        if not unseen <= {one.guest.pk for one in offered}:
            raise _unknown()


def _sees(staff: Staff, guest_id: int) -> bool:
    return staff.has_right(Right.EVERYTHING) or Item.objects.visible_to(staff).filter(guest_id=guest_id).exists()


def _unknown() -> Refusal:
    return Refusal("not_found", _("There is no such guest, or you may not see this guest."), status=404)


def in_words(candidate: Candidate) -> dict[str, Any]:
    """Reasons and doubts as sentences, without the values behind them."""
    return {
        "reasons": [str(REASONS[reason]) for reason in candidate.match.reasons],
        "doubts": [str(DOUBTS[doubt]) for doubt in candidate.match.doubts],
    }
