"""Which ticket a joined one belongs to, and which dialogues come with it."""

from collections.abc import Sequence

from django.db import connection

from core.statements import Prepared
from omni.models import Message, Session
from tickets.models import Case, CaseLink

_QUOTE = "joined:"
_KIND = CaseLink.Kind
_JOINED = CaseLink.objects.filter(kind=_KIND.DUPLICATE, undone_at=None)
_JOINED_BY_SESSION = Prepared(lambda session: _JOINED.filter(case__session_id=session).values_list("case_id", flat=True))
_END = """
with recursive up(id, depth, path) as (
  select %s::bigint, 0, array[%s::bigint]
  union all
  select l.main_id, depth + 1, path || l.main_id from up join tickets_caselink l on l.case_id = up.id
  where l.kind = %s and l.undone_at is null and not l.main_id = any(path)
) select id from up order by depth desc limit 1
"""
_BELOW = """
with recursive down(id) as (
  select %s::bigint
  union
  select l.case_id from down join tickets_caselink l on l.main_id = down.id where l.kind = %s and l.undone_at is null
) select id from down where id <> %s order by id
"""


def end_of(case_id: int, kind: CaseLink.Kind = _KIND.DUPLICATE) -> int:
    """The ticket at the end of the chain: itself when it is joined to none. A circle, were there one, ends where it closes."""
    return int(_ids(_END, [case_id, case_id, kind])[0])


def below(case_id: int, kind: CaseLink.Kind = _KIND.DUPLICATE) -> Sequence[int]:
    """Tickets that are joined to this one, directly or through others."""
    return _ids(_BELOW, [case_id, kind, case_id])


def above(case_id: int, kind: CaseLink.Kind) -> set[int]:
    """All tickets above this one."""
    found: set[int] = set()
    here: int | None = case_id
    while here is not None and here not in found:
        found.add(here)
        here = CaseLink.objects.filter(case=here, kind=kind, undone_at=None).values_list("main_id", flat=True).first()
    return found - {case_id}


def joined_through(session: Session) -> Sequence[int]:
    """Joined tickets of this dialogue whose main ticket is open and stands in another dialogue."""
    joined = _JOINED_BY_SESSION.all(session=session.pk)
    return [case_id for case_id in joined if _goes_on_elsewhere(case_id, session)] if joined else []


def _goes_on_elsewhere(case_id: int, session: Session) -> bool:
    main = Case.objects.filter(pk=end_of(case_id)).only("state", "session_id").first()
    return main is not None and main.state != "closed" and main.session_id != session.pk


def quote_of(message: Message) -> str:
    """What marks the note in the main ticket's feed that quotes the message of a joined ticket's guest."""
    return f"{_QUOTE}{message.pk}"


def quoted_in(note: Message) -> int | None:
    """The message that the note quotes."""
    number = note.external_id.removeprefix(_QUOTE)
    return int(number) if note.external_id.startswith(_QUOTE) and number.isdecimal() else None


def _ids(sql: str, values: Sequence[int | str]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]
