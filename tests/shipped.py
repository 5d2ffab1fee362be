"""What many tests begin with, above all the settings that come with the product. A process makes it once and copies the rows afterwards."""

from collections.abc import Callable, Mapping
from io import StringIO

from django.db import connection, transaction
from django.utils import timezone

from sla.services import clocks
from tickets.services import defaults, kept

# Earlier than the times of the tests that import this file: nothing of the settings begins in their future.
BEGUN = timezone.now()
_added: dict[str, int] = {}
Rows = Mapping[str, str]
_made: dict[Callable[[], object], Rows] = {}
COLUMNS = """
    select relname, string_agg(quote_ident(attname), ', ' order by attnum) from pg_class join pg_attribute on attrelid = pg_class.oid
    where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped and attgenerated = ''
    and relname <> all(%s) group by relname
"""
# As the database is made; a test's own things are in no other.
GIVEN = ["django_content_type", "auth_permission", "django_migrations"]


def load() -> Mapping[str, int]:
    """What `defaults.load` does in an empty base, in whose first step of a test this stands; returns what it returned then."""
    once(_load_defaults)
    return dict(_added)


def once(make: Callable[[], object]) -> None:
    """Have the rows that `make`, a function of a module, makes: it runs once in a process, its rows are copied to the tests after.

    It may only add rows that refer to none but their own, and takes its time from nobody.
    """
    with transaction.atomic():
        if make in _made:
            _put_back(_made[make])
        else:
            before = _read()
            make()
            _made[make] = _new(before, _read())
    kept.forget_all()
    clocks.forget_hours()


def _load_defaults() -> None:
    assert not _read(), "the settings are loaded first"
    _added.update(defaults.load(now=BEGUN))


def _new(before: Rows, after: Rows) -> Rows:
    found = {}
    for place, text in after.items():
        old, lines = set(before.get(place, "").splitlines(keepends=True)), text.splitlines(keepends=True)
        assert old <= set(lines), f"a row of {place} was changed, not added"
        if added := [line for line in lines if line not in old]:
            found[place] = "".join(added)
    return found


def _read() -> Rows:
    """All rows of all tables that have some, by table and its columns."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [GIVEN])
        for table, columns in cursor.fetchall():
            text = StringIO()
            cursor.copy_expert(f"copy {connection.ops.quote_name(table)} ({columns}) to stdout", text)
            if text.getvalue():
                found[f"{connection.ops.quote_name(table)} ({columns})"] = text.getvalue()
    return found


def _put_back(rows: Rows) -> None:
    """No row is given a number by this, so nobody else gets one of theirs."""
    with connection.cursor() as cursor:
        # What triggers and references would do has been done.
        cursor.execute("set local session_replication_role = replica")
        for place, text in rows.items():
            cursor.copy_expert(f"copy {place} from stdin", StringIO(text))
        cursor.execute("set local session_replication_role = origin")
