"""Prints of tickets: what duplicates are found by, kept beside each ticket."""

from datetime import datetime
from typing import Any

from django.db import connection

from core.statements import Prepared, Written
from core.text import searchable
from omni import dispatch
from omni.models import Message
from tickets.likeness import MOST_MARKS, marks_of
from tickets.models import Case, CasePrint
from tickets.services import branches

# So much of a guest's words is compared: the matter stands at the beginning.
LONGEST = 2000
MOST_WORDS = 120
LOOK = "tickets.tasks.look_for_duplicates"

_WRITE = Written(
    """
insert into tickets_caseprint (case_id, store_id, topic_id, branch_id, words, marks, opened_at, last_at)
values (%(case)s, %(store)s, %(topic)s, %(branch)s, ticket_words(%(text)s), %(marks)s::text[], %(opened)s, %(opened)s)
returning words
""",
    about="tickets_caseprint",
)
_HEAR = Written(
    """
update tickets_caseprint set last_at = %(now)s, due_at = %(now)s,
words = array_to_string((array(select distinct w from unnest(
    string_to_array(words, ' ') || string_to_array(ticket_words(%(text)s), ' ')) w where w <> ''))[1:%(most)s], ' '),
marks = (array(select distinct m from unnest(marks || %(marks)s::varchar[]) m))[1:%(most_marks)s]
where case_id = %(case)s
""",
    about="tickets_caseprint",
)
_WORDS = Written("select ticket_words(%(text)s)", about="ticket_words")
_PRINT = Prepared(lambda case: CasePrint.objects.filter(pk=case))
# Tickets of before prints were kept, and of loads that write rows only: the newest first, for they are asked for.
_MISSING = """
insert into tickets_caseprint (case_id, store_id, topic_id, branch_id, words, marks, opened_at, last_at)
select c.id, c.store_id, c.topic_id, (%(branches)s::jsonb ->> c.topic_id::text)::bigint,
    ticket_words(replace(lower(left(c.summary, %(longest)s)), 'ё', 'е')),
    array(select distinct f[1] from regexp_matches(c.summary, '\\d{6,20}', 'g') f limit %(most_marks)s), c.opened_at, c.opened_at
from tickets_case c where c.id in (
    select id from tickets_case k where k.guest_id is not null
    and not exists (select from tickets_caseprint p where p.case_id = k.id) order by id desc limit %(limit)s
) on conflict do nothing
"""


def words_of(text: str) -> str:
    """Stems of the text that say something, in one line."""
    return str(_WORDS.rows(text=searchable(text)[:LONGEST])[0][0])


def write(case: Case) -> CasePrint:
    """The print of a ticket that was just opened, inside its transaction."""
    text, marks, branch = searchable(case.summary)[:LONGEST], marks_of(case.summary), branches.branch_of(case.topic_id)
    place = {"case": case.pk, "store": case.store_id, "topic": case.topic_id, "branch": branch}
    (words,) = _WRITE.rows(**place, text=text, marks=marks, opened=case.opened_at)[0]
    facts = {"topic_id": case.topic_id, "branch_id": branch, "words": words, "marks": marks, "last_at": case.opened_at}
    return CasePrint(case=case, store_id=case.store_id, opened_at=case.opened_at, **facts)


def hear(case: Case, message: Message, *, now: datetime) -> None:
    """The guest has said more on the ticket: it will be compared again. Inside the message's transaction."""
    said = message.visible_text or message.text
    if not said.strip():
        return
    figures = {"marks": marks_of(said), "most_marks": MOST_MARKS, "most": MOST_WORDS}
    _HEAR.rows(case=case.pk, text=searchable(said)[:LONGEST], now=now, **figures)
    dispatch.wake(LOOK)


def place(case: Case, *, now: datetime) -> None:
    """The ticket may have another topic or store: then it is compared anew. Inside that change's transaction."""
    there = {"topic_id": case.topic_id, "branch_id": branches.branch_of(case.topic_id), "store_id": case.store_id}
    kept = of(case.pk)
    if kept is not None and any(getattr(kept, name) != value for name, value in there.items()):
        CasePrint.objects.filter(pk=case.pk).update(**there, due_at=now)
        dispatch.wake(LOOK)


def of(case_id: int) -> CasePrint | None:
    return _PRINT.first(case=case_id)


def add_missing(*, limit: int = 20_000) -> int:
    """Make prints for tickets that have none, the newest first; how many were made. Safe to run twice."""
    values: dict[str, Any] = {"branches": branches.branches_as_json(), "longest": LONGEST, "most_marks": MOST_MARKS, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, values)
        return int(cursor.rowcount)
