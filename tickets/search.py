"""Search over tickets and dialogues: words of messages in any Russian form, ticket numbers, guests by name, telephone or e-mail.

Quick at millions of messages: a frequent word is met within the newest messages, a rare one is read from the full-text index, and no
statement runs longer than STATEMENT_SECONDS.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.postgres.search import SearchHeadline, SearchQuery
from django.db import OperationalError, connection, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _
from psycopg2.errors import QueryCanceled

from accounts.models import Staff
from accounts.rights import Right
from core.refusal import Refusal
from core.text import first_line, searchable
from customers.models import Guest
from omni.models import Message
from stores.selectors import list_store_ids
from tickets.models import Case
from worklist.models import Item
from worklist.states import Kind

LIMIT = 50
SHORTEST = 2
STATEMENT_SECONDS = 1
# How long the newest messages are walked for a frequent word before the answer is given as it is.
WALK_SECONDS = 0.7
# More matches than this are not fetched and sorted: the word is frequent, so the newest messages hold enough of it.
PROBE = 2000
FIRST_WINDOW, WIDEST_WINDOW = 4_000, 64_000
GUESTS = 200
LEADING_NUMBER_SIGN = re.compile(r"^[№#]\s*")
PHONE = re.compile(r"^\+?[\d\s()\-]{7,20}$")

FIRST_CONVERSATIONS, CONVERSATIONS = 300, 9_000
_NEWEST = """
(select session_id, last_at, id from worklist_item
where {whose} and session_id is not null and (last_at, id) < (%s, %s) order by last_at desc, id desc limit %s)
"""

_OF_SESSIONS = """
select session_id, max(id) from omni_message
where session_id = any(%s) and deleted_at is null and search @@ websearch_to_tsquery('russian', %s) group by session_id
"""
_WINDOW = """
with newest as materialized (select id, session_id, search from omni_message where id > %s and id <= %s and deleted_at is null)
select session_id, max(id) from newest where search @@ websearch_to_tsquery('russian', %s) group by session_id
"""


class Why(StrEnum):
    """Why something was found."""

    NUMBER = "number"
    GUEST = "guest"
    MESSAGE = "message"


@dataclass(frozen=True)
class Hit:
    """Something found: a row of the work list, why it was found, and the words around the match (empty = not by a message)."""

    item: Item
    why: Why
    snippet: str = ""


@dataclass(frozen=True)
class Found:
    """What was found: the exact ticket number first, then the newest. Not `complete` = older ones may exist beyond."""

    hits: Sequence[Hit]
    complete: bool


def search(*, staff: Staff, words: str, limit: int = LIMIT) -> Found:
    """Tickets and dialogues that the person may see, at most `limit`.

    `words` are a ticket number, a guest's name, telephone or e-mail, or words of a message; several words must all occur,
    "quoted words" in this order, -word must not occur. Raises Refusal: too short, or narrower words are needed.
    """
    wanted = searchable(words)[:200]
    if len(wanted) < SHORTEST:
        raise Refusal("too_short", _("Please type at least two characters."), status=400)
    with _bounded():
        number = _by_number(staff, wanted)
        guests = _by_guest(staff, wanted, limit)
        messages, complete = _by_message(staff, wanted, limit)
        found = _newest({**messages, **guests, **number}, limit)
        return Found(hits=_with_snippets(found, wanted), complete=complete)


@contextmanager
def _bounded() -> Iterator[None]:
    """A transaction in which no statement runs long. Raises Refusal instead of waiting."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # A limited question must not tempt the planner to read the table from its beginning.
            cursor.execute(f"set local statement_timeout = {int(STATEMENT_SECONDS * 1000)}; set local enable_seqscan = off")
            yield
            cursor.execute("set local statement_timeout to default; set local enable_seqscan to default")
    except OperationalError as fault:
        if isinstance(fault.__cause__, QueryCanceled):
            raise Refusal("narrow_search", _("This search takes too long. Please narrow it: add a word or a name."), status=400) from None
        raise


# What was found, by the id of its row; the message that matched, if it was one.
_Rows = dict[int, tuple[Item, Why, int | None]]


def _by_number(staff: Staff, wanted: str) -> _Rows:
    number = LEADING_NUMBER_SIGN.sub("", wanted)
    if not number.isdigit() or len(number) > 16:
        return {}
    found = Item.objects.visible_to(staff).filter(kind=Kind.CASE, subject_id__in=Case.objects.filter(number=number).values("pk"))
    return {item.pk: (item, Why.NUMBER, None) for item in found}


def _by_guest(staff: Staff, wanted: str, limit: int) -> _Rows:
    ids = list(guests_named(wanted)[:GUESTS]) or list(guests_alike(wanted)[:GUESTS])
    if not ids:
        return {}
    found = Item.objects.visible_to(staff).filter(guest_id__in=ids).order_by("-last_at", "-pk")[: limit * 2]
    return {item.pk: (item, Why.GUEST, None) for item in found}


def guests_named(wanted: str) -> "QuerySet[Guest, int]":
    """Ids of guests by telephone, however it is written, or with all the words in name, e-mail or telephone."""
    guests = Guest.objects.order_by().values_list("pk", flat=True)
    if PHONE.match(wanted):
        return guests.filter(search_text__contains=re.sub(r"\D", "", wanted)[-10:])
    parts = _indexable(wanted)
    for part in parts:
        guests = guests.filter(search_text__contains=part)
    return guests if parts else guests.none()


def guests_alike(wanted: str) -> "QuerySet[Guest, int]":
    """Ids of guests whose name is written almost so: a typing error, another ending."""
    guests = Guest.objects.order_by().values_list("pk", flat=True)
    parts = [] if PHONE.match(wanted) else _indexable(wanted)
    for part in parts:
        guests = guests.filter(search_text__trigram_word_similar=part)
    return guests if parts else guests.none()


def _indexable(wanted: str) -> list[str]:
    """Words long enough for the trigram index."""
    return [part for part in wanted.split() if len(part) >= 3]


def message_query(wanted: str) -> SearchQuery:
    """The words as the full-text index compares them: any inflected form, ё as е."""
    return SearchQuery(searchable(wanted), config="russian", search_type="websearch")


def probe(wanted: str) -> "QuerySet[Message, tuple[int, int]]":
    """(session, message) of matching messages, read from the full-text index, in no order."""
    matching = Message.objects.filter(search=message_query(wanted), deleted_at__isnull=True)
    return matching.order_by().values_list("session_id", "pk")


def _by_message(staff: Staff, wanted: str, limit: int) -> tuple[_Rows, bool]:
    top: int = Message.objects.aggregate(top=Max("pk"))["top"] or 0
    newest = _window(wanted, top, FIRST_WINDOW)
    if len(newest) < limit:  # not so frequent: the index holds few enough of it
        matches = list(probe(wanted)[: PROBE + 1])
        if len(matches) <= PROBE:
            return _rows_of(staff, _newest_of_each(matches), limit), True
    if not staff.has_right(Right.EVERYTHING):
        return _walk_visible(staff, wanted, limit)
    return _walk(staff, wanted, limit, top=top)


def _window(wanted: str, top: int, width: int) -> dict[int, int]:
    """Conversations with a match among `width` messages up to the id `top`, with the newest match of each."""
    with connection.cursor() as cursor:
        cursor.execute(_WINDOW, [top - width, top, wanted])
        return dict(cursor.fetchall())


def _walk(staff: Staff, wanted: str, limit: int, *, top: int) -> tuple[_Rows, bool]:
    """The newest messages in growing windows until enough are found, the beginning is reached or the time is over."""
    rows: _Rows = {}
    width, stop = FIRST_WINDOW, time.monotonic() + WALK_SECONDS
    while top > 0 and len(rows) < limit and time.monotonic() < stop:
        rows = {**_rows_of(staff, _window(wanted, top, width), limit), **rows}
        top, width = top - width, min(width * 2, WIDEST_WINDOW)
    return rows, top <= 0


def _walk_visible(staff: Staff, wanted: str, limit: int) -> tuple[_Rows, bool]:
    """The same for who sees a part: through the newest conversations of that part."""
    rows: _Rows = {}
    stop = time.monotonic() + WALK_SECONDS
    for sessions in newest_visible(staff, FIRST_CONVERSATIONS, CONVERSATIONS):
        with connection.cursor() as cursor:
            cursor.execute(_OF_SESSIONS, [sessions, wanted])
            matches: dict[int, int] = dict(cursor.fetchall())
        rows |= _rows_of(staff, matches, limit)
        if len(rows) >= limit or time.monotonic() > stop:
            return rows, False
    return rows, True


def newest_visible(staff: Staff, first: int, most: int) -> Iterator[list[int]]:
    """The conversations that the person may see (not by the right to see everything), the newest first, in growing parts.

    `first` = rows of the first part, `most` = rows of all; each part walks one index for each group and store.
    """
    whose = [("owner_id = %s", staff.pk), *(("group_id = %s", group) for group in staff.group_ids)]
    whose += [("at_store and store_id = %s", store) for store in list_store_ids(staff)]
    text = f"{' union '.join(_NEWEST.format(whose=condition) for condition, _value in whose)} order by last_at desc, id desc limit %s"
    seen: set[int] = set()
    behind: tuple[Any, int] = ("infinity", 0)
    rows = first
    while most > 0:
        with connection.cursor() as cursor:
            cursor.execute(text, [one for _text, value in whose for one in (value, *behind, rows)] + [rows])
            found = cursor.fetchall()
        if fresh := [session for session, _at, _id in found if session not in seen]:
            seen.update(fresh)
            yield list(dict.fromkeys(fresh))
        if len(found) < rows:
            return
        behind, most, rows = found[-1][1:], most - rows, rows * 2


def _newest_of_each(matches: Iterable[tuple[int, int]]) -> dict[int, int]:
    newest: dict[int, int] = {}
    for session_id, message_id in matches:
        newest[session_id] = max(message_id, newest.get(session_id, 0))
    return newest


def _rows_of(staff: Staff, matches: dict[int, int], limit: int) -> _Rows:
    """The visible rows of these conversations; a conversation with tickets is shown as its tickets."""
    if not matches:
        return {}
    found = list(Item.objects.visible_to(staff).filter(session_id__in=list(matches)).order_by("-last_at", "-pk")[: limit * 2])
    with_tickets = {item.session_id for item in found if item.kind == Kind.CASE}
    shown = [item for item in found if item.kind == Kind.CASE or item.session_id not in with_tickets]
    return {item.pk: (item, Why.MESSAGE, matches[item.session_id or 0]) for item in shown}


def _newest(rows: _Rows, limit: int) -> list[tuple[Item, Why, int | None]]:
    ordered = sorted(rows.values(), key=lambda row: (row[1] is Why.NUMBER, row[0].last_at, row[0].pk), reverse=True)
    return ordered[:limit]


def _with_snippets(rows: Sequence[tuple[Item, Why, int | None]], wanted: str) -> Sequence[Hit]:
    ids = [message_id for _item, _why, message_id in rows if message_id]
    around = SearchHeadline("text", message_query(wanted), config="russian", start_sel="", stop_sel="", max_words=24, min_words=12)
    texts = dict(Message.objects.filter(pk__in=ids).annotate(around=around).values_list("pk", "around")) if ids else {}
    return [Hit(item=item, why=why, snippet=first_line(texts.get(message_id or 0, ""), 200)) for item, why, message_id in rows]
