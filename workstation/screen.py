"""What the desk's templates get: one function a region, texts ready to print."""

from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Staff
from accounts.rights import Right
from core.live import Position
from core.statements import Prepared
from omni.models import BreakKind, Presence
from omni.services import presence as presences
from omni.services.reach import obstacle
from omni.states import PresenceState, SessionState
from stores.selectors import list_store_ids
from tickets.states import Priority
from worklist.models import Item
from worklist.selectors import count_tabs
from worklist.services.items import row
from worklist.states import NO_DUE, ItemState, Kind, Sort, Tab
from workstation import feed, keys, panels, reference
from workstation.rows import blank_row, key_of, render_rows
from workstation.rules import NO_CLOCK, clock_face
from workstation.selectors import ListQuery, Opened, draft_texts, facts_of, list_drafts, list_page, may_answer
from workstation.services.held_closings import list_held
from workstation.wording import call_channels, channel_name, channel_names

BASE = "/desk/"


def list_context(*, staff: Staff, query: ListQuery, current: str, now: datetime) -> dict[str, Any]:
    """The list: tabs, filters, rows."""
    page, counts = list_page(staff=staff, query=query), count_tabs(staff)
    drafts = draft_texts(list_drafts(staff))
    return {
        "query": query,
        "tabs": [{"id": tab.value, "name": tab.label, "count": counts[tab.value], "is_current": tab == query.tab} for tab in Tab],
        "sorts": [(sort.value, sort.label) for sort in Sort],
        "channels": list(channel_names().items()),
        "kinds": [(kind.value, kind.label) for kind in Kind],
        "rows": render_rows(page.items, staff=staff, base=BASE, drafts=drafts, current=current, now=now),
        "is_empty": not page.items,
        "next_cursor": page.next_cursor or "",
        "list_data": {"rows": [row(item) for item in page.items], "counts": counts, "drafts": dict(drafts)},
    }


_PRESENCE = Prepared(lambda staff: Presence.objects.filter(staff_id=staff))


def presence_context(*, staff: Staff, now: datetime) -> dict[str, Any]:
    """The person's own state; somebody who never went on line is off."""
    found = _PRESENCE.first(staff=staff.pk)
    return presences.shown(found or Presence(staff=staff, state=PresenceState.OFFLINE, since=now, capacity=0, load=0))


_BREAKS = Prepared(lambda: BreakKind.objects.order_by("position", "name"))


def break_kinds() -> list[dict[str, Any]]:
    """Kinds of break as the screen names them, the retired ones too: somebody may still be on one. `limit` in minutes, 0 = none."""
    return [
        {"code": kind.code, "name": kind.shown_name, "limit": kind.limit_minutes or 0, "offered": kind.is_active} for kind in _BREAKS.all()
    ]


def item_context(*, opened: Opened, staff: Staff, now: datetime) -> dict[str, Any]:
    """The dialogue: header, feed, composer."""
    item, session = opened.item, opened.session
    unread = item.unread
    face = clock_face(item.due_at, item.target_seconds, now) if _runs(opened) else NO_CLOCK
    answers = may_answer(staff, session)
    return {
        "opened": opened,
        "item": item,
        "item_key": key_of(item),
        "guest_name": item.guest_name or _("Guest without a name"),
        "channel_name": channel_name(session.account.kind),
        "is_case": item.kind == Kind.CASE,
        "face": face,
        "due_iso": item.due_at.isoformat() if _runs(opened) else "",
        "owner_name": owner_name(opened, staff),
        "state_word": item.get_state_display(),
        "entries": feed.entries(opened.feed.messages, unread=unread, unread_session=session.pk),
        "before": opened.feed.before or "",
        "may_answer": answers,
        "may_note": staff.has_right(Right.DESK),
        "may_split": may_split(item, staff),
        "why_silent": why_silent(opened, staff, now=now),
        "has_approved": answers and opened.can.templates,
        "text_limit": opened.can.text_limit or 0,
        "undo_seconds": opened.can.undo_seconds,
        "files_limit": opened.can.attachments_per_message if opened.can.attachments else 0,
        "drafts": opened.drafts,
        "actions": actions(opened, staff),
        "caps": key_caps(staff),
    }


def key_caps(staff: Staff) -> dict[str, str]:
    """The person's key of each deed as a button tells it: " (E)"; "" where there is none."""
    found = keys.effective(staff.own_keys) if staff.single_keys else {}
    return {deed: f" ({keys.cap(key)})" for deed, key in found.items() if key}


def _runs(opened: Opened) -> bool:
    return opened.item.due_at < NO_DUE and opened.item.state != ItemState.CLOSED


def owner_name(opened: Opened, staff: Staff) -> str:
    owner = opened.case.owner if opened.case else opened.session.owner
    if owner is None:
        return ""
    return _("You") if owner.pk == staff.pk else owner.full_name


def may_split(item: Item, staff: Staff) -> bool:
    """Whether words of the item's feed can become tickets of their own."""
    return item.kind == Kind.CASE and staff.has_right(Right.CASES_WORK)


def why_silent(opened: Opened, staff: Staff, *, now: datetime) -> str:
    """Why the guest cannot be answered here; empty = nothing is in the way."""
    session = opened.session
    if not session.guest.is_person:
        return _("There is no guest here. What you write are notes for your colleagues.")
    if not staff.has_right(Right.ANSWER):
        return _("Your role does not allow answering guests.")
    if session.state == SessionState.CLOSED:
        return _("The dialogue is closed. A new message of the guest opens it again.")
    refusal = obstacle(session, now=now)
    return str(refusal.text) if refusal else ""


def actions(opened: Opened, staff: Staff) -> dict[str, bool]:
    """Which deeds the header offers in the item's present state."""
    item = opened.item
    right = Right.CASES_WORK if item.kind == Kind.CASE else Right.ANSWER
    works, mine = staff.has_right(right), item.owner_id == staff.pk
    is_open = item.state != ItemState.CLOSED
    return {
        "take": works and item.state == ItemState.WAITING and item.owner_id is None,
        "hand": works and is_open,
        "give_back": works and is_open and item.owner_id is not None,
        "snooze": works and is_open and mine,
        "wake": works and mine and item.state == ItemState.SNOOZED,
        "finish": works and is_open and item.kind == Kind.SESSION,
    }


def panel_context(*, opened: Opened, staff: Staff, panel: str, now: datetime) -> dict[str, Any]:
    """The right panel's chosen tab."""
    chosen = panels.chosen_panel(opened, staff, panel)
    tabs = [(tab.value, tab.label) for tab in panels.panels_of(staff)]
    around = {"panel": chosen.value, "panel_part": f"workstation/_{chosen.value}.html", "panel_tabs": tabs}
    return around | _panel(chosen, opened, staff, now=now)


def _panel(chosen: panels.Panel, opened: Opened, staff: Staff, *, now: datetime) -> dict[str, Any]:
    if chosen == panels.Panel.GUEST:
        return panels.guest_context(opened=opened, staff=staff, base=BASE)
    if chosen == panels.Panel.KNOWLEDGE:
        return reference.knowledge_context(opened=opened)
    if chosen == panels.Panel.HISTORY:
        return reference.history_context(opened=opened, staff=staff, base=BASE)
    if chosen == panels.Panel.ORDERS:
        return reference.orders_context(guest=opened.session.guest)
    return panels.ticket_context(opened=opened, staff=staff, base=BASE, now=now)


def config(*, staff: Staff, position: Position | None, query: ListQuery, now: datetime) -> dict[str, Any]:
    """What the script must know of the person and the moment."""
    return {
        "base": BASE,
        "staff": staff.pk,
        "name": staff.full_name,
        "login": staff.login,
        "groups": staff.group_ids,
        "stores": list_store_ids(staff),
        "everything": staff.has_right(Right.EVERYTHING),
        "joinsGuests": staff.has_right(Right.JOIN_GUESTS),
        "worksInMass": staff.has_right(Right.MASS_WORK),
        "singleKeys": staff.single_keys,
        "keys": keys.effective(staff.own_keys),
        "caps": keys.CAPS,
        "language": staff.language,
        "zone": staff.time_zone,
        "now": now.timestamp() * 1000,
        "position": asdict(position) if position else None,
        "query": {"tab": query.tab, "sort": query.sort, "channel": query.channel, "kind": query.kind},
        "firstTab": ListQuery.of({}, staff).tab,
        "channels": channel_names(),
        "calls": call_channels(),
        "priorities": [(priority.value, str(priority.label)) for priority in reversed(Priority)],
        "sprite": static("icons/sprite.svg"),
    }


def part_context(*, opened: Opened, staff: Staff, panel: str, now: datetime) -> dict[str, Any]:
    """An item without the page around it: dialogue and right panel."""
    around = {"sprite": static("icons/sprite.svg"), "base": BASE}
    dialogue = item_context(opened=opened, staff=staff, now=now)
    return around | dialogue | panel_context(opened=opened, staff=staff, panel=panel, now=now)


@cache
def fixtures(language: str) -> SafeString:
    """Dialogs and blank markup: the same on every desk of a language, so rendered once."""
    blank = {"blank_row": blank_row(), "blank_entries": [feed.blank_entry()]}
    return render_to_string("workstation/_dialogs.html", {"sprite": static("icons/sprite.svg"), **blank})


def page_context(*, staff: Staff, query: ListQuery, opened: Opened | None, position: Position | None, now: datetime) -> dict[str, Any]:
    """The whole desk."""
    current = key_of(opened.item) if opened else ""
    presence, answers = presence_context(staff=staff, now=now), staff.has_right(Right.ANSWER)
    kinds = break_kinds() if answers else []
    held = [{"key": f"{one.kind}:{one.subject_id}", "held_until": one.due_at.isoformat()} for one in list_held(staff, now=now)]
    own = {"presence": presence, "breaks": kinds, "held": held}
    found = {
        "sprite": static("icons/sprite.svg"),
        "base": BASE,
        "person": staff,
        "presence": presence,
        "presence_name": PresenceState(presence["state"]).label,
        "breaks": kinds,
        "is_operator": answers,
        "is_admin": staff.has_right(Right.ADMIN),
        "works_in_mass": staff.has_right(Right.MASS_WORK),
        "fixtures": fixtures(translation.get_language()),
        "config": config(staff=staff, position=position, query=query, now=now) | own,
        **list_context(staff=staff, query=query, current=current, now=now),
    }
    if opened is not None:
        found |= item_context(opened=opened, staff=staff, now=now) | panel_context(opened=opened, staff=staff, panel="", now=now)
        found["config"]["opened"] = facts_of(opened.item)
    return found
