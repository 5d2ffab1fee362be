"""The limit of storing many rows: the same rows again, by COPY, into copies of their tables with all indexes and constraints."""

import io
import time
from collections.abc import Mapping

from django.db import connection, transaction


def seconds(tables: Mapping[str, str]) -> float:
    """Seconds that COPY takes for these rows, one transaction in all. `tables`: table -> the condition on its rows."""
    with connection.cursor() as cursor:
        kept = {table: _read(cursor, table, condition) for table, condition in tables.items()}
        for table in tables:
            cursor.execute(f"drop table if exists bench_copy_{table}")
            cursor.execute(f"create table bench_copy_{table} (like {table} including all)")
        begun = time.perf_counter()
        with transaction.atomic():
            for table, text in kept.items():
                cursor.cursor.copy_expert(f"copy bench_copy_{table} from stdin", text)
        ended = time.perf_counter()
        for table in tables:
            cursor.execute(f"drop table bench_copy_{table}")
    return ended - begun


def _read(cursor, table, condition):
    text = io.StringIO()
    cursor.cursor.copy_expert(f"copy (select * from {table} where {condition}) to stdout", text)
    text.seek(0)
    return text
