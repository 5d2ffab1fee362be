"""The route map as the desk shows it: a picture made of text and lines, and the same way as a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.text import first_line
from tickets.models import Case
from tickets.route_map import BOX_HEIGHT, BOX_WIDTH, Drawing, Holder, Stay, draw
from tickets.selectors import find_case
from tickets.services.route_maps import route_of
from workstation.entrances import at_desk, staff_of
from workstation.feed import moment
from workstation.panels import duration

# What fits into a box of the picture; the whole name is in its title and in the list.
NAME, UNDER = 16, 22


@dataclass(frozen=True)
class StayView:
    """A stay in words. `state` is done, here or ended; `short`, `under` and `on_arrow` fit into the picture."""

    kind: str
    what: str
    name: str
    short: str
    under: str
    group: str
    since: str
    iso: str
    wall: str
    worked: str
    on_arrow: str
    reason: str
    state: str


def kind_name(holder: Holder) -> str:
    names = {
        Holder.START: _("opened by"),
        Holder.GROUP: _("group"),
        Holder.PERSON: _("person"),
        Holder.STORE: _("store"),
        Holder.GUEST: _("waits for the guest"),
        Holder.THIRD: _("waits for a third party"),
        Holder.END: _("closed"),
    }
    return names[holder]


def _view(stay: Stay, *, is_last: bool) -> StayView:
    name = stay.name or {Holder.GUEST: _("Guest"), Holder.THIRD: _("Third party"), Holder.END: _("Closed")}.get(stay.holder, _("Otklik"))
    under = stay.group if stay.holder is Holder.PERSON else "" if stay.holder is Holder.END else kind_name(stay.holder)
    is_timed = stay.holder not in {Holder.START, Holder.END}
    return StayView(
        kind=stay.holder.value,
        what=kind_name(stay.holder),
        name=name,
        short=first_line(name, NAME),
        under=first_line(under, UNDER),
        group=stay.group if stay.holder is Holder.PERSON else "",
        since=moment(stay.since),
        iso=stay.since.isoformat(),
        wall=duration(stay.seconds) if is_timed else "",
        worked=duration(stay.worked) if is_timed else "",
        on_arrow=(duration(stay.worked) if stay.worked >= 60 else _("< 1 min")) if is_timed else "",
        reason=stay.reason,
        state="ended" if is_last and stay.holder is Holder.END else "here" if is_last else "done",
    )


def what_next(stay: Stay) -> list[str]:
    """Who may have it next, likeliest first."""
    found = {
        Holder.GROUP: [_("a person takes it"), _("closed")],
        Holder.PERSON: [_("answer to the guest"), _("another group"), _("closed")],
        Holder.STORE: [_("back to the group"), _("closed")],
        Holder.GUEST: [_("the guest answers"), _("closed")],
        Holder.THIRD: [_("back to the group"), _("closed")],
    }
    return found.get(stay.holder, [])


def context_of(case: Case, *, now: datetime) -> dict[str, Any]:
    """What the template draws."""
    stays = route_of(case, now=now)
    views = [_view(stay, is_last=stay is stays[-1]) for stay in stays]
    possible = what_next(stays[-1]) if stays else []
    drawing = draw(len(stays) + bool(possible))
    return {
        "case": case,
        "picture": {"width": drawing.width, "height": drawing.height, "box_width": BOX_WIDTH, "box_height": BOX_HEIGHT},
        "boxes": _boxes(drawing, views),
        "legs": _legs(drawing, views),
        "next_box": _next_box(drawing, possible),
        "stays": views,
        "possible": possible,
    }


def _boxes(drawing: Drawing, views: Sequence[StayView]) -> list[dict[str, Any]]:
    return [
        {"x": place.x, "y": place.y, "middle": place.x + BOX_WIDTH // 2, "first": place.y + 25, "second": place.y + 43, "stay": view}
        for place, view in zip(drawing.boxes, views, strict=False)
    ]


def _legs(drawing: Drawing, views: Sequence[StayView]) -> list[dict[str, Any]]:
    """Each arrow tells how long the ticket was where it begins."""
    found = []
    for number, leg in enumerate(drawing.legs):
        view = views[number]
        is_possible = number + 1 >= len(views)
        found.append({"leg": leg, "below": leg.label.y + 22, "wall": view.wall, "worked": view.on_arrow, "is_possible": is_possible})
    return found


def _next_box(drawing: Drawing, possible: Sequence[str]) -> dict[str, Any] | None:
    if not possible:
        return None
    place = drawing.boxes[-1]
    gap = BOX_HEIGHT / (len(possible) + 1)
    lines = [{"y": round(place.y + gap * (number + 1) + 4), "text": first_line(text, UNDER)} for number, text in enumerate(possible)]
    return {"x": place.x, "y": place.y, "middle": place.x + BOX_WIDTH // 2, "lines": lines}


@at_desk
@require_safe
def page(request: HttpRequest, subject_id: int) -> HttpResponseBase:
    """The way of a ticket on a page of its own."""
    case = find_case(staff=staff_of(request), case_id=subject_id)
    return render(request, "workstation/route_map.html", context_of(case, now=timezone.now()))


@at_desk
@require_safe
def part(request: HttpRequest, subject_id: int) -> HttpResponseBase:
    """The same for the desk's dialog."""
    case = find_case(staff=staff_of(request), case_id=subject_id)
    return JsonResponse({"html": render_to_string("workstation/_route_map.html", context_of(case, now=timezone.now()))})
