"""Rows of the list: one markup, filled here for the first page and by the script for what changes.

The partial `_row.html` is rendered once per language with its slots left open and then filled like a form: a page of fifty rows
costs what one costs. The same markup with empty slots stands in the page as a <template>.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Staff
from worklist.models import Item
from worklist.states import NO_DUE, ItemState, Kind
from workstation.rules import NO_CLOCK, clock_face
from workstation.wording import channel_name

SLOTS = (
    "key", "url", "classes", "current", "channel", "channel_name", "name", "unread", "no_unread", "stage", "digits", "no_clock",
    "preview", "number", "no_number", "no_colleague", "no_priority", "draft", "no_draft",
)  # fmt: skip


@cache
def _markup(language: str) -> str:
    slots = {name: mark_safe("{" + name + "}") for name in SLOTS}  # noqa: S308  names of ours, no data
    return render_to_string("workstation/_row.html", {"row": slots, "sprite": static("icons/sprite.svg")})


def render_rows(items: Iterable[Item], *, staff: Staff, base: str, drafts: Mapping[str, str], current: str, now: datetime) -> SafeString:
    """The rows as HTML. `base` is the desk's address, `drafts` the person's unsent texts by item key, `current` the open item's key."""
    markup = _markup(get_language())
    shown = (_filled(item, staff=staff, base=base, draft=drafts.get(key_of(item), ""), current=current, now=now) for item in items)
    return mark_safe("".join(markup.format(**slots) for slots in shown))  # noqa: S308  every slot is escaped below


def blank_row() -> SafeString:
    """The markup with empty slots, for the script to clone."""
    hidden = {name: "hidden" for name in SLOTS if name.startswith("no_")}
    return mark_safe(_markup(get_language()).format(**{**dict.fromkeys(SLOTS, ""), **hidden}))  # noqa: S308  no data


def key_of(item: Item) -> str:
    """The item's name in addresses, live events and the page: `session:12`."""
    return f"{item.kind}:{item.subject_id}"


def address_of(item: Item, base: str) -> str:
    return f"{base}{item.kind}/{item.subject_id}/"


def _filled(item: Item, *, staff: Staff, base: str, draft: str, current: str, now: datetime) -> dict[str, Any]:
    key = key_of(item)
    runs = item.state != ItemState.CLOSED and item.due_at < NO_DUE
    face = clock_face(item.due_at, item.target_seconds, now) if runs else NO_CLOCK
    return {
        "key": key,
        "url": address_of(item, base),
        "classes": classes(item),
        "current": 'aria-current="page"' if key == current else "",
        "channel": escape(item.channel),
        "channel_name": escape(channel_name(item.channel)),
        "name": escape(item.guest_name or _("Guest without a name")),
        "unread": item.unread,
        "no_unread": "" if item.unread else "hidden",
        "stage": face.stage.value,
        "digits": face.digits,
        "no_clock": "" if runs else "hidden",
        "preview": escape(item.preview or item.title),
        "number": escape(item.number),
        "no_number": "" if item.number else "hidden",
        "no_colleague": "" if item.owner_id and item.owner_id != staff.pk else "hidden",
        "no_priority": "" if item.priority > 0 else "hidden",
        "draft": escape(draft),
        "no_draft": "" if draft else "hidden",
    }


def classes(item: Item) -> str:
    """Style classes of a row."""
    marks = [item.state, "ticket" if item.kind == Kind.CASE else "", "is-unread" if item.unread else ""]
    return " ".join(mark for mark in marks if mark)
