"""Reading one row of a file of points: pure."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from loyalty.states import ImportKind


class Wrong(models.TextChoices):
    """Why a row is not taken."""

    COLUMNS = "columns", _("Not as many fields as the header has.")
    CARD = "card", _("The card's number is missing or is none.")
    NUMBER = "number", _("The points are not a whole number.")
    NEGATIVE = "negative", _("The points are below zero.")
    ZERO = "zero", _("There are no points to accrue.")
    HUGE = "huge", _("More points than the import allows for a row.")
    DATE = "date", _("A date is missing or is none (YYYY-MM-DD).")
    OVER = "over", _("The points have expired already.")
    PERIOD = "period", _("The date lies outside the import's period.")
    RECEIPT = "receipt", _("The receipt is missing or too long.")
    ENCODING = "encoding", _("The line is not UTF-8.")
    REPEATED = "repeated", _("The same row stands in an earlier line.")
    CONFLICTING = "conflicting", _("The same card or receipt stands in the file with other values: none of them is taken.")
    OPENED = "opened", _("The card has its opening balance already.")
    ACCRUED = "accrued", _("The receipt was accrued already.")
    UNKNOWN = "unknown", _("There is no card with this number.")
    CHAIN = "chain", _("The card belongs to another chain.")


class Header(StrEnum):
    CARD = "card"
    POINTS = "points"
    EXPIRES = "expires"
    RECEIPT = "receipt"
    DATE = "date"


NEEDED: Mapping[str, Sequence[Header]] = {
    ImportKind.BALANCES: (Header.CARD, Header.POINTS),
    ImportKind.ACCRUAL: (Header.CARD, Header.POINTS, Header.RECEIPT, Header.DATE),
}
_CARD = re.compile(r"[0-9A-Za-z-]{4,32}")
# More digits than any sum has: not even read.
_MOST_DIGITS = 18


FORMATS = ("CSV", "UTF-8")


class NoHeader(ValueError):
    """The first line does not name the columns that the import needs (their names), or is not of one of the FORMATS (which one)."""


@dataclass(frozen=True)
class Columns:
    """Where each column stands, and what separates them."""

    delimiter: str
    places: Mapping[str, int]
    number: int


@dataclass(frozen=True, slots=True)
class Row:
    card: str
    points: int
    ends_on: date | None = None
    operation: str = ""
    on_date: date | None = None


@dataclass(frozen=True)
class Rules:
    """What a row of this import may hold."""

    kind: str
    columns: Columns
    largest: int
    today: date
    period_from: date | None = None
    period_to: date | None = None


def read_header(line: str, kind: str) -> Columns:
    """The columns that the first line names, in any order, separated by comma, semicolon or tab. Raises NoHeader."""
    text = line.removeprefix("\ufeff").strip("\r\n")
    delimiter = max(",;\t", key=text.count)
    try:
        names = [name.strip().lower() for name in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        raise NoHeader("CSV") from None
    places: dict[str, int] = {name: names.index(name) for name in Header if name in names}
    if missing := [name for name in NEEDED[kind] if name not in places]:
        raise NoHeader(", ".join(missing))
    return Columns(delimiter, places, len(names))


def read_row(fields: Sequence[str], rules: Rules) -> Row | Wrong:
    """The row, or why it is not taken."""
    columns = rules.columns
    if len(fields) != columns.number:
        return Wrong.COLUMNS
    places = columns.places
    card = fields[places[Header.CARD]].strip()
    if not _CARD.fullmatch(card):
        return Wrong.CARD
    points = _points(fields[places[Header.POINTS]].strip(), rules)
    if isinstance(points, Wrong):
        return points
    ends_on = _ends_on(fields, rules)
    if isinstance(ends_on, Wrong):
        return ends_on
    if rules.kind == ImportKind.BALANCES:
        return Row(card, points, ends_on)
    return _accrual(Row(card, points, ends_on), fields, rules)


def _points(text: str, rules: Rules) -> int | Wrong:
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return Wrong.NUMBER
    if text.startswith("-") and digits.strip("0"):
        return Wrong.NEGATIVE
    if len(digits) > _MOST_DIGITS or (points := int(digits)) > rules.largest:
        return Wrong.HUGE
    if not points and rules.kind == ImportKind.ACCRUAL:
        return Wrong.ZERO
    return points


def _ends_on(fields: Sequence[str], rules: Rules) -> date | None | Wrong:
    place = rules.columns.places.get(Header.EXPIRES)
    text = fields[place].strip() if place is not None else ""
    if not text:
        return None
    found = _date(text)
    if found is None:
        return Wrong.DATE
    return Wrong.OVER if found <= rules.today else found


def _accrual(row: Row, fields: Sequence[str], rules: Rules) -> Row | Wrong:
    receipt = fields[rules.columns.places[Header.RECEIPT]].strip()
    if not receipt or len(receipt) > 64 or "\x00" in receipt:
        return Wrong.RECEIPT
    on = _date(fields[rules.columns.places[Header.DATE]].strip())
    if on is None:
        return Wrong.DATE
    if not (rules.period_from or date.min) <= on <= (rules.period_to or date.max):
        return Wrong.PERIOD
    return Row(row.card, row.points, row.ends_on, receipt, on)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
