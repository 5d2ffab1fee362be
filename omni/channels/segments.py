"""How many SMS a text takes (3GPP TS 23.038, alphabet; 3GPP TS 23.040, 9.2.3.24.1, parts of a long text): pure."""

from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
BASIC = frozenset(_BASIC)
EXTENDED = frozenset("^{}\\[~]|€\f")
"""Two septets each: an escape and the character."""


@dataclass(frozen=True)
class Segments:
    """`units` are septets of GSM-7 or 16-bit units of UCS-2; `left` of them still fit into the last part."""

    encoding: str
    units: int
    parts: int
    left: int


def segments(text: str) -> Segments:
    """The parts that a text goes out in; each is paid for. An empty text takes none."""
    is_gsm = all(char in BASIC or char in EXTENDED for char in text)
    widths = [_septets(char) if is_gsm else _ucs2_units(char) for char in text]
    single, part = (160, 153) if is_gsm else (70, 67)
    units = sum(widths)
    parts, used = (1 if units else 0, units) if units <= single else _packed(widths, part)
    room = single if parts <= 1 else part
    return Segments("gsm7" if is_gsm else "ucs2", units, parts, room - used)


def _packed(widths: list[int], part: int) -> tuple[int, int]:
    """Parts, and units in the last one: what takes two units is never cut in the middle."""
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts, used


def _septets(char: str) -> int:
    return 2 if char in EXTENDED else 1


def _ucs2_units(char: str) -> int:
    return 2 if ord(char) > 0xFFFF else 1
