"""Where a mail's signature begins: «-- », «С уважением», «Отправлено с iPhone»."""

import re
from collections.abc import Sequence

_DELIMITER = re.compile(r"-- ?$")
_RULE = re.compile(r"(?:—|–|__|---)$")
_CLOSING = re.compile(
    r"(?:с (?:глубоким |большим |искренним |наилучшим )?уважением|с наилучшими пожеланиями|с почтением|"
    r"искренне ваша?|всего (?:наи)?(?:доброго|лучшего|хорошего)|"
    r"(?:best |kind |warm )?regards|best wishes|sincerely(?: yours)?|yours (?:sincerely|faithfully))"
    r"(?:\s*[,.!]*|(?:\s*,\s*|\s+)(?:[A-ZА-ЯЁ][\w.'’-]*\.?\s*){1,4}[,.]?)$",
)
_DEVICE = (
    r"iphone|ipad|айфон|android|андроид|samsung|galaxy|xiaomi|redmi|huawei|honor|realme|poco|nokia|sony|телефон|смартфон|планшет|мобильн|устройств|"
    r"почт|mail|outlook|yahoo|яндекс|yandex|gmail|windows|mac|blackberry|bluemail|spark|typeapp|proton|рамблер|rambler"
)
_SENT_FROM = re.compile(
    r"(?:[-–—*\s]*)(?:(?:отправлено|послано|написано) (?:из|с|со|через|от)|sent (?:from|with|via|using)|"
    rf"скачать|получите|получить|get|загрузить)\b.{{0,20}}(?:{_DEVICE}).{{0,60}}$",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"(?:p\.?\s?s\.?|з\.?ы\.?|постскриптум)\b", re.IGNORECASE)
_MOST_LINES = 10
_LONGEST_LINE = 70
_LONGEST_SENT_FROM = 110


def is_sent_from(line: str) -> bool:
    """Whether a line only names the device or the program a mail was sent with."""
    line = line.strip()
    return len(line) <= _LONGEST_SENT_FROM and _SENT_FROM.match(line) is not None


def without_signature(lines: Sequence[str]) -> list[str]:
    """The lines without the signature at their end; all of them when there is none."""
    kept = without_sent_from(lines)
    for index in range(_earliest(kept), len(kept)):
        line = kept[index]
        if _begins_signature(line) and _is_signature(kept[index + 1 :], delimiter=_DELIMITER.match(line) is not None):
            return without_sent_from(kept[:index])
    return kept


def _earliest(lines: Sequence[str]) -> int:
    """The first line that has few enough lines behind it to begin a signature."""
    filled = 0
    for index in range(len(lines) - 1, -1, -1):
        filled += bool(lines[index].strip())
        if filled > _MOST_LINES + 1:
            return index + 1
    return 0


def without_sent_from(lines: Sequence[str]) -> list[str]:
    """The lines without blank ones and device lines at their end."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or is_sent_from(kept[-1])):
        kept.pop()
    return kept


def _begins_signature(line: str) -> bool:
    text = line.strip()
    if len(text) > _LONGEST_SENT_FROM:
        return False
    rule = line.rstrip()
    return bool(_DELIMITER.match(rule) or _RULE.match(rule)) or bool(_CLOSING.match(text[:1].lower() + text[1:]))


def _is_signature(rest: Sequence[str], *, delimiter: bool) -> bool:
    """Whether what stands behind is short and no text: a name, a post, a telephone number, an address."""
    filled = [line.strip() for line in rest if line.strip()]
    if len(filled) > _MOST_LINES or any(_POSTSCRIPT.match(line) for line in filled):
        return False
    if delimiter:
        return True
    return all(len(line) <= _LONGEST_LINE and not line.endswith(("?", ":")) for line in filled)
