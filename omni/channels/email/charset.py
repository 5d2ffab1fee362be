"""Bytes of a mail to text: Russian comes out right with right, wrong and no declaration.

The order: strict UTF-8, the declared charset, the likeliest of the Cyrillic 8-bit charsets, latin-1. General detectors fail on
short Cyrillic texts, so the last choice compares letters and pairs of letters with their frequency in Russian.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import log

CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5")

# Python's name of a charset: how mails also call it. An empty name: the declaration says nothing.
_SPELLINGS = {
    "cp1251": "cp-1251 win-1251 win1251 windows1251 cp-win-1251 x-cp1251 ansi-1251 microsoft-cp1251 windows-cp1251 1251",
    "koi8-r": "koi8r koi-8 koi8 koi-8-r koi8-ru cskoi8r koi",
    "koi8-u": "koi8u",
    "cp866": "cp-866 ibm-866 dos-866 alt",
    "iso8859-5": "iso8859-5 iso-8859-5-e",
    "mac_cyrillic": "x-mac-cyrillic mac-cyrillic",
    "utf-8": "utf8mb4 utf-8mb4 unicode-1-1-utf-8 utf-8-sig",
    "utf-7": "unicode-1-1-utf-7",
    "gb18030": "gb2312 gbk x-gbk cp936",
    "cp949": "ks_c_5601-1987 ks-c-5601-1987",
    "shift_jis": "x-sjis",
    "iso8859-8": "iso-8859-8-i",
    "iso8859-6": "iso-8859-6-i",
    "cp1252": "iso-8859-1 latin1 latin-1 iso8859-1 x-ansi ansi",
    "": (
        "x-user-defined x-unknown unknown unknown-8bit _autodetect _autodetect_all autodetect default none us-ascii ascii 7bit 8bit binary"
    ),
}
_ALIASES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_STATEFUL = re.compile(r"^(iso2022|hz|utf_?7|utf_?16|utf_?32)")
_ASCII = bytes(range(128))

# Letters per thousand of running Russian text (published counts, rounded).
_FREQUENCY = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17, 16, 16, 14, 12, 10, 9, 7, 6, 5, 4, 3, 3, 1, 3),
        strict=True,
    )
)
_LETTER = {letter: log(count / 30) for letter, count in _FREQUENCY.items()} | dict.fromkeys("іїєґўқңғүұһәөј", -1.0)
# The most frequent pairs of neighbouring letters, written one behind another.
_PAIR_LETTERS = (
    "еннираноолстльанитовретеронакилиийтьерпрмесктаподевеилтоеледатлеарзаныпаесалтрнеаветвалоондодачеекос"
    "тисеодисиедиинннкаобсоорривиимвыбразмоцимиайгоотожокляиянтизоеаспебовоачомслчабытыыежеыймаутспжамяей"
    "ойлабачиуссячтлуогднсищешиудвсикумезаяупочржееевешегакрырундубукпямудрсукудутунуцуахямамыхымихылсьщи"
    "щуещхлхоохжиянаюуююбэтёмеёёньеьшшьмыашшаунявивидртньйтгаужяспуякичшкчкчнждыняциццеецэлял"
)
_PAIRS = frozenset(_PAIR_LETTERS[at : at + 2] for at in range(0, len(_PAIR_LETTERS), 2))
_NEUTRAL = frozenset("«»—–-…№„“”‘’•§©°·™\xa0€\u20bd\xad")
_PRIOR = {"cp1251": 0.5, "koi8-r": 0.3, "cp866": -0.5, "iso8859-5": -0.5}
_PREFERRED = 5.5
_SAMPLE = 800


@dataclass(frozen=True)
class Decoded:
    """Text, the charset it was read in, and what was odd about it (empty = nothing)."""

    text: str
    charset: str
    defect: str = ""


def decode(data: bytes, declared: str = "") -> Decoded:
    """Text of `data`, declared to be in `declared` (any spelling, may be wrong or empty).

    NUL characters, byte order marks and lone surrogates never come out. Never raises.
    """
    result = _decode(data, canonical(declared), declared)
    return Decoded(clean(result.text), result.charset, result.defect)


def clean(text: str) -> str:
    """The text without what neither PostgreSQL nor JSON can hold."""
    if "\x00" in text or "\ufeff" in text:
        text = text.replace("\x00", "").replace("\ufeff", "")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def canonical(declared: str) -> str:
    """Python's name of a declared charset, empty when it is unknown or says nothing."""
    name = declared.strip().strip("\"'").lower().replace(" ", "").split("*")[0][:60]
    name = _ALIASES.get(name, _ALIASES.get(name.replace("_", "-"), name))
    try:
        info = codecs.lookup(name) if name and "\x00" not in name else None
    except (LookupError, ValueError):
        return ""
    return info.name if info and info._is_text_encoding else ""


def _decode(data: bytes, charset: str, declared: str) -> Decoded:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(data) % 2 == 0:
        return Decoded(data.decode("utf-16", "replace"), "utf-16")
    if charset and _STATEFUL.match(charset.replace("-", "")) and (text := _strict(data, charset)) is not None:
        return Decoded(text, charset)
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    if (text := _strict(data, "utf-8")) is not None and not _chance_utf8(data, text):
        defect = "" if charset in ("", "utf-8") else f"text declared as {_shown(declared)} is UTF-8"
        return Decoded(text, "utf-8", defect)
    if _mostly_utf8(data):
        return Decoded(_by_lines(data, charset), "utf-8", "text is UTF-8 with damaged characters")
    return _eight_bit(data, charset, declared)


def _strict(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError, ValueError, AssertionError):
        return None


_RARE_SCRIPT = re.compile("[\u0700-\u1dff]")


def _chance_utf8(data: bytes, text: str) -> bool:
    """A short word in cp866 may form valid UTF-8 of a script no guest writes in."""
    return len(data) < 100 and _RARE_SCRIPT.search(text) is not None and _guess(data, "")[1] > 0.5


_UTF8_SEQUENCE = re.compile(rb"[\xd0\xd1][\x80-\xbf]|\xc2[\xa0-\xbb]|\xe2[\x80-\x84][\x80-\xbf]|\xf0\x9f[\x80-\xbf]{2}")


def _mostly_utf8(data: bytes) -> bool:
    sample = data[: 64 * 1024]
    whole = sum(len(found) for found in _UTF8_SEQUENCE.findall(sample))
    high = _high(sample)
    # Cyrillic in an 8-bit charset forms such pairs by chance only; a quarter of stray bytes is a text glued from two charsets.
    return whole >= 6 and whole >= 0.7 * high


def _by_lines(data: bytes, charset: str) -> str:
    """Lines of UTF-8 as they are, lines of another charset (a footer added on the way) by the usual choice."""
    lines = []
    for line in data.split(b"\n"):
        text = _strict(line, "utf-8")
        if text is None:
            text = line.decode("utf-8", "replace") if _mostly_utf8(line) else _eight_bit(line, charset, "").text
        lines.append(text)
    return "\n".join(lines)


def _eight_bit(data: bytes, charset: str, declared: str) -> Decoded:
    if charset in CYRILLIC or charset in ("koi8-u", "mac-cyrillic"):
        return _likeliest(data, charset, declared)
    if charset and charset != "utf-8" and (text := _strict(data, charset)) is not None:
        guess, score = _guess(data, "")
        if score <= _threshold(charset, data):
            return Decoded(text, charset)
        return Decoded(data.decode(guess, "replace"), guess, f"text declared as {_shown(declared)} is {guess}")
    guess, score = _guess(data, "")
    if score <= -1.2:
        return Decoded(data.decode("latin-1"), "latin-1", "charset not declared and not recognised")
    defect = f"text declared as {_shown(declared)} is {guess}" if declared else f"charset not declared, read as {guess}"
    return Decoded(data.decode(guess, "replace"), guess, defect)


def _threshold(charset: str, data: bytes) -> float:
    """How Russian (mean score of a letter) the bytes must look to overrule a declared charset of another script."""
    if charset == "cp1252":
        return -0.5 if _high(data) > 1 else float("inf")
    return 0.4 if _high(data) >= 6 else float("inf")


def _high(data: bytes) -> int:
    """How many bytes are not ASCII."""
    return len(data.translate(None, _ASCII))


def _likeliest(data: bytes, charset: str, declared: str) -> Decoded:
    guess, _ = _guess(data, charset)
    defect = "" if guess == charset else f"text declared as {_shown(declared)} is {guess}"
    return Decoded(data.decode(guess, "replace"), guess, defect)


def _guess(data: bytes, preferred: str) -> tuple[str, float]:
    """The likeliest Cyrillic charset and the mean score of its letters; `preferred` wins near ties."""
    sample = _sample(data)
    candidates = dict.fromkeys((preferred, *CYRILLIC)) if preferred else dict.fromkeys(CYRILLIC)
    best, best_score = "", float("-inf")
    for charset in candidates:
        score = _score(sample.decode(charset, "replace")) + (_PREFERRED if charset == preferred else _PRIOR.get(charset, -0.5))
        if score > best_score:
            best, best_score = charset, score
    return best, best_score / max(_high(sample), 1)


_WORDS = re.compile(rb"[^\s<>]*[\x80-\xff][^\s<>]*")


def _sample(data: bytes) -> bytes:
    """The first words with 8-bit bytes, enough for a choice."""
    words: list[bytes] = []
    size = 0
    for word in _WORDS.finditer(data):
        words.append(word.group()[:80])
        size += len(words[-1])
        if size > _SAMPLE:
            break
    return b" ".join(words)


def _score(text: str) -> float:
    score = sum(_character_score(before, now) for before, now in _neighbours(text))
    # Capitals are likelier the wrong case of another charset than shouting, but a long text may well shout.
    capitals = sum(before.isupper() and now.isupper() for before, now in _neighbours(text))
    return score - min(0.7 * capitals, 3.0)


def _neighbours(text: str) -> Iterator[tuple[str, str]]:
    before = " "
    for now in text:
        yield before, now
        before = now


def _character_score(before: str, now: str) -> float:
    if now.isascii():
        return -2.0 if now.isalpha() and before.isalpha() and not before.isascii() else 0.0
    low = now.lower()
    score = _LETTER.get(low)
    if score is None:
        return -0.2 if now in _NEUTRAL else -4.0
    if not before.isalpha():
        return score - (3.0 if low in "ъьы" else 0.0)
    if before.isascii():
        return score - 2.0
    if before.islower() and now.isupper():
        return score - 4.0
    return score + (1.0 if before.lower() + low in _PAIRS else 0.0)


def _shown(declared: str) -> str:
    return clean(declared)[:40] or "nothing"
