"""Guests who are one person, at the desk: candidates in the right panel, a preview in a dialog, joining, parting."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.entrance import require
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from customers.models import Guest, GuestMerge, Identity
from customers.selectors import Candidate, merge_policy
from customers.services import segments
from customers.services.merging import Preview
from omni import same_guest
from omni.selectors import find_guest
from workstation.entrances import command, staff_of
from workstation.feed import day_of, moment
from workstation.rules import masked_email, masked_phone
from workstation.wording import channel_name

FIELD_NAMES = {
    "name": gettext_lazy("Name"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "note": gettext_lazy("Note"),
}
SHOWN_IDENTITIES = 20


@require(Right.JOIN_GUESTS)
@require_safe
def same_part(request: HttpRequest, guest_id: int) -> HttpResponseBase:
    """Who may be the same guest, and who was joined lately: read after the panel is there, for it must not wait for this."""
    staff, now = staff_of(request), timezone.now()
    candidates = [_candidate(one) for one in same_guest.list_candidates(staff=staff, guest_id=guest_id)]
    context = {
        "guest_id": guest_id,
        "candidates": candidates,
        "merges": [_merge(one) for one in same_guest.list_merges(staff=staff, guest_id=guest_id, now=now)],
        "sprite": static("icons/sprite.svg"),
    }
    likely = {name: candidates[0][name] for name in ("id", "name", "score")} if candidates else None
    return JsonResponse({"html": render_to_string("workstation/_same.html", context), "likely": likely})


@require(Right.JOIN_GUESTS)
@require_safe
def preview_part(request: HttpRequest, guest_id: int, other_id: int) -> HttpResponseBase:
    """What joining the other guest to this one would do."""
    told = same_guest.preview(staff=staff_of(request), kept_id=guest_id, gone_id=other_id)
    context = {**_preview(told), "sprite": static("icons/sprite.svg")}
    return JsonResponse({"html": render_to_string("workstation/_join.html", context)})


@command("desk.join_guests", right=Right.JOIN_GUESTS)
def join(*, guest_id: int, fields: Mapping[str, str], by: Any, now: datetime, **_rest: Any) -> Answer:
    made = same_guest.merge(kept_id=guest_id, gone_id=_other(fields), by=by, now=now)
    return {"ok": True, "merge_id": made.pk}


@command("desk.two_people", right=Right.JOIN_GUESTS)
def two_people(*, guest_id: int, fields: Mapping[str, str], by: Any, now: datetime, **_rest: Any) -> Answer:
    same_guest.say_two_people(one_id=guest_id, other_id=_other(fields), by=by, now=now)
    return {"ok": True}


@command("desk.part_guests", right=Right.JOIN_GUESTS)
def part(*, merge_id: int, by: Any, now: datetime, **_rest: Any) -> Answer:
    same_guest.undo(merge_id=merge_id, by=by, now=now)
    return {"ok": True}


@command("desk.mark_segment", right=Right.SUPERVISE)
def mark_segment(*, guest_id: int, fields: Mapping[str, str], by: Any, now: datetime, **_rest: Any) -> Answer:
    """`segment` a code, `-` = to none, `:rules` = as the rules say; a mark needs its `reason`."""
    find_guest(staff=by, guest_id=guest_id)
    code = fields.get("segment", "")
    if not code:
        raise Refusal("choose", gettext_lazy("Please choose from the list."), status=400)
    if code == ":rules":
        return {"ok": True, "segment": segments.unmark(guest_id=guest_id, by=by, now=now)}
    given = {"code": "" if code == "-" else code, "reason": fields.get("reason", "")}
    return {"ok": True, "segment": segments.mark(guest_id=guest_id, **given, by=by, now=now)}


def _other(fields: Mapping[str, str]) -> int:
    number = fields.get("guest", "")
    if not number.isdecimal():
        raise Refusal("choose", gettext_lazy("Please choose from the list."), status=400)
    return int(number)


def _candidate(one: Candidate) -> dict[str, Any]:
    return {**_guest(one.guest), "score": one.match.score, **same_guest.in_words(one)}


def _guest(guest: Guest) -> dict[str, Any]:
    identities = guest.identities.order_by("channel", "pk")[:SHOWN_IDENTITIES]
    return {
        "id": guest.pk,
        "name": guest.name or _("Guest without a name"),
        "contacts": [contact for contact in (masked_phone(guest.phone), masked_email(guest.email)) if contact],
        "channels": [{"kind": kind, "name": channel_name(kind)} for kind in dict.fromkeys(one.channel for one in identities)],
        "since": day_of(guest.created_at),
    }


def _merge(made: GuestMerge) -> dict[str, Any]:
    return {
        "id": made.pk,
        "name": made.gone.name or _("Guest without a name"),
        "at": moment(made.at),
        "by": made.by.full_name if made.by else _("Otklik"),
    }


def _preview(told: Preview) -> dict[str, Any]:
    return {
        "kept": _guest(told.kept),
        "gone": _guest(told.gone),
        "score": told.match.score,
        **same_guest.in_words(Candidate(told.gone, told.match)),
        "identities": [_identity(one) for one in told.identities[:SHOWN_IDENTITIES]],
        "moves": in_words(told.counts),
        "fills": [FIELD_NAMES[name] for name in told.fills],
        "keeps": [FIELD_NAMES[name] for name in told.keeps],
        "undo_days": merge_policy().undo_days,
    }


def _identity(one: Identity) -> dict[str, str]:
    return {"kind": one.channel, "channel": channel_name(one.channel), "name": one.display_name}


def in_words(counts: Mapping[str, int]) -> list[str]:
    """What moves, as a person counts it; nothing is not said."""
    sessions, messages, cases = (counts.get(kind, 0) for kind in ("sessions", "messages", "cases"))
    told = [
        (sessions, ngettext("%(count)d dialogue", "%(count)d dialogues", sessions)),
        (messages, ngettext("%(count)d message", "%(count)d messages", messages)),
        (cases, ngettext("%(count)d ticket", "%(count)d tickets", cases)),
    ]
    return [words % {"count": number} for number, words in told if number]
