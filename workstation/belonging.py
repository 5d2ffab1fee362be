"""Duplicates and links at the desk: beside the ticket, in the form of a new one, and the commands of both."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.entrance import require
from accounts.models import Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from omni.selectors import find_session
from stores.models import Store
from tickets import belonging
from tickets.belonging import Alike, Linked
from tickets.models import Case, CaseLink, Topic
from tickets.selectors import find_case
from tickets.services import duplicates, linking
from worklist.selectors import find_item
from worklist.states import ItemState, Kind
from workstation.entrances import at_desk, command, staff_of
from workstation.feed import moment
from workstation.life import details_of
from workstation.panels import case_link
from workstation.wording import channel_name

Fields = Mapping[str, str]
BASE = "/desk/"


@at_desk
@require_safe
def beside(request: HttpRequest, subject_id: int) -> HttpResponseBase:
    """What belongs to the ticket; read after the panel is there, for it must not wait for this."""
    staff, now = staff_of(request), timezone.now()
    case = find_case(staff=staff, case_id=subject_id)
    alike = [_alike(one) for one in belonging.list_alike(staff=staff, case=case)]
    incident = belonging.incident_of(case)
    context = {
        "case": case,
        "alike": alike,
        "links": [_linked(one) for one in belonging.list_links(staff=staff, case=case, now=now)],
        "incident": incident,
        "is_own": case.guest_id is None,
        "members": belonging.count_members(incident) if incident and case.guest_id is None else 0,
        "may_work": staff.has_right(Right.CASES_WORK),
        "kinds": [(kind, kind.label) for kind in (CaseLink.Kind.DUPLICATE, CaseLink.Kind.CHILD, CaseLink.Kind.RELATED)],
    }
    likely = alike[0] if alike and context["may_work"] else None
    told = {name: likely[name] for name in ("id", "number", "score")} if likely else None
    return JsonResponse({"html": render_to_string("workstation/_belonging.html", context), "likely": told})


@at_desk
@require_safe
def compare_part(request: HttpRequest, subject_id: int, main_id: int) -> HttpResponseBase:
    """The ticket beside another one that may be the same matter, before they are joined."""
    staff = staff_of(request)
    case, main = (find_case(staff=staff, case_id=one) for one in (subject_id, main_id))
    alike = next((one for one in belonging.list_alike(staff=staff, case=case) if one.item.subject_id == main_id), None)
    told = {"score": alike.score, "reasons": alike.reasons} if alike else {}
    return JsonResponse({"html": render_to_string("workstation/_compare.html", {"sides": [_side(main), _side(case)], **told})})


def _side(case: Case) -> dict[str, Any]:
    return {
        "id": case.pk,
        "number": case.number,
        "topic": str(case.topic),
        "guest": case.guest_name,
        "channel": channel_name(case.session.account.kind),
        "store": str(case.store) if case.store else "",
        "summary": case.summary,
        "opened": moment(case.opened_at),
        "state": case.get_state_display(),
    }


@require(Right.CASES_WORK)
@require_safe
def alike_part(request: HttpRequest, subject_id: int) -> HttpResponseBase:
    """Tickets that the new one of this dialogue would perhaps repeat: `?topic=&store=&summary=`."""
    staff = staff_of(request)
    find_item(staff=staff, kind=Kind.SESSION, subject_id=subject_id)
    session = find_session(subject_id)
    topic, store = _picked(Topic, request.GET, "topic"), _picked(Store, request.GET, "store")
    if topic is None or session is None:
        return JsonResponse({"html": ""})
    said = [
        request.GET.get("summary", ""),
        *session.messages.filter(direction="in", received_at__gte=session.opened_at).order_by("seq").values_list("text", flat=True)[:5],
    ]
    found = belonging.ask_alike(staff=staff, guest=session.guest, topic=topic, store=store, text=" ".join(said), now=timezone.now())
    return JsonResponse({"html": render_to_string("workstation/_alike.html", {"alike": [_alike(one) for one in found]}) if found else ""})


def _picked(model: Any, fields: Mapping[str, str], name: str) -> Any:
    value = fields.get(name, "")
    return model.objects.filter(pk=int(value)).first() if value.isdecimal() else None


def _alike(one: Alike) -> dict[str, Any]:
    shown = {
        "id": one.item.subject_id,
        "is_open": one.item.state != ItemState.CLOSED,
        "guest": one.item.guest_name,
        "score": one.score,
        "reasons": one.reasons,
    }
    return {**case_link(one.item, BASE), **shown}


def _linked(one: Linked) -> dict[str, Any]:
    kind = CaseLink.Kind(one.link.kind)
    return {
        **case_link(one.item, BASE),
        "id": one.link.pk,
        "word": kind.label if one.is_main else _FROM_MAIN[kind],
        "by": one.link.by.full_name,
        "may_undo": one.may_undo,
    }


_FROM_MAIN = {
    CaseLink.Kind.DUPLICATE: _("has the duplicate"),
    CaseLink.Kind.CHILD: _("has the part"),
    CaseLink.Kind.RELATED: _("related to"),
    CaseLink.Kind.SPLIT: _("was split into"),
}


@command("desk.link_cases", right=Right.CASES_WORK)
def link(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """`kind` and the main ticket: its id (`main`) or its number (`number`)."""
    find_case(staff=by, case_id=subject_id)
    main, kind = _main(by, fields), fields.get("kind", "")
    if kind == CaseLink.Kind.DUPLICATE:
        made = linking.join(case_id=subject_id, main_id=main, by=by, now=now)
    elif kind in {CaseLink.Kind.CHILD, CaseLink.Kind.RELATED}:
        made = linking.link(case_id=subject_id, main_id=main, kind=CaseLink.Kind(kind), by=by, now=now)
    else:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return {"ok": True, "link_id": made.pk}


def _main(by: Staff, fields: Fields) -> int:
    """Raises Refusal."""
    if fields.get("main", "").isdecimal():
        return find_case(staff=by, case_id=int(fields["main"])).pk
    return belonging.find_by_number(staff=by, number=fields.get("number", "")).pk


@command("desk.two_matters", right=Right.CASES_WORK)
def two_matters(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    find_case(staff=by, case_id=subject_id)
    duplicates.refuse(case_id=subject_id, other_id=_main(by, fields), by=by, now=now)
    return {"ok": True}


@command("desk.undo_link", right=Right.CASES_WORK)
def undo(*, link_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    belonging.find_link(staff=by, link_id=link_id)
    linking.undo(link_id=link_id, by=by, now=now)
    return {"ok": True}


@command("desk.split_case", right=Right.CASES_WORK)
def split(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """The message `message` of the feed becomes a ticket on `topic`, with the details that the topic asks for."""
    find_case(staff=by, case_id=subject_id)
    topic, store, message = _picked(Topic, fields, "topic"), _picked(Store, fields, "store"), fields.get("message", "")
    if topic is None or not message.isdecimal():
        raise Refusal("choose", _("Please choose from the list."), status=400)
    about = {"topic": topic, "store": store, "details": details_of(fields)}
    made = linking.split(case_id=subject_id, message_id=int(message), by=by, now=now, **about)
    return {"ok": True, "case_id": made.case_id, "number": made.case.number, "link_id": made.pk}
