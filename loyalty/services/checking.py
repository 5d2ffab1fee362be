"""A file of points read and checked, portion by portion; nothing moves yet."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO, cast

from django.db import connection, transaction
from django.db.models import F, Sum

from loyalty.import_rules import NoHeader, Row, Rules, Wrong, read_header, read_row
from loyalty.models import Import, ImportReject, ImportRow
from loyalty.services import import_steps
from loyalty.states import ImportKind, ImportState

LINES = 20_000
# A longer line is no row of anything.
LONGEST_LINE = 64 * 1024
_ROWS = (
    "copy loyalty_importrow (owner_id, line, card, operation, points, ends_on, on_date) from stdin"
    " with (format csv, force_not_null (operation))"
)
_REJECTS = "copy loyalty_importreject (owner_id, line, code, raw) from stdin with (format csv, force_not_null (raw))"


def check_portion(work: Import, *, now: datetime) -> bool:
    """Read the next lines of the file and keep what was found, in one transaction; False when the file is at its end.

    Raises NoHeader.
    """
    with work.file.open("rb") as opened:
        file = cast(BinaryIO, opened)
        rules = _rules(work, file, now)
        file.seek(max(work.bytes_read, file.tell()))
        lines = list(_lines(file))
        offset = file.tell()
    if not lines:
        return False
    _keep(work, rules, lines, offset)
    return True


def _rules(work: Import, file: BinaryIO, now: datetime) -> Rules:
    header = file.readline(LONGEST_LINE)
    try:
        columns = read_header(header.decode("utf-8-sig"), work.kind)
    except UnicodeDecodeError:
        raise NoHeader("UTF-8") from None
    return Rules(work.kind, columns, work.largest, now.date(), work.period_from, work.period_to)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    for _number in range(LINES):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        yield line


def _keep(work: Import, rules: Rules, lines: Sequence[bytes], offset: int) -> None:
    good, bad = _sorted(work, rules, lines)
    with transaction.atomic():
        _copy(_ROWS, good)
        _copy(_REJECTS, bad)
        mine = Import.objects.filter(pk=work.pk, state=ImportState.CHECKING, bytes_read=work.bytes_read)
        kept = mine.update(
            bytes_read=offset,
            lines_read=F("lines_read") + len(lines),
            good_rows=F("good_rows") + len(good),
            rejected_rows=F("rejected_rows") + len(bad),
        )
        if not kept:  # stopped meanwhile: this portion was not read
            transaction.set_rollback(True)


def _sorted(work: Import, rules: Rules, lines: Sequence[bytes]) -> tuple[list[Sequence[object]], list[Sequence[object]]]:
    """Rows for the two tables; the header is line 1, an empty line is nothing but counts as a line."""
    good: list[Sequence[object]] = []
    bad: list[Sequence[object]] = []
    for number, line in enumerate(lines, work.lines_read + 2):
        found = _read(line, rules)
        if isinstance(found, Row):
            good.append((work.pk, number, found.card, found.operation, found.points, found.ends_on, found.on_date))
        else:
            bad.append((work.pk, number, found.value, line.decode("utf-8", "replace").strip().replace("\x00", "\ufffd")[:400]))
    return good, bad


def _read(line: bytes, rules: Rules) -> Row | Wrong:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return Wrong.ENCODING
    if "\x00" in text:
        return Wrong.ENCODING
    text = text.rstrip("\r\n")
    if '"' not in text:
        return read_row(text.split(rules.columns.delimiter), rules)
    try:
        return read_row(next(csv.reader([text], delimiter=rules.columns.delimiter, strict=True), []), rules)
    except csv.Error:
        return Wrong.COLUMNS


def _copy(statement: str, rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(statement, text)


def finish_check(work: Import, *, now: datetime) -> None:
    """Reject what repeats or contradicts within the file or the ledger, then say what the file comes to."""
    with transaction.atomic():
        for code, condition in _doubtful(work.kind):
            reject(work, code, condition)
        rows = ImportRow.objects.filter(owner=work)
        Import.objects.filter(pk=work.pk).update(
            good_rows=rows.count(),
            good_points=rows.aggregate(points=Sum("points"))["points"] or 0,
            rejected_rows=ImportReject.objects.filter(owner=work).count(),
        )
        import_steps.move(work, ImportState.CHECKED, now=now)


def _doubtful(kind: str) -> Sequence[tuple[Wrong, str]]:
    """Each reason with the condition on a row `r` of the file."""
    key, values = ("card", "points, ends_on") if kind == ImportKind.BALANCES else ("operation", "card, points, on_date")
    repeating = f"select {key}, min(line) as line from loyalty_importrow where owner_id = %(owner)s group by {key} having count(*) > 1"  # noqa: S608  names of ours
    conflicting = f"r.{key} in (select x.{key} from ({repeating} and count(distinct ({values})) > 1) x)"  # noqa: S608
    repeated = f"exists (select 1 from ({repeating}) f where f.{key} = r.{key} and f.line < r.line)"  # noqa: S608
    known = f"exists (select 1 from loyalty_transfer t where t.id = {transfer_sql(kind)})"  # noqa: S608
    other_chain = "exists (select 1 from loyalty_card c where c.number = r.card and c.chain_id <> %(chain)s)"
    found = [(Wrong.CONFLICTING, conflicting), (Wrong.REPEATED, repeated), (Wrong.CHAIN, other_chain)]
    if kind == ImportKind.BALANCES:
        return [*found, (Wrong.OPENED, known)]
    unknown = "not exists (select 1 from loyalty_card c where c.number = r.card)"
    return [*found, (Wrong.UNKNOWN, unknown), (Wrong.ACCRUED, known)]


def transfer_sql(kind: str) -> str:
    """The id of a row's transfer in SQL: of the card or of the receipt, so that no other file brings the same again."""
    seed = "'opening:' || r.card" if kind == ImportKind.BALANCES else "'accrual:' || %(chain)s || ':' || r.operation"
    return f"md5({seed})::uuid"


def reject(work: Import, code: Wrong, condition: str) -> int:
    """Move rows from the good to the rejected; how many."""
    statement = f"""
        with gone as (delete from loyalty_importrow r where r.owner_id = %(owner)s and {condition}
            returning r.line, r.card, r.points, r.operation, r.on_date, r.ends_on)
        insert into loyalty_importreject (owner_id, line, code, raw)
        select %(owner)s, line, %(code)s, left(concat_ws(',', card, points, nullif(operation, ''), on_date, ends_on), 400) from gone
    """  # noqa: S608  texts of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, {"owner": work.pk, "code": code.value, "chain": work.chain_id})
        return int(cursor.rowcount)
