"""Statements of the hot paths, made once in a process and prepared once on each connection (docs/adr/0008).

Building and compiling a queryset costs more than PostgreSQL takes to answer it; planning a wide join costs several times its run.
"""

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, TypeVar, cast

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField, Func, Model, QuerySet
from django.db.models.expressions import DatabaseDefault, Expression
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable, get_related_populators
from psycopg2.extensions import AsIs

T = TypeVar("T")
M = TypeVar("M", bound=Model)
_numbers = itertools.count(1)
_SLOT = re.compile(r"%\((\w+)\)s")
# No column is called so.
_KEY = "the row's key"


class Slot(Expression):
    """A place for a value in a prepared queryset."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class Among(Func):
    """`filter(Among("group_id", slot))`: the field is one of the slot's list, as `group_id__in` without a slot."""

    template = "%(expressions)s)"
    arg_joiner = " = any("
    output_field = BooleanField()


@dataclass(frozen=True)
class _Plan:
    """A compiled queryset: its text, and how rows become objects."""

    statement: "_Text"
    read: Callable[[Sequence[Sequence[Any]]], list[Any]]
    locks: bool


@dataclass(frozen=True)
class _Text:
    """An SQL text under a name of its own. `parameters` stand for its `%s` in order: names of slots, or fixed values.

    Fixed values become part of the prepared statement: an index on some rows only serves it then, too.
    """

    name: str
    sql: str
    about: str
    parameters: Sequence["str | _Fixed"]

    @cached_property
    def slots(self) -> Sequence[str]:
        return list(dict.fromkeys(one for one in self.parameters if isinstance(one, str)))

    def prepare(self, cursor: Any) -> None:
        """Prepare it on the cursor's connection (https://www.postgresql.org/docs/current/sql-prepare.html)."""
        numbers = {name: AsIs(f"${at}") for at, name in enumerate(self.slots, 1)}
        given = [numbers[one] if isinstance(one, str) else one.value for one in self.parameters]
        cursor.execute(b"prepare " + self.name.encode() + b" as " + cursor.mogrify(self.sql, given))

    def filled(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[one] if isinstance(one, str) else one.value for one in self.parameters]


@dataclass(frozen=True)
class _Fixed:
    value: Any


def _named(sql: str, about: str, parameters: "Sequence[str | _Fixed]") -> _Text:
    return _Text(f"otklik_{next(_numbers)}", sql, about, parameters)


def _run(text: _Text, values: Mapping[str, Any]) -> Any:
    """Run a statement and return its cursor; prepared on this connection at its first use."""
    cursor = connection.cursor()
    # In no transaction the connection may not be open yet; opening forgets what an older one had prepared.
    names = cast(Any, connection).statement_names
    if not settings.PREPARED_STATEMENTS:
        cursor.execute(text.sql, text.filled(values))
        return cursor
    if text.name not in names:
        with connection.wrap_database_errors, connection.connection.cursor() as plain:
            text.prepare(plain)
        names.add(text.name)
    slots = text.slots
    places = f"({', '.join(['%s'] * len(slots))})" if slots else ""
    cursor.execute(f"execute {text.name}{places} /* {text.about} */", [values[name] for name in slots])
    return cursor


class Prepared(Generic[T]):
    """A queryset with named slots: `Prepared(lambda pk: Case.objects.filter(pk=pk))`.

    `build` is called once with a Slot for each of its parameters (or each of `names`), so it may hold nothing that changes
    from call to call.
    Values are given by name and must be what the column takes (no model instances). Prefetching is not done.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, T]"], *, names: Sequence[str] = ()) -> None:
        self._build = build
        self._names = tuple(names) or tuple(inspect.signature(build).parameters)
        self._plan: _Plan | None = None

    def all(self, **values: Any) -> list[T]:
        """All rows. Raises KeyError for a missing name."""
        plan = self._plan or self._made()
        if plan.locks and connection.get_autocommit():
            raise transaction.TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        with _run(plan.statement, values) as cursor:
            rows = cursor.fetchall()
        return plan.read(rows) if rows else []

    def first(self, **values: Any) -> T | None:
        """The first row, None when there is none. `build` sets order and limit."""
        found = self.all(**values)
        return found[0] if found else None

    def get(self, **values: Any) -> T:
        """The one row. Raises the model's DoesNotExist."""
        found = self.all(**values)
        if not found:
            raise self.queryset().model.DoesNotExist
        return found[0]

    def queryset(self) -> "QuerySet[Any, T]":
        """The queryset with its slots unfilled."""
        return self._build(**{name: Slot(name) for name in self._names})

    def _made(self) -> _Plan:
        queryset = self.queryset()
        compiler = queryset.query.get_compiler(connection=connection)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            raise ValueError("A prepared queryset must not be empty by construction.") from None
        named = [one.name if isinstance(one, Slot) else _Fixed(one) for one in parameters]
        self._plan = _Plan(
            statement=_named(sql, queryset.model._meta.db_table, named),
            read=_reader(queryset, compiler),
            locks=bool(queryset.query.select_for_update),
        )
        return self._plan


class Written:
    """An SQL text with slots `%(name)s`, prepared like the others; rows come as they are.

    Each slot's type must be plain from its place or a cast (`%(ids)s::bigint[]`). `about` names it in the server's log.
    """

    def __init__(self, sql: str, *, about: str) -> None:
        slots = _SLOT.findall(sql)
        self._text = _named(_SLOT.sub("%s", sql), about, slots)

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """What the statement returns; nothing when it returns no rows at all. Raises KeyError for a missing name."""
        with _run(self._text, values) as cursor:
            return cursor.fetchall() if cursor.description else []


def _reader(queryset: "QuerySet[Any, Any]", compiler: Any) -> Callable[[Sequence[Sequence[Any]]], list[Any]]:
    """How the rows of this queryset become its objects; what does not depend on the rows is worked out once."""
    compiler.setup_query() if compiler.select is None else None
    expressions = [found[0] for found in compiler.select]
    converters = compiler.get_converters(expressions)

    def converted(rows: Sequence[Sequence[Any]]) -> Iterator[Any]:
        if not converters:
            return iter(rows)
        compiler.connection = connection
        return cast(Iterator[Any], compiler.apply_converters(rows, converters))

    kind = cast(Any, queryset)._iterable_class
    if kind is FlatValuesListIterable:
        return lambda rows: [row[0] for row in converted(rows)]
    if kind is ValuesListIterable:
        return lambda rows: [tuple(row) for row in converted(rows)]
    if kind is not ModelIterable:
        raise ValueError(f"A prepared queryset cannot give {kind.__name__}.")
    return _model_reader(compiler, converted)


def _model_reader(compiler: Any, converted: Callable[[Sequence[Sequence[Any]]], Iterator[Any]]) -> Callable[..., list[Any]]:
    info, select = compiler.klass_info, compiler.select
    start, end = info["select_fields"][0], info["select_fields"][-1] + 1
    columns = [found[0].target.attname for found in select[start:end]]
    populators = cast(Any, get_related_populators)(info, select, connection.alias)
    annotations = list((compiler.annotation_col_map or {}).items())
    from_row = info["model"].from_db

    def read(rows: Sequence[Sequence[Any]]) -> list[Any]:
        found = []
        for row in converted(rows):
            made = from_row("default", columns, row[start:end])
            for populator in populators:
                populator.populate(row, made)
            for name, at in annotations:
                setattr(made, name, row[at])
            found.append(made)
        return found

    return read


@cache
def _insertion(model: type[Model], columns: tuple[str, ...], returned: tuple[str, ...], rows: int, or_nothing: bool) -> _Text:
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), ", ".join(quote(column) for column in columns)
    given = ", ".join(quote(column) for column in returned)
    otherwise = " on conflict do nothing" if or_nothing else ""
    slots = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * rows)
    sql = f"insert into {table} ({names}) values {slots}{otherwise} returning {given}"  # noqa: S608  names of ours
    return _named(sql, model._meta.db_table, [f"{column} {row}" for row in range(rows) for column in columns])


def insert(made: M, *, or_nothing: bool = False) -> M:
    """Insert a new row and fill in what the database gives (key, defaults); returns the same instance.

    As `save(force_insert=True)` of a model without parents and signals. A row that breaks a unique key raises
    django.db.IntegrityError, with `or_nothing` it is left out: then `made._state.adding` stays true.
    """
    _insert_rows([made], or_nothing=or_nothing)
    return made


def insert_all(rows: Sequence[M]) -> None:
    """Insert a few rows of one model that have the same columns set, by one statement. As `insert`."""
    if rows:
        _insert_rows(rows, or_nothing=False)


def _insert_rows(rows: Sequence[Model], *, or_nothing: bool) -> None:
    model = type(rows[0])
    fields, returned = _columns_of(rows[0])
    prepared = {
        f"{field.column} {at}": field.get_db_prep_save(field.pre_save(row, True), connection)
        for at, row in enumerate(rows)
        for field in fields
    }
    columns, given = tuple(field.column for field in fields), tuple(field.column for field in returned)
    with _run(_insertion(model, columns, given, len(rows), or_nothing), prepared) as cursor:
        found = cursor.fetchall()
    # Fewer come back only with `or_nothing`, which is for one row.
    for row, values in zip(rows, found, strict=not or_nothing):
        for field, value in zip(returned, values, strict=True):
            setattr(row, field.attname, field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value)
        row._state.adding, row._state.db = False, connection.alias


def _columns_of(row: Model) -> tuple[list[Any], list[Any]]:
    """The fields that are given and those that the database fills in; what it generates is read when somebody asks for it."""
    given: list[Any] = []
    filled: list[Any] = []
    for field in row._meta.local_concrete_fields:
        if field.generated:
            continue
        value = getattr(row, field.attname)
        missing = (field.primary_key and value is None) or isinstance(value, DatabaseDefault)
        (filled if missing else given).append(field)
    return given, filled or [_key(type(row))]


def _key(model: type[Model]) -> Any:
    return model._meta.pk


@cache
def _column(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


@cache
def _change(model: type[Model], columns: tuple[str, ...]) -> _Text:
    quote = connection.ops.quote_name
    pairs = ", ".join(f"{quote(column)} = %s" for column in columns)
    key = quote(str(_key(model).column))
    sql = f"update {quote(model._meta.db_table)} set {pairs} where {key} = %s"  # noqa: S608  names of ours
    return _named(sql, model._meta.db_table, [*columns, _KEY])


def update(changed: Model, *names: str) -> None:
    """Write the named fields of a row that is there. As `save(update_fields=names)` of a model without parents and signals.

    Raises django.db.DatabaseError when the row is gone.
    """
    meta = changed._meta
    fields = [_column(meta.model, name) for name in names]
    values = {field.column: field.get_db_prep_save(field.pre_save(changed, False), connection) for field in fields}
    text = _change(type(changed), tuple(field.column for field in fields))
    with _run(text, {**values, _KEY: changed.pk}) as cursor:
        if not cursor.rowcount:
            raise DatabaseError("The row to be changed is not there.")
