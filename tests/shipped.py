"""The settings that come with the product. Loading them takes seconds: a process does it once and copies the rows afterwards."""

from collections.abc import Mapping
from io import StringIO

from django.db import connection, transaction
from django.utils import timezone

from sla.services import clocks
from tickets.services import defaults, kept

# Earlier than the times of the tests that import this file: nothing of the settings begins in their future.
BEGUN = timezone.now()
_added: dict[str, int] = {}
_rows: dict[str, str] = {}
COLUMNS = """
    select relname, string_agg(quote_ident(attname), ', ' order by attnum) from pg_class join pg_attribute on attrelid = pg_class.oid
    where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped and attgenerated = ''
    and relname <> all(%s) group by relname
"""
# As the database is made; a test's own things are in no other.
GIVEN = ["django_content_type", "auth_permission", "django_migrations"]


def load() -> Mapping[str, int]:
    """What `defaults.load` does in an empty base, in whose first step of a test this stands; returns what it returned then."""
    with transaction.atomic():
        if _rows:
            _put_back()
        else:
            assert not _read(), "the settings are loaded first"
            _added.update(defaults.load(now=BEGUN))
            _rows.update(_read())
    kept.forget_all()
    clocks.forget_hours()
    return dict(_added)


def _read() -> dict[str, str]:
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


def _put_back() -> None:
    """No row is given a number by this, so nobody else gets one of theirs."""
    with connection.cursor() as cursor:
        # What triggers and references would do has been done.
        cursor.execute("set local session_replication_role = replica")
        for place, text in _rows.items():
            cursor.copy_expert(f"copy {place} from stdin", StringIO(text))
        cursor.execute("set local session_replication_role = origin")
