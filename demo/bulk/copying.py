"""Lines into tables by COPY: one transaction, the large search indexes built once at the end."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from demo.bulk.rows import COLUMNS, Lines, cell
from demo.bulk.world import Bases

# Built anew after the load when the load is large: filling them row by row costs several times as much.
SEARCH_INDEXES = {"omni.Message": "message_search", "customers.Guest": "guest_search_trgm"}
REBUILD_FROM_CASES = 20_000
BUILD_MEMORY = "256MB"


def model_of(table: str) -> type[models.Model]:
    return apps.get_model(table)


def write(lines: Lines) -> None:
    """COPY the lines into their tables."""
    for table, rows in lines.tables.items():
        if rows:
            _copy(table, rows)


def _copy(table: str, rows: Sequence[str]) -> None:
    model = model_of(table)
    constants = _constants(model, COLUMNS[table])
    tail = "".join(f"\t{cell(value)}" for value in constants.values())
    columns = ", ".join(f'"{name}"' for name in (*COLUMNS[table], *constants))
    text = f"{tail}\n".join(rows) + f"{tail}\n"
    with connection.cursor() as cursor:
        cursor.copy_expert(f'copy "{model._meta.db_table}" ({columns}) from stdin', io.StringIO(text))


def _constants(model: type[models.Model], given: Sequence[str]) -> dict[str, Any]:
    """The fields that the lines do not have, with their defaults: a field added to a model later does not break the load."""
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.column is None or field.column in given or isinstance(field, models.GeneratedField) or field.has_db_default():
            continue
        value = field.get_default()
        found[field.column] = "{}" if value in ({}, []) else value  # an empty JSON object and an empty array are written alike
    return found


def next_ids() -> Bases:
    """The first free ids, taken for this load: whoever writes meanwhile gets later ones only after `settle`."""
    tables = [model_of(name)._meta.db_table for name in COLUMNS]
    with connection.cursor() as cursor:
        found = [_next(cursor, "pg_get_serial_sequence(%s, 'id')", table) for table in tables]
        return Bases(*[*found, _next(cursor, "%s::regclass", "ticket_number")])


def _next(cursor: Any, sequence: str, name: str) -> int:
    cursor.execute(f"select nextval({sequence})", [name])
    return int(cursor.fetchone()[0])


def settle(cases: int, first_number: int) -> None:
    """Set the sequences behind the highest ids in use."""
    with connection.cursor() as cursor:
        for name in COLUMNS:
            model = model_of(name)
            highest = model._default_manager.aggregate(highest=models.Max("pk"))["highest"] or 1
            cursor.execute("select setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, highest])
        cursor.execute("select setval('ticket_number', %s)", [first_number + cases])


@contextmanager
def loading(*, cases: int) -> Iterator[None]:
    """One transaction for the whole load. Search indexes of large loads are dropped and built again inside it, so a load that fails or
    is killed leaves everything as it was.

    Foreign keys are not checked row by row where the database lets us (a superuser): the rows refer to each other and to what was
    read at the start only. Elsewhere they are checked at each COPY instead of all at the end, which keeps the memory flat.
    """
    rebuilt = [_index_of(*pair) for pair in SEARCH_INDEXES.items()] if cases >= REBUILD_FROM_CASES else []
    with transaction.atomic(), connection.schema_editor(atomic=False) as schema:
        _trust_references()
        for model, index in rebuilt:
            schema.remove_index(model, index)
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"set local maintenance_work_mem = '{BUILD_MEMORY}'")
        for model, index in rebuilt:
            schema.add_index(model, index)


def _index_of(table: str, name: str) -> tuple[type[models.Model], models.Index]:
    model = model_of(table)
    return model, next(index for index in model._meta.indexes if index.name == name)


def _trust_references() -> None:
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("set local session_replication_role = replica")
        except DatabaseError:
            cursor.execute("set constraints all immediate")


def refresh_statistics() -> None:
    """Let the planner know the new sizes; outside a transaction also let index-only scans begin."""
    order = "analyze" if connection.in_atomic_block else "vacuum (analyze)"
    with connection.cursor() as cursor:
        for name in COLUMNS:
            cursor.execute(f'{order} "{model_of(name)._meta.db_table}"')
