"""Header lines of a mail as text: raw 8-bit, RFC 2047 words, RFC 2231 parameters, dates, message ids."""

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from omni.channels.email.charset import clean, decode

_FOLD = re.compile(rb"(?:\r\n|\r|\n)+(?=[ \t])|[\r\n]+")
_WORD = re.compile(rb"=\?([^?\s=][^?\s]{0,60})\?([bBqQ])\?([^\r\n]{0,3000}?)\?=")
_BETWEEN = re.compile(rb"[ \t]*")
_MESSAGE_ID = re.compile(r"<\s*([^<>\s][^<>]*?)\s*>")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_PARAMETER = re.compile(r";\s*([^\s=;\"]+)\s*=\s*(\"(?:\\.|[^\"\\])*\"?|[^;]*)", re.DOTALL)
_EARLIEST_YEAR = 1980
_LONGEST = 128 * 1024


@dataclass(frozen=True)
class Headers:
    """Header lines in their order: lower-case names, raw values with their folds."""

    lines: tuple[tuple[str, bytes], ...] = ()

    def raw(self, name: str) -> bytes:
        """The first value of `name`, unfolded; empty when absent."""
        return next((unfold(value) for key, value in self.lines if key == name), b"")

    def raw_all(self, name: str) -> list[bytes]:
        return [unfold(value) for key, value in self.lines if key == name]

    def text(self, name: str) -> str:
        """The first value of `name` as a person reads it; empty when absent."""
        return header_text(self.raw(name))

    def token(self, name: str) -> str:
        """The first value of `name` in lower case, without comments and parameters: what keyword headers are compared by."""
        return re.sub(r"\([^()]*\)", "", self.text(name)).split(";")[0].strip().lower()

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.lines)


def unfold(value: bytes) -> bytes:
    """A header value on one line (RFC 5322 2.2.3), at most 128 KB of it."""
    return _FOLD.sub(b"", value[:_LONGEST]).strip()


@dataclass(frozen=True)
class _EncodedWord:
    charset: str
    encoding: str
    payload: bytes
    start: int
    end: int


def header_text(value: bytes) -> str:
    """The text of an unfolded header value: RFC 2047 words (also split inside a character), raw 8-bit by the charset rule."""
    words = [
        _EncodedWord(found[1].decode("latin-1").split("*")[0].lower(), found[2].decode().lower(), found[3], found.start(), found.end())
        for found in _WORD.finditer(value)
    ]
    pieces: list[str] = []
    position = 0
    for run in _runs(value, words):
        between = value[position : run[0].start]
        if position == 0 or between.strip():
            pieces.append(decode(between).text)
        pieces.append(_run_text(run))
        position = run[-1].end
    pieces.append(decode(value[position:]).text)
    return re.sub(r"[\r\n\t]+", " ", "".join(pieces)).strip()


def _runs(value: bytes, words: list[_EncodedWord]) -> list[list[_EncodedWord]]:
    """Neighbouring words of one charset, which are decoded together."""
    runs: list[list[_EncodedWord]] = []
    for word in words:
        last = runs[-1][-1] if runs else None
        if last and last.charset == word.charset and _BETWEEN.fullmatch(value, last.end, word.start):
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _run_text(run: list[_EncodedWord]) -> str:
    data = b""
    pending = b""
    for word in run:
        if word.encoding == "q":
            data += _base64(pending) + _q_bytes(word.payload)
            pending = b""
            continue
        # Some mailers cut base64 itself between words, not only the characters: a word of odd length waits for the next.
        pending += re.sub(rb"\s", b"", word.payload)
        if len(pending) % 4 == 0 or pending.endswith(b"="):
            data += _base64(pending)
            pending = b""
    return decode(data + _base64(pending), run[0].charset).text


def _q_bytes(payload: bytes) -> bytes:
    return binascii.a2b_qp(payload, header=True)


def _base64(payload: bytes) -> bytes:
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", payload)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """The lower-case main value of Content-Type or Content-Disposition and its parameters by lower-case name.

    RFC 2231 continuations and charsets are joined, RFC 2047 words (forbidden there, usual) and raw 8-bit are read too.
    """
    line = value.decode("latin-1")
    main = line.split(";", 1)[0].strip().lower()
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for found in _PARAMETER.finditer(line):
        name, number, extended = _parameter_name(found[1])
        pieces.setdefault(name, {}).setdefault(number, (_unquoted(found[2]), extended))
    return main, {name: _joined(parts) for name, parts in pieces.items()}


def _parameter_name(written: str) -> tuple[str, int, bool]:
    name, *rest = written.lower().split("*")
    extended = bool(rest) and rest[-1] == ""
    number = int(rest[0]) if rest and rest[0].isdecimal() and len(rest[0]) < 4 else 0
    # An extended value beats a plain one of the same name: it is written for those who can read it.
    return name, number - (1000 if extended and not (rest and rest[0]) else 0), extended


def _unquoted(value: str) -> bytes:
    value = value.strip()
    if value.startswith('"'):
        value = re.sub(r'\\(["\\])', r"\1", value[1:].removesuffix('"'))
    return value.encode("latin-1")


def _joined(parts: dict[int, tuple[bytes, bool]]) -> str:
    if -1000 in parts:
        parts = {-1000: parts[-1000]}
    first_number = min(parts)
    charset, data = "", b""
    for number in sorted(parts):
        value, extended = parts[number]
        if extended and number == first_number and value.count(b"'") >= 2:
            declared, _, value = value.split(b"'", 2)
            charset = declared.decode("latin-1")
        data += _percent_decoded(value) if extended else value
    if charset or any(extended for _, extended in parts.values()):
        return decode(data, charset).text
    return header_text(data)


def _percent_decoded(value: bytes) -> bytes:
    return _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), value)


def message_ids(value: bytes) -> list[str]:
    """The ids of Message-ID, In-Reply-To or References, without angle brackets and spaces inside; `<>` gives none."""
    text = clean(value.decode("utf-8", "replace"))
    found = _MESSAGE_ID.findall(text)
    if not found and "@" in text and "<" not in text:
        found = [word for word in text.split() if "@" in word]
    return [identifier for identifier in (re.sub(r"\s+", "", item) for item in found) if identifier]


def mail_date(value: bytes) -> datetime | None:
    """The moment of a Date header with its offset, UTC when it names none; None when it cannot be one."""
    text = header_text(value)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            # Years near 1 and 9999 leave the calendar when they are converted.
            return aware if aware.year >= _EARLIEST_YEAR and aware.astimezone(UTC) else None
        except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
            continue
    return None
