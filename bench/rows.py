"""The physical limit of storing: the rows that the product made, made again one by one, a commit each, by one plain connection."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - the class

_CAPTURED, _RAW = "bench_made_", "bench_raw_"
_TABLES = """
select c.relname from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
and c.relname not like 'bench\\_%' and c.relname not like 'django\\_%' order by 1
"""
_COLUMNS = """
select attname from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""
_FUNCTION = """
create or replace function bench_keep() returns trigger language plpgsql as $$
begin execute format('insert into %I select ($1).*', 'bench_made_' || tg_table_name) using new; return null; end $$
"""


class MadeRows:
    """Every row that anybody inserts while entered, also those that are gone again at the end."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def __enter__(self) -> "MadeRows":
        with closing(_connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(_TABLES)
            self.tables = [name for (name,) in cursor.fetchall()]
            cursor.execute(_FUNCTION)
            for table in self.tables:
                kept = sql.Identifier(_CAPTURED + table)
                cursor.execute(sql.SQL("drop table if exists {}").format(kept))
                cursor.execute(sql.SQL("create unlogged table {} (like {})").format(kept, sql.Identifier(table)))
                cursor.execute(
                    sql.SQL("create trigger bench_keep after insert on {} for each row execute function bench_keep()").format(
                        sql.Identifier(table)
                    )
                )
        return self

    def __exit__(self, *_fault: object) -> None:
        with closing(_connect(self.url)) as connection, connection.cursor() as cursor:
            for table in self.tables:
                cursor.execute(sql.SQL("drop trigger if exists bench_keep on {}").format(sql.Identifier(table)))

    def numbers(self) -> Mapping[str, int]:
        """How many rows of each table were made."""
        with closing(_connect(self.url)) as connection, connection.cursor() as cursor:
            found = {}
            for table in self.tables:
                cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(_CAPTURED + table)))
                found[table] = cursor.fetchone()[0]
        return {table: number for table, number in found.items() if number}

    def seconds_raw(self, connections: int = 1, *, without: Sequence[str] = ()) -> float:
        """Seconds that the same rows take as single-row commits into copies of their tables, indexes included."""
        with closing(_connect(self.url)) as connection:
            prepared, inserts = self._statements(connection, [table for table in self.numbers() if table not in without])
        parts = [inserts[number::connections] for number in range(connections)]
        opened = [_connect(self.url) for _ in parts]
        try:
            for one in opened:
                with one.cursor() as cursor:
                    cursor.execute(prepared)
            return _timed(opened, parts)
        finally:
            for one in opened:
                one.close()

    def _statements(self, connection: Connection, tables: Sequence[str]) -> tuple[str, list[bytes]]:
        """What prepares the inserts, and the calls of all rows as bytes."""
        prepared, inserts = [], []
        with connection.cursor() as cursor:
            for table in tables:
                copy = sql.Identifier(_RAW + table)
                cursor.execute(sql.SQL("drop table if exists {}").format(copy))
                cursor.execute(sql.SQL("create table {} (like {} including all)").format(copy, sql.Identifier(table)))
                cursor.execute(_COLUMNS, [table])
                columns = [name for (name,) in cursor.fetchall()]
                prepared.append(_prepare(table, columns).as_string(cursor))
                # As texts: each type reads its own text again.
                texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
                cursor.execute(sql.SQL("select {} from {}").format(texts, sql.Identifier(_CAPTURED + table)))
                call = f"execute {_RAW}{table} ({', '.join(['%s'] * len(columns))})"
                inserts += [cursor.mogrify(call, row) for row in cursor.fetchall()]
        return ";".join(prepared), inserts


def _prepare(table: str, columns: Sequence[str]) -> sql.Composed:
    # A row that was replaced meanwhile was made twice under one key.
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    slots = sql.SQL(", ").join(sql.SQL(f"${number}") for number in range(1, len(columns) + 1))
    copy = sql.Identifier(_RAW + table)
    return sql.SQL("prepare {} as insert into {} ({}) values ({}) on conflict do nothing").format(copy, copy, names, slots)


def _timed(opened: Sequence[Connection], parts: Sequence[Sequence[bytes]]) -> float:
    # Threads: the driver waits for the server outside the interpreter's lock.
    threads = [threading.Thread(target=_insert, args=pair) for pair in zip(opened, parts, strict=True)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def _insert(connection: Connection, inserts: Sequence[bytes]) -> None:
    with connection.cursor() as cursor:
        for one in inserts:
            cursor.execute(one)


def _connect(url: str) -> Connection:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection
