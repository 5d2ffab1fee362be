"""winmail.dat: files and body of a TNEF stream (Microsoft's MS-OXTNEF).

Why not a ready library: the one that exists loops for hours on a forged count of properties, and takes names for cp1252.
Every loop here ends with the data.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from omni.channels.email.charset import decode

_SIGNATURE = 0x223E9F78
_BODY, _ATTACHMENT_DATA, _ATTACHMENT_TITLE = 0x800C, 0x800F, 0x8010
_ATTACHMENT_STARTS, _MESSAGE_PROPERTIES, _ATTACHMENT_PROPERTIES, _OEM_CODEPAGE = 0x9002, 0x9003, 0x9005, 0x9007
_TEXT, _HTML, _INTERNET_CODEPAGE = 0x1000, 0x1013, 0x3FDE
_DATA, _SHORT_NAME, _LONG_NAME, _MIME, _CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (0x0D, 0x1E, 0x1F, 0x102)
_UNICODE = 0x1F
_MOST_FILES = 500
_CODEPAGES = {20866: "koi8-r", 28595: "iso-8859-5", 65001: "utf-8", 20127: "ascii"}


@dataclass(frozen=True)
class TnefFile:
    name: str
    data: bytes
    mime: str = ""
    content_id: str = ""


@dataclass(frozen=True)
class Tnef:
    """Files in their order; `text` and `html` are empty when the body is RTF or absent."""

    files: tuple[TnefFile, ...]
    text: str
    html: str


class NotTnef(Exception):
    """The bytes are no TNEF stream or end in the middle of one."""


def read_tnef(data: bytes) -> Tnef:
    """What a TNEF stream carries. Raises NotTnef."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise NotTnef("winmail.dat has no TNEF signature")
    charset = "cp1251"
    text: str = ""
    html: str = ""
    found: list[dict[int, bytes | str]] = []
    for name, value in _objects(data):
        if name == _OEM_CODEPAGE and len(value) >= 4:
            charset = _codepage(struct.unpack_from("<I", value)[0])
        elif name == _BODY:
            text = text or decode(value, charset).text
        elif name == _MESSAGE_PROPERTIES:
            text, html = _bodies(value, charset, text)
        elif name == _ATTACHMENT_STARTS and len(found) < _MOST_FILES:
            found.append({})
        elif found:
            _add(found[-1], name, value, charset)
    return Tnef(tuple(file for file in map(_file, found) if file), text, html)


def _objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 6
    while offset + 9 <= len(data):
        _, name, _, size = struct.unpack_from("<BHHI", data, offset)
        start = offset + 9
        if start + size > len(data):
            return
        yield name, data[start : start + size]
        offset = start + size + 2


def _codepage(number: int) -> str:
    return _CODEPAGES.get(number, f"cp{number}")


def _bodies(value: bytes, charset: str, text: str) -> tuple[str, str]:
    properties = dict(_properties(value))
    number = properties.get(_INTERNET_CODEPAGE, b"")
    internet = _codepage(struct.unpack("<I", number)[0]) if isinstance(number, bytes) and len(number) == 4 else charset
    return _text(properties.get(_TEXT, b""), charset) or text, _text(properties.get(_HTML, b""), internet)


def _text(value: bytes | str, charset: str) -> str:
    return value if isinstance(value, str) else decode(value, charset).text


def _add(file: dict[int, bytes | str], name: int, value: bytes, charset: str) -> None:
    if name == _ATTACHMENT_TITLE:
        file[_SHORT_NAME] = decode(value, charset).text
    elif name == _ATTACHMENT_DATA:
        file[_DATA] = value
    elif name == _ATTACHMENT_PROPERTIES:
        for number, content in _properties(value):
            file.setdefault(number, _text(content, charset) if number != _DATA else content)


def _file(found: dict[int, bytes | str]) -> TnefFile | None:
    data = found.get(_DATA, b"")
    if not isinstance(data, bytes) or not found:
        return None
    name = found.get(_LONG_NAME) or found.get(_SHORT_NAME) or ""
    return TnefFile(str(name), data, str(found.get(_MIME, "")), str(found.get(_CONTENT_ID, "")))


def _properties(data: bytes) -> Iterator[tuple[int, bytes | str]]:
    """(number, value) of a MAPI property list up to the first one that cannot be read."""
    offset = 4
    try:
        while offset + 4 <= len(data):
            kind, number = struct.unpack_from("<HH", data, offset)
            offset = _behind_name(data, offset + 4) if number >= 0x8000 else offset + 4
            value, offset = _value(data, offset, kind)
            yield number, value
    except (struct.error, ValueError):
        return


def _behind_name(data: bytes, offset: int) -> int:
    """Where a named property's value begins: a GUID, then a number or a padded string."""
    kind, size = struct.unpack_from("<II", data, offset + 16)
    return offset + 24 + (0 if kind == 0 else _padded(size))


def _value(data: bytes, offset: int, kind: int) -> tuple[bytes | str, int]:
    base = kind & 0x0FFF
    count = 1
    if kind & 0x1000 or base in _VARIABLE:
        count = struct.unpack_from("<I", data, offset)[0]
        offset += 4
    if base in _VARIABLE:
        return _variable(data, offset, base, count)
    size = _FIXED.get(base)
    if size is None or offset + size * count > len(data):
        raise ValueError("unknown or cut property")
    return data[offset : offset + size], offset + size * count


def _variable(data: bytes, offset: int, base: int, count: int) -> tuple[bytes | str, int]:
    """The first of `count` values, and where the last one ends."""
    first: bytes = b""
    for number in range(count):
        size = struct.unpack_from("<I", data, offset)[0]
        if offset + 4 + size > len(data):
            raise ValueError("cut property")
        first = data[offset + 4 : offset + 4 + size] if number == 0 else first
        offset += 4 + _padded(size)
    return (
        first.decode("utf-16-le", "replace").rstrip("\x00") if base == _UNICODE else first.rstrip(b"\x00") if base == 0x1E else first
    ), offset


def _padded(size: int) -> int:
    return (size + 3) // 4 * 4
