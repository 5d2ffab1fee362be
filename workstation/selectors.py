"""Reads that compose a screen from the apps below; each screen has a budget of queries (tests)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Group, Staff
from accounts.rights import Right
from core.statements import Prepared
from core.text import searchable
from omni.channels.contract import Capabilities
from omni.models import Presence, Queue, Session
from omni.selectors import FeedPage, list_feed
from omni.services.answering import capabilities_of
from omni.states import PresenceState, SessionState
from stores.selectors import list_store_ids
from tickets.models import CallBack, Case, CaseWait, Watcher
from worklist.models import Item
from worklist.selectors import Filters, Page, list_guest_items, list_items
from worklist.states import Kind, Sort, Tab
from workstation.models import Draft
from workstation.rows import key_of
from workstation.rules import other_layout, phone_digits

DRAFTS_SHOWN = 200
FOUND = 8


@dataclass(frozen=True)
class ListQuery:
    """Which list: tab, order, filters, from where on."""

    tab: str
    sort: str = Sort.DUE.value
    channel: str = ""
    kind: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str], staff: Staff) -> "ListQuery":
        """As the address says; store staff begin with everything that is theirs."""
        first = Tab.MINE if staff.has_right(Right.DESK) else Tab.ALL
        return cls(
            tab=fields.get("tab") or first.value,
            sort=fields.get("sort") or Sort.DUE.value,
            channel=fields.get("channel", ""),
            kind=fields.get("kind", ""),
            cursor=fields.get("cursor", ""),
        )


def list_page(*, staff: Staff, query: ListQuery) -> Page:
    """A page of the list. Raises Refusal."""
    filters = Filters(kind=query.kind, channel=query.channel)
    return list_items(staff=staff, tab=query.tab, sort=query.sort, filters=filters, cursor=query.cursor)


def list_drafts(staff: Staff) -> Sequence[Draft]:
    """The person's unsent texts, newest first."""
    return _DRAFTS.all(staff=staff.pk)


_DRAFTS = Prepared(lambda staff: Draft.objects.filter(staff_id=staff).exclude(text="").order_by("-updated_at")[:DRAFTS_SHOWN])
_DRAFTS_OF = Prepared(
    lambda staff, kind, subject: (
        Draft.objects.filter(staff_id=staff, kind=kind, subject_id=subject).exclude(text="").values_list("mode", "text")
    )
)


@dataclass(frozen=True)
class Opened:
    """An item on the screen: its row, the conversation, the ticket if it is one, the newest page of the feed."""

    item: Item
    session: Session
    case: Case | None
    feed: FeedPage
    can: Capabilities
    drafts: Mapping[str, str]


def open_item(*, staff: Staff, item: Item) -> Opened:
    """Everything the dialogue of a row shows. The caller has checked that the person may see the row."""
    case = _case(item.subject_id) if item.kind == Kind.CASE else None
    session = case.session if case else _session(item.subject_id)
    return Opened(
        item=item,
        session=session,
        case=case,
        feed=list_feed(guest_id=item.guest_id, session_id=only_session(staff, item)),
        can=capabilities_of(session),
        drafts=dict(_DRAFTS_OF.all(staff=staff.pk, kind=item.kind, subject=item.subject_id)),
    )


def only_session(staff: Staff, item: Item) -> int | None:
    """Store staff see their ticket's dialogue and nothing else of the guest's; the desk sees the whole feed (None)."""
    return None if staff.has_right(Right.DESK) else item.session_id or 0


# Of these wide rows a screen needs little; what it needs is named, and the budgets of queries prove that nothing is missing.
_DIALOGUE = (
    "state", "subject", "last_inbound_at", "owner_id", "guest_id", "account__kind", "identity__blocked_at", "owner__full_name",
    "guest__name", "guest__is_person", "guest__segment", "guest__phone", "guest__email", "guest__note", "guest__created_at",
)  # fmt: skip
_TICKET = (
    "number", "guest_id", "session_id", "topic_id", "group_id", "store_id", "owner_id", "state", "at_store", "summary", "routing",
    "details", "previous_id", "priority",
    "opened_at", "topic__name", "topic__name_en", "group__name", "store__number", "store__name", "store__address", "owner__full_name",
    "opened_by__full_name", *(f"session__{name}" for name in _DIALOGUE),
)  # fmt: skip


def _session(session_id: int) -> Session:
    return _OPENED_SESSION.get(pk=session_id)


def _case(case_id: int) -> Case:
    return _OPENED_CASE.get(pk=case_id)


_AROUND_TICKET = (
    "session__account", "session__identity", "session__guest", "session__owner", "topic", "group", "store", "owner", "opened_by",
)  # fmt: skip
_OPENED_SESSION = Prepared(
    lambda pk: Session.objects.select_related("account", "identity", "guest", "owner").only(*_DIALOGUE).filter(pk=pk)
)
_OPENED_CASE = Prepared(
    lambda pk: (
        Case.objects.select_related(*_AROUND_TICKET)
        .only(*_TICKET)
        .filter(pk=pk)
        .annotate(
            has_wait=Exists(CaseWait.objects.filter(case=OuterRef("pk"), ended_at__isnull=True)),
            has_call=Exists(CallBack.objects.filter(case=OuterRef("pk"), state=CallBack.State.OPEN)),
            watched_by=ArraySubquery(Watcher.objects.filter(case=OuterRef("pk")).values("staff_id")),
        )
    )
)


def list_cases_of(guest_id: int) -> Sequence[Item]:
    """The guest's tickets, open ones first, then the newest: who talks with the guest is to know them, whosever they are."""
    return sorted(list_guest_items(guest_id), key=lambda item: item.state == "closed")


def list_cases_of_dialogue(session_id: int) -> Sequence[Item]:
    """The tickets of a dialogue, open ones first: whoever made one for another group is to know that it is there, and its number."""
    of_dialogue = Item.objects.filter(kind=Kind.CASE, session_id=session_id)
    found = list(of_dialogue.select_related("group").order_by("-last_at")[:20])
    return sorted(found, key=lambda item: item.state == "closed")


@dataclass(frozen=True)
class Colleague:
    """Somebody an item can be handed to."""

    id: int
    name: str
    state: str
    load: str


def find_colleagues(*, staff: Staff, words: str) -> Sequence[Colleague]:
    """Active people of the person's groups, or on line anywhere, whose name holds the words; ready ones first."""
    people = Staff.objects.filter(is_active=True).exclude(pk=staff.pk)
    for word in words.split():
        people = people.filter(full_name__icontains=word)
    on_line = Presence.objects.filter(state__in=[PresenceState.READY, PresenceState.WRAP_UP]).values("staff_id")
    near = people.filter(memberships__group_id__in=staff.group_ids) | people.filter(pk__in=on_line)
    found = list(near.distinct().select_related("presence").order_by("full_name")[:40])
    return sorted((_colleague(person) for person in found), key=lambda one: one.state != PresenceState.READY)[:FOUND]


def _colleague(person: Staff) -> Colleague:
    presence: Presence | None = getattr(person, "presence", None)
    state = PresenceState(presence.state) if presence else PresenceState.OFFLINE
    load = f"{presence.load}/{presence.capacity}" if presence else ""
    return Colleague(id=person.pk, name=person.full_name, state=state.value, load=load)


def list_groups() -> Sequence[Group]:
    """Groups that a ticket can go to."""
    return list(Group.objects.filter(is_active=True))


def list_places(language: str) -> Sequence[dict[str, str]]:
    """Queues, then groups with people who answer guests: where a dialogue can be made to wait. `id` as `queue:7`."""
    queues = Queue.objects.select_related("group").order_by("name")
    groups = Group.objects.filter(is_active=True, staff__is_active=True, staff__roles__rights__contains=[Right.ANSWER]).distinct()
    named = [(group.pk, group.name_en if language == "en" and group.name_en else group.name) for group in groups]
    found = [{"id": f"queue:{queue.pk}", "name": queue.name, "hint": _("Queue")} for queue in queues]
    return found + [{"id": f"group:{pk}", "name": name, "hint": _("Group")} for pk, name in named]


def search(*, staff: Staff, words: str) -> Sequence[Item]:
    """Visible items by a ticket's number, or by the guest's name or contacts; also typed in the wrong keyboard layout."""
    text = words.strip().removeprefix("№").strip()
    if len(text) < 2:
        return []
    seen = Item.objects.visible_to(staff)
    if text.isdigit() and (exact := list(seen.filter(kind=Kind.CASE, subject_id__in=Case.objects.filter(number=text).values("pk")))):
        return exact
    found = list(_of_guests(seen, phone_digits(text) or searchable(text)))
    return found or list(_of_guests(seen, searchable(other_layout(text))))


def _of_guests(seen: "QuerySet[Item]", text: str) -> Iterable[Item]:
    for word in text.split():
        seen = seen.filter(guest__search_text__contains=word)
    return seen.order_by("-last_at")[:FOUND]


def allowed_topics(*, staff: Staff, topics: Iterable[str]) -> list[str]:
    """Those of the live topics that the person may watch; anything else is left out."""
    return [topic for topic in topics if _may_watch(staff, topic)]


def _may_watch(staff: Staff, topic: str) -> bool:
    kind, _colon, rest = topic.partition(":")
    if topic == "presence":
        return staff.has_right(Right.SUPERVISE)
    if kind == "item":
        item_kind, _colon, number = rest.partition(":")
        return number.isdecimal() and Item.objects.visible_to(staff).filter(kind=item_kind, subject_id=int(number)).exists()
    if not rest.isdecimal():
        return False
    number_of = int(rest)
    if kind == "group":
        return number_of in staff.group_ids or staff.has_right(Right.EVERYTHING)
    if kind == "store":
        return number_of in list_store_ids(staff)
    return kind == "guest" and Item.objects.visible_to(staff).filter(guest_id=number_of).exists()


def list_topics_of(staff: Staff) -> list[str]:
    """What the person's list is about: own groups and stores; all groups for those who see everything."""
    everything = staff.has_right(Right.EVERYTHING)
    groups = Group.objects.values_list("pk", flat=True) if everything else staff.group_ids
    return [*(f"group:{group}" for group in groups), *(f"store:{store}" for store in list_store_ids(staff))]


def draft_texts(drafts: Iterable[Draft]) -> Mapping[str, str]:
    """By item key; the answer's draft before the note's."""
    found: dict[str, str] = {}
    for draft in sorted(drafts, key=lambda draft: draft.mode == Draft.Mode.NOTE):
        found.setdefault(f"{draft.kind}:{draft.subject_id}", draft.text[:120])
    return found


def may_answer(staff: Staff, session: Session) -> bool:
    """Whether the composer is open to the person."""
    return staff.has_right(Right.ANSWER) and session.state != SessionState.CLOSED and session.guest.is_person


def facts_of(item: Item) -> dict[str, Any]:
    """What the script needs of the open item beyond its row."""
    return {"key": key_of(item), "kind": item.kind, "id": item.subject_id, "guest": item.guest_id, "session": item.session_id}
