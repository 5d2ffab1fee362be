"""Commands of the desk: each is one service, carried out once per Idempotency-Key, answered in JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.entrance import require
from accounts.models import Group, Staff
from accounts.rights import Right
from core.commands import Answer
from core.refusal import Refusal
from omni.channels.contract import OutgoingFile
from omni.models import Message
from omni.selectors import find_guest
from omni.services import answering, conversations, offers
from omni.services import presence as presences
from omni.states import PresenceState
from stores.models import Store
from tickets.models import Topic
from tickets.services import cases, opening
from tickets.states import WAITING
from worklist.models import Item
from worklist.selectors import find_item
from worklist.states import Kind
from workstation import life
from workstation.entrances import at_desk, command, staff_of
from workstation.feed import list_files
from workstation.models import Draft
from workstation.services import answers, contacts, drafts, handing, held_closings, snoozing
from workstation.services import presence as desk_presence

Fields = Mapping[str, str]


def _number(fields: Fields, name: str) -> int | None:
    value = fields.get(name, "")
    return int(value) if value.isdecimal() else None


def _chosen(model: Any, fields: Fields, name: str) -> Any:
    """The object that a picker has chosen. Raises Refusal."""
    number = _number(fields, name)
    found = model.objects.filter(pk=number).first() if number is not None else None
    if found is None:
        raise Refusal("choose", _("Please choose from the list."), status=400)
    return found


def _item(by: Staff, kind: str, subject_id: int) -> Item:
    return find_item(staff=by, kind=kind, subject_id=subject_id)


def _load(by: Staff, now: datetime) -> Answer:
    """After a change of what the person holds: the load as it is now."""
    return {"ok": True, "presence": desk_presence.shown(by, now=now)}


@command("desk.presence", right=Right.ANSWER)
def change_presence(*, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    state, reason = fields.get("state", ""), fields.get("reason", "")
    if state not in {PresenceState.READY, PresenceState.BREAK, PresenceState.WRAP_UP, PresenceState.OFFLINE}:
        raise Refusal("bad_state", _("There is no such state."), status=400)
    presences.change(staff=by, state=state, reason=reason, by=by, now=now)
    if state == PresenceState.READY:
        desk_presence.look_for_work(staff=by, now=now)
    return _load(by, now)


@command("desk.offer_accept", right=Right.ANSWER)
def accept_offer(*, offer_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    session = offers.accept(offer_id=offer_id, by=by, now=now)
    return {**_load(by, now), "session_id": session.pk}


@command("desk.offer_decline", right=Right.ANSWER)
def decline_offer(*, offer_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    session = offers.decline(offer_id=offer_id, reason=fields.get("reason", ""), by=by, now=now)
    desk_presence.look_for_others(session=session, now=now)
    return _load(by, now)


@command("desk.answer", right=Right.ANSWER)
def answer(*, kind: str, subject_id: int, fields: Fields, files: "Sequence[UploadedFile[Any]]", by: Staff, now: datetime) -> Answer:
    message = answers.answer(
        item=_item(by, kind, subject_id),
        text=fields.get("text", ""),
        uploads=[OutgoingFile(name=file.name or "file", mime=file.content_type or "", data=file.read()) for file in files],
        seen_message_id=_number(fields, "seen"),
        over_newer=fields.get("over_newer") == "1",
        revision=_number(fields, "revision") or 0,
        by=by,
        now=now,
    )
    return {**_load(by, now), "message_id": message.pk}


@command("desk.note", right=Right.DESK)
def note(*, kind: str, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item, revision = _item(by, kind, subject_id), _number(fields, "revision") or 0
    return {"ok": True, "message_id": answers.note(item=item, text=fields.get("text", ""), revision=revision, by=by, now=now).pk}


def _take(*, kind: Kind, subject_id: int, by: Staff, now: datetime) -> Answer:
    answers.take(item=_item(by, kind, subject_id), by=by, now=now)
    return _load(by, now)


@command("desk.take_session", right=Right.ANSWER)
def take_session(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _take(kind=Kind.SESSION, subject_id=subject_id, by=by, now=now)


@command("desk.take_case", right=Right.CASES_WORK)
def take_case(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _take(kind=Kind.CASE, subject_id=subject_id, by=by, now=now)


def _hand(*, kind: Kind, subject_id: int, fields: Fields, by: Staff, now: datetime) -> Answer:
    to = _chosen(Staff, fields, "to")
    handing.hand_to(item=_item(by, kind, subject_id), to=to, note=fields.get("note", ""), by=by, now=now)
    return _load(by, now)


@command("desk.pass_session", right=Right.ANSWER)
def pass_session(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    """To a group's or queue's people instead of a person."""
    item, note = _item(by, Kind.SESSION, subject_id), fields.get("note", "")
    handing.pass_on(item=item, place=fields.get("to", ""), note=note, by=by, now=now)
    return _load(by, now)


@command("desk.hand_session", right=Right.ANSWER)
def hand_session(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _hand(kind=Kind.SESSION, subject_id=subject_id, fields=fields, by=by, now=now)


@command("desk.hand_case", right=Right.CASES_WORK)
def hand_case(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return _hand(kind=Kind.CASE, subject_id=subject_id, fields=fields, by=by, now=now)


@command("desk.return_session", right=Right.ANSWER)
def return_session(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    handing.give_back(item=_item(by, Kind.SESSION, subject_id), reason=fields.get("reason", ""), by=by, now=now)
    return _load(by, now)


@command("desk.return_case", right=Right.CASES_WORK)
def return_case(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    handing.give_back(item=_item(by, Kind.CASE, subject_id), reason=fields.get("reason", ""), by=by, now=now)
    return _load(by, now)


@command("desk.snooze", right=Right.DESK)
def snooze(*, kind: str, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    until = parse_datetime(fields.get("until", "").replace(" ", "+"))
    if until is None:
        raise Refusal("bad_time", _("Choose a time within the next 60 days."), status=400)
    aware = until if timezone.is_aware(until) else timezone.make_aware(until)
    snoozing.put_off(item=_item(by, kind, subject_id), until=aware, by=by, now=now)
    return {"ok": True}


@command("desk.wake", right=Right.DESK)
def wake(*, kind: str, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item = _item(by, kind, subject_id)
    return {"ok": snoozing.wake(kind=item.kind, subject_id=item.subject_id, now=now, early=True)}


@command("desk.finish", right=Right.ANSWER)
def finish(*, subject_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    until = held_closings.hold(item=_item(by, Kind.SESSION, subject_id), by=by, now=now)
    return {"ok": True, "held_until": until.isoformat()}


@command("desk.resend", right=Right.ANSWER)
def resend(*, message_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    return {"ok": True, "message_id": answering.resend(message_id=_own_sight(by, message_id).pk, by=by, now=now).pk}


@command("desk.take_back", right=Right.ANSWER)
def take_back(*, message_id: int, by: Staff, now: datetime, **_rest: Any) -> Answer:
    message = answering.take_back(message_id=_own_sight(by, message_id).pk, by=by)
    return {"ok": True, "message_id": message.pk, "text": message.text, "files": list_files(message)}


def _own_sight(by: Staff, message_id: int) -> Message:
    """An outgoing message that the person wrote or whose guest the person sees. Raises Refusal (404)."""
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Refusal("not_found", _("There is no such message, or you may not see it."), status=404)
    find_guest(staff=by, guest_id=message.guest_id)
    return message


@command("desk.open_ticket", right=Right.CASES_WORK)
def open_ticket(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item = _item(by, Kind.SESSION, subject_id)
    store = _chosen(Store, fields, "store") if fields.get("store") else None
    case = opening.open_ticket(
        session_id=item.subject_id,
        topic=_chosen(Topic, fields, "topic"),
        store=store,
        summary=fields.get("summary", ""),
        details=life.details_of(fields),
        by=by,
        now=now,
    )
    may_open = Item.objects.visible_to(by).filter(kind=Kind.CASE, subject_id=case.pk).exists()
    return {"ok": True, "case_id": case.pk, "number": case.number, "may_open": may_open}


@command("desk.route", right=Right.CASES_WORK)
def route(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item = _item(by, Kind.CASE, subject_id)
    cases.route(case_id=item.subject_id, group=_chosen(Group, fields, "group"), by=by, reason=fields.get("reason", ""), now=now)
    return {"ok": True}


@command("desk.wait", right=Right.CASES_WORK)
def wait(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item, state = _item(by, Kind.CASE, subject_id), fields.get("state", "")
    if state not in WAITING and not life.number_after(state, "reason"):
        raise Refusal("bad_state", _("There is no such state."), status=400)
    life.wait_for(case_id=item.subject_id, choice=state, by=by, now=now)
    return {"ok": True}


@command("desk.close_case", right=Right.CASES_WORK)
def close_case(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item, cause = _item(by, Kind.CASE, subject_id), fields.get("cause", "")
    until = held_closings.hold(item=item, cause=cause, note=fields.get("note", ""), by=by, now=now)
    return {"ok": True, "held_until": until.isoformat()}


@command("desk.keep_open", right=Right.DESK)
def keep_open(*, kind: str, subject_id: int, by: Staff, **_rest: Any) -> Answer:
    """Take back the own closing of a dialogue or ticket while it is held."""
    held_closings.take_back(item=_item(by, kind, subject_id), by=by)
    return {"ok": True}


@command("desk.reopen_case", right=Right.CASES_WORK)
def reopen_case(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item = _item(by, Kind.CASE, subject_id)
    cases.reopen(case_id=item.subject_id, by=by, reason=fields.get("reason", ""), now=now)
    return {"ok": True}


@command("desk.store_answer", right=Right.CASES_READ)
def store_answer(*, subject_id: int, fields: Fields, by: Staff, now: datetime, **_rest: Any) -> Answer:
    item = _item(by, Kind.CASE, subject_id)
    cases.store_answer(case_id=item.subject_id, text=fields.get("text", ""), by=by, now=now)
    return {"ok": True}


@require(Right.PERSONAL)
@require_POST
def reveal(request: HttpRequest, guest_id: int) -> HttpResponseBase:
    """A guest's contacts unmasked. Each look is recorded; the answer is kept nowhere, so a repeat is another look."""
    by = staff_of(request)
    return JsonResponse(contacts.reveal(guest=find_guest(staff=by, guest_id=guest_id), by=by, now=timezone.now()))


@at_desk
@require_POST
def save_draft(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """Keep an unsent text. Needs no Idempotency-Key: its `revision` makes a repeat or a late one harmless."""
    by, mode = staff_of(request), request.POST.get("mode", "")
    if mode not in Draft.Mode.values:
        raise Refusal("bad_mode", _("There is no such kind of draft."), status=400)
    item, revision = _item(by, kind, subject_id), _number(request.POST, "revision") or 0
    text = request.POST.get("text", "")
    return JsonResponse({"saved": drafts.save(item=item, mode=Draft.Mode(mode), text=text, revision=revision, by=by, now=timezone.now())})


@at_desk
@require_POST
def mark_read(request: HttpRequest, kind: str, subject_id: int) -> HttpResponseBase:
    """The newest message is on a visible screen: `up_to` is its id. Only the owner's reading counts; a repeat changes nothing."""
    by, now = staff_of(request), timezone.now()
    item, up_to = _item(by, kind, subject_id), _number(request.POST, "up_to") or 0
    if item.owner_id == by.pk and item.unread:
        if item.kind == Kind.CASE:
            cases.mark_read(case_id=item.subject_id, now=now)
        else:
            conversations.mark_read(session_id=item.subject_id, up_to=up_to, now=now)
    return JsonResponse({"ok": True})
