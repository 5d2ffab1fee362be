"""Details that topics ask for: what a value must look like. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LONGEST = 300
OLDEST = timedelta(days=3 * 366)
_NUMBERED = re.compile(r"[0-9A-Za-zА-Яа-яЁё][0-9A-Za-zА-Яа-яЁё/_-]{1,39}")
_LONG_NUMBER = re.compile(r"(?:\d[ -]?){15,18}\d")
_MOST = Decimal(100_000_000)


class DetailKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    REFERENCE = "reference"
    CHOICE = "choice"
    YES_NO = "yes_no"


@dataclass(frozen=True)
class DetailSpec:
    """A detail as a form shows it. `options` are the values of a choice."""

    code: str
    name: str
    kind: str
    is_required: bool
    hint: str = ""
    options: tuple[str, ...] = ()


class BadDetail(ValueError):
    """A value that the detail cannot have. `code` names the detail, `why` is for a person."""

    def __init__(self, code: str, why: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.why = why


def read_all(specs: Sequence[DetailSpec], given: Mapping[str, object], *, today: date) -> dict[str, str]:
    """The given values in their kept form, empty ones left out.

    Raises BadDetail: a required one is missing, a value is wrong, or the topic knows no such detail.
    """
    known = {spec.code for spec in specs}
    strange = next((code for code in given if code not in known), None)
    if strange is not None:
        raise BadDetail(strange, _("this topic has no such detail"))
    found = {spec.code: read(spec, given.get(spec.code), today=today) for spec in specs}
    return {code: value for code, value in found.items() if value}


def read(spec: DetailSpec, given: object, *, today: date) -> str:
    """One value as it is kept: dates as YYYY-MM-DD, times as HH:MM, money with two digits. Raises BadDetail."""
    text = " ".join(str(given if given is not None else "").split())
    if not text:
        if spec.is_required:
            raise BadDetail(spec.code, _("please fill it in"))
        return ""
    if len(text) > LONGEST:
        raise BadDetail(spec.code, _("this is too long"))
    if has_card_number(text):
        raise BadDetail(spec.code, _("this looks like a full card number, which may not be kept; the last four digits are enough"))
    try:
        kept: str = _READERS[DetailKind(spec.kind)](spec, text, today)
        return kept
    except BadDetail:
        raise
    except (ValueError, InvalidOperation):
        raise BadDetail(spec.code, _EXPECTED[DetailKind(spec.kind)]) from None


def has_card_number(text: str) -> bool:
    """Whether 16 to 19 digits in a row pass the check of payment cards (ISO/IEC 7812-1, Luhn)."""
    return any(_luhn(re.sub(r"\D", "", found)) for found in _LONG_NUMBER.findall(text))


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _number(spec: DetailSpec, text: str, today: date) -> str:
    number = Decimal(_decimal(text))
    if not 0 <= number < _MOST:
        raise ValueError(text)
    return f"{number.normalize():f}"


def _money(spec: DetailSpec, text: str, today: date) -> str:
    number = Decimal(_decimal(re.sub(r"(?i)\s*(₽|р|руб\.?|рублей)$", "", text)))
    if not 0 <= number < _MOST:
        raise ValueError(text)
    return f"{number.quantize(Decimal('0.01')):f}"


def _decimal(text: str) -> str:
    plain = text.replace(" ", "").replace(",", ".")
    if not re.fullmatch(r"\d+(\.\d+)?", plain, re.ASCII):
        raise ValueError(text)
    return plain


def _date(spec: DetailSpec, text: str, today: date) -> str:
    day = date.fromisoformat("-".join(reversed(text.split("."))) if "." in text else text)
    if not today - OLDEST <= day <= today:
        raise BadDetail(spec.code, _("the day lies in the future or too far back"))
    return day.isoformat()


def _time(spec: DetailSpec, text: str, today: date) -> str:
    return time.fromisoformat(text.zfill(5)).strftime("%H:%M")


def _reference(spec: DetailSpec, text: str, today: date) -> str:
    plain = text.replace(" ", "").removeprefix("№").removeprefix("#")
    if not _NUMBERED.fullmatch(plain):
        raise ValueError(text)
    return plain


def _choice(spec: DetailSpec, text: str, today: date) -> str:
    if text not in spec.options:
        raise ValueError(text)
    return text


def _yes_no(spec: DetailSpec, text: str, today: date) -> str:
    said = {"yes": "yes", "да": "yes", "true": "yes", "1": "yes", "no": "no", "нет": "no", "false": "no", "0": "no"}
    if text.lower() not in said:
        raise ValueError(text)
    return said[text.lower()]


_READERS = {
    DetailKind.TEXT: lambda spec, text, today: text,
    DetailKind.NUMBER: _number,
    DetailKind.MONEY: _money,
    DetailKind.DATE: _date,
    DetailKind.TIME: _time,
    DetailKind.REFERENCE: _reference,
    DetailKind.CHOICE: _choice,
    DetailKind.YES_NO: _yes_no,
}
_EXPECTED = {
    DetailKind.TEXT: _("please write a text"),
    DetailKind.NUMBER: _("please write a number"),
    DetailKind.MONEY: _("please write a sum, for example 349.90"),
    DetailKind.DATE: _("please write a day, for example 2026-03-08"),
    DetailKind.TIME: _("please write a time, for example 18:40"),
    DetailKind.REFERENCE: _("please write the number as it is printed: letters, digits and dashes"),
    DetailKind.CHOICE: _("please choose from the list"),
    DetailKind.YES_NO: _("please answer yes or no"),
}
