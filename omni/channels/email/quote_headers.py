"""Lines that mail programs write above what they quote, in Russian and English.

Known: Mail.ru, Yandex, Gmail, Outlook, Apple Mail, Thunderbird, The Bat, Samsung.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MONTH = (
    r"(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)[а-я]*\.?|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
)
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}|"
    rf"\d{{1,2}}\.?\s+(?:{_MONTH})\s+\d{{4}}|(?:{_MONTH})\s+\d{{1,2}},?\s+\d{{4}})"
)
_EMAIL = r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+"
_VERB = r"(?:пишет|писала?|писал\(а\)|написала?|написал\(а\)|wrote|writes)"
_WEEKDAY = (
    r"(?:пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|сред[ау]|четверг|пятниц[ау]|суббот[ау]|воскресенье|"
    r"mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
)
_NAME = r"[A-ZА-ЯЁ][\w.'’-]*(?:\s+[A-ZА-ЯЁ][\w.'’-]*){1,3}"
_STARTS = re.compile(rf"(?:on\s|в\s+)?(?:{_WEEKDAY}(?:,|\s)\s*)?(?:в\s+)?{_DATE}", re.IGNORECASE)
_HOUR_FIRST = re.compile(rf"\d{{1,2}}:\d{{2}}(?::\d{{2}})?,?\s+{_DATE}", re.IGNORECASE)
_ADDRESSED = re.compile(rf"{_EMAIL}[\])>»\"]*[,\s]*(?:{_VERB})?\s*:$", re.IGNORECASE)
_WRITTEN = re.compile(
    rf"\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s*[AP]M)?[^:]{{0,20}}?[,\s]\s*(?:[\"«]?{_NAME}[\"»]?|\S+@\S+)\s*(?i:{_VERB})\s*:$"
)
_FROM_SOMEBODY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[+-]\d{2}:?\d{2}|\([^)]*\)|[A-Z]{3})?\s*,?\s*от\s+[^:]{1,120}:$")
_YOU_WROTE = re.compile(rf"(?:вы писали|you wrote)\s.{{0,40}}{_DATE}.{{0,20}}:$", re.IGNORECASE)
_NAMED_VERB = re.compile(rf"[\"«]?{_NAME}[\"»]?(?:\s*<{_EMAIL}>)?\s+(?i:{_VERB})\s*:$")
_LOOSE = re.compile(rf"{_DATE}|{_EMAIL}|\b{_VERB}\b", re.IGNORECASE)
_LONGEST = 300

_REPLY_SEPARATOR = re.compile(
    r"[-_*=\s]{2,}(?:исходное (?:сообщение|письмо)|(?:оригинальное|первоначальное) сообщение|"
    r"original (?:message|appointment))\s*[-_*=:\s]*$",
    re.IGNORECASE,
)
_FORWARD_SEPARATOR = re.compile(
    r"(?:[-_*=\s]{2,}(?:пересылаемое (?:сообщение|письмо)|пересланное (?:сообщение|письмо)|перенаправленное (?:сообщение|письмо)|"
    r"переадресованное (?:сообщение|письмо)|forwarded message|forwarded by .{1,80})\s*[-_*=:\s]*"
    r"|(?:начало (?:переадресованного|пересылаемого|пересланного) сообщения|begin forwarded message)\s*:)$",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_-]{8,}$")
_FIELD = re.compile(
    r"\*?(?P<name>от кого|от|кому|копия|скрытая копия|отправлено|дата|тема|важность|"
    r"from|to|cc|bcc|sent|date|subject|reply-to|importance)\s*:\*?(?:\s|$)",
    re.IGNORECASE,
)
_SENDER_FIELDS = ("от", "от кого", "from")
_FIELDS_IN_A_LINE = re.compile(r"\*?(?:от|from):.{1,200}(?:отправлено|дата|sent|date):.{1,120}(?:кому|to):", re.IGNORECASE)


@dataclass(frozen=True)
class QuoteHeader:
    """Lines `start` to `end` (exclusive) stand above a quote. `forward`: a forwarded mail follows, not an answered one."""

    start: int
    end: int
    forward: bool = False


def quote_header_at(lines: Sequence[str], index: int) -> QuoteHeader | None:
    """The header that begins at a line, None when none does."""
    line = lines[index].strip()
    if not line or len(line) > _LONGEST or line.startswith(">"):
        return None
    if _FORWARD_SEPARATOR.match(line):
        return QuoteHeader(index, _behind_fields(lines, index + 1), forward=True)
    if _REPLY_SEPARATOR.match(line):
        return QuoteHeader(index, _behind_fields(lines, index + 1))
    if _RULE.match(line):
        end = _field_block_end(lines, _next_filled(lines, index + 1))
        return QuoteHeader(index, end) if end else None
    if end := _field_block_end(lines, index):
        return QuoteHeader(index, end)
    return _attribution_at(lines, index)


def _attribution_at(lines: Sequence[str], index: int) -> QuoteHeader | None:
    """«date, somebody <address>:» on one to three lines."""
    joined = ""
    for end in range(index, min(index + 3, len(lines))):
        line = lines[end].strip()
        if not line or line.startswith(">") or len(joined) + len(line) > _LONGEST:
            return None
        joined = f"{joined} {line}".strip()
        if line.endswith(":") and is_attribution(joined):
            return QuoteHeader(index, end + 1)
    if index and not lines[index - 1].strip() and len(joined) < 100 and _NAMED_VERB.match(lines[index].strip()):
        return QuoteHeader(index, index + 1)
    return None


def is_attribution(line: str) -> bool:
    """Whether a whole line says when and by whom a quoted mail was written."""
    if _YOU_WROTE.search(line):
        return True
    dated = _STARTS.match(line)
    if dated and (_ADDRESSED.search(line) or _WRITTEN.search(line) or _FROM_SOMEBODY.search(line)):
        return True
    if _HOUR_FIRST.match(line) and _ADDRESSED.search(line):
        return True
    return bool(re.match(rf"[^:]{{0,80}}{_EMAIL}[^:]{{0,20}}\s{_VERB}\s*:$", line, re.IGNORECASE))


def is_loose_attribution(line: str) -> bool:
    """Enough of a header when marked quotes follow it directly: ends with a colon, has a date, an address or a verb of writing."""
    line = line.strip()
    return line.endswith(":") and len(line) < _LONGEST and not line.startswith(">") and _LOOSE.search(line) is not None


def _field_block_end(lines: Sequence[str], index: int) -> int:
    """Where «От: … Отправлено: … Кому: … Тема: …» ends; 0 when no such block begins here. Three fields with a sender make one."""
    if index >= len(lines):
        return 0
    if _FIELDS_IN_A_LINE.match(lines[index].strip()):
        return index + 1
    first = _FIELD.match(lines[index].strip())
    if not first:
        return 0
    names, end = {first["name"].lower()}, index + 1
    for position in range(index + 1, min(index + 14, len(lines))):
        line = lines[position].strip()
        found = _FIELD.match(line)
        if found:
            names.add(found["name"].lower())
            end = position + 1
        elif not line and end < position:
            break
    return end if len(names) >= 3 and names & set(_SENDER_FIELDS) else 0


def _behind_fields(lines: Sequence[str], index: int) -> int:
    start = _next_filled(lines, index)
    return _field_block_end(lines, start) or index


def _next_filled(lines: Sequence[str], index: int) -> int:
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index
