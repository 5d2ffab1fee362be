"""The MIME tree of a mail as a flat list of leaves, for any bytes (RFC 2045, 2046).

Why not the standard library's parser: it recurses (hundreds of nested parts end in RecursionError or take minutes), it raises while
contents are read, and it turns 8-bit headers into surrogates. Here depth, number of parts and work are bounded.
"""

import binascii
import re
from dataclasses import dataclass, replace

from omni.channels.email.headers import Headers, parameters

MOST_PARTS = 1000
DEEPEST = 256
_HEADER_BYTES = 1024 * 1024
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")
_GUESSED_BOUNDARY = re.compile(rb"(?:^|[\r\n])--([^\s-][^\r\n]{0,100}?)[ \t]*(?:\r\n|\r|\n)content-", re.IGNORECASE)
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/=\s]")


@dataclass(frozen=True)
class Part:
    """A leaf: lower-case content type and disposition with parameters, undecoded body.

    `alternative` numbers the outermost multipart/alternative the leaf stands in (0 = none), `parent` is the nearest multipart.
    """

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    disposition: str
    disposition_parameters: dict[str, str]
    raw: bytes
    parent: str = ""
    alternative: int = 0

    @property
    def charset(self) -> str:
        return self.parameters.get("charset", "")

    @property
    def filename(self) -> str:
        """The name given in either header, as written; empty when there is none."""
        return self.disposition_parameters.get("filename") or self.parameters.get("name", "")

    @property
    def content_id(self) -> str:
        return self.headers.raw("content-id").strip(b" <>").decode("utf-8", "replace")

    def data(self) -> tuple[bytes, str]:
        """The decoded body and what was wrong with its encoding (empty = nothing). Never raises."""
        return decoded_body(self.raw, self.headers.token("content-transfer-encoding"))


@dataclass(frozen=True)
class MimeTree:
    """The mail's own headers, all leaves in reading order, the types of all multiparts, and defects in words."""

    headers: Headers
    parts: tuple[Part, ...]
    content_type: str
    parameters: dict[str, str]
    multiparts: frozenset[str]
    defects: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    start: int
    end: int
    depth: int = 0
    parent: str = ""
    alternative: int = 0


def split_mime(raw: bytes) -> MimeTree:
    """The leaves of a mail. Takes any bytes, never raises; work is bounded by size times depth."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    defects: list[str] = []
    parts: list[Part] = []
    multiparts: set[str] = set()
    root: Part | None = None
    stack = [_Node(_mbox_line(raw), len(raw))]
    alternatives = 0
    while stack and len(parts) < MOST_PARTS:
        node = stack.pop()
        part, body_start = _read(raw, node, defects)
        root = root or part
        children = _children(raw, part, body_start, node, defects)
        if not children:
            parts.append(_leaf(part, raw[body_start : node.end]))
            continue
        multiparts.add(part.content_type)
        alternatives += part.content_type == "multipart/alternative"
        alternative = node.alternative or (alternatives if part.content_type == "multipart/alternative" else 0)
        stack.extend(_Node(start, end, node.depth + 1, part.content_type, alternative) for start, end in reversed(children))
    if stack:
        defects.append(f"more than {MOST_PARTS} parts, the rest is not read")
    assert root is not None
    return MimeTree(root.headers, tuple(parts), root.content_type, root.parameters, frozenset(multiparts), tuple(dict.fromkeys(defects)))


def _mbox_line(raw: bytes) -> int:
    """Where the mail begins behind empty lines and an mbox "From " line."""
    start = 0
    while start < len(raw) and raw[start] in b"\r\n":
        start += 1
    found = re.compile(rb">?From [^\r\n]*(?:\r\n|\n|\r)").match(raw, start)
    return found.end() if found else start


def _read(raw: bytes, node: _Node, defects: list[str]) -> tuple[Part, int]:
    """The part's headers, and where its body begins."""
    headers, body_start = read_headers(raw, node.start, node.end, defects)
    written, content = parameters(headers.raw("content-type"))
    found = _CONTENT_TYPE.match(written)
    default = "message/rfc822" if node.parent == "multipart/digest" else "text/plain"
    content_type = found.group() if found else default
    if written and not found and written != "text":
        content_type = "text/plain" if written.startswith("text") or node.depth == 0 else "application/octet-stream"
        defects.append(f"unreadable content type {written[:60]!r}")
    disposition, named = parameters(headers.raw("content-disposition"))
    return Part(headers, content_type, content, disposition, named, b"", node.parent, node.alternative), body_start


def _leaf(part: Part, raw: bytes) -> Part:
    content_type = "text/plain" if part.content_type.startswith("multipart/") and not part.parent else part.content_type
    return replace(part, content_type=content_type, raw=raw)


def read_headers(raw: bytes, start: int, end: int, defects: list[str]) -> tuple[Headers, int]:
    """The header lines from `start`, and where the body begins. A line that is no header ends them, unless headers go on behind it."""
    lines: list[tuple[str, list[bytes]]] = []
    position = start
    limit = min(end, start + _HEADER_BYTES)
    while position < limit:
        found = _LINE.match(raw, position, end)
        assert found is not None
        line = found.group()
        if not line.strip(b"\r\n"):
            return _headers(lines), found.end()
        field = _FIELD.match(line)
        if line[:1] in b" \t" and lines:
            lines[-1][1].append(line)
        elif field:
            lines.append((field[1].decode("ascii").lower(), [field[2]]))
        elif lines and _headers_go_on(raw, found.end(), end):
            lines[-1][1].append(b" " + line)
            defects.append("a header line is broken in two")
        else:
            defects.append("text where headers should be" if lines else "no headers")
            return _headers(lines), position
        position = found.end()
    return _headers(lines), position


def _headers_go_on(raw: bytes, position: int, end: int) -> bool:
    """Whether the line behind a broken one is a header again: then the mail's body has not begun."""
    found = _LINE.match(raw, position, end)
    return bool(found and re.match(rb"[A-Za-z][A-Za-z0-9-]{2,}:[ \t]", found.group()))


def _headers(lines: list[tuple[str, list[bytes]]]) -> Headers:
    return Headers(tuple((name, b"".join(pieces)) for name, pieces in lines))


def _children(raw: bytes, part: Part, start: int, node: _Node, defects: list[str]) -> list[tuple[int, int]]:
    """Where the parts of a multipart lie; empty for a leaf."""
    if not part.content_type.startswith("multipart/"):
        return []
    if node.depth >= DEEPEST:
        defects.append(f"parts nested deeper than {DEEPEST} levels are kept as they are")
        return []
    boundary = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
    spans = _spans(raw, boundary, start, node.end) if boundary else []
    if not spans and (guessed := _GUESSED_BOUNDARY.search(raw, max(start - 1, 0), node.end)):
        spans = _spans(raw, guessed[1], start, node.end)
        defects.append("the boundary between parts is wrong or missing, a likely one is used")
    if not spans:
        defects.append(f"{part.content_type} without parts")
    return spans


def _spans(raw: bytes, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """What lies between the delimiter lines of `boundary`; a missing last one ends with the part."""
    marks = _delimiters(raw, b"--" + boundary, start, end)
    spans = []
    for number, (_, behind, closing) in enumerate(marks):
        if not closing:
            following = marks[number + 1][0] if number + 1 < len(marks) else end
            spans.append((behind, max(behind, following)))
    return spans


def _delimiters(raw: bytes, delimiter: bytes, start: int, end: int) -> list[tuple[int, int, bool]]:
    """(end of the content before, start of the content behind, closing) of every delimiter line."""
    marks: list[tuple[int, int, bool]] = []
    position = raw.find(delimiter, start, end)
    while position >= 0 and len(marks) <= 4 * MOST_PARTS:
        behind = position + len(delimiter)
        rest = _LINE.match(raw, behind, end)
        assert rest is not None
        at_line_start = position == start or raw[position - 1] in b"\r\n"
        if at_line_start and rest.group().strip() in (b"", b"--"):
            marks.append((_before_newline(raw, position, start), rest.end(), rest.group().strip() == b"--"))
        position = raw.find(delimiter, behind, end)
    return marks


def _before_newline(raw: bytes, position: int, start: int) -> int:
    """The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1)."""
    if position > start and raw[position - 1] in b"\n":
        position -= 1
    if position > start and raw[position - 1] in b"\r":
        position -= 1
    return position


def decoded_body(raw: bytes, encoding: str) -> tuple[bytes, str]:
    """`raw` without its transfer encoding, and a defect in words or an empty string. Never raises."""
    if encoding == "base64":
        return _base64(raw)
    if encoding in ("quoted-printable", "quotedprintable"):
        return binascii.a2b_qp(raw), ""
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uudecoded(raw), ""
    if encoding in ("", "7bit", "8bit", "binary", "7-bit", "8-bit"):
        return raw, ""
    return raw, f"unknown transfer encoding {encoding[:40]!r}"


def _base64(raw: bytes) -> tuple[bytes, str]:
    junk = len(_BASE64_JUNK.findall(raw[:20000]))
    if junk > 2 + len(raw[:20000]) // 50:
        return raw, "declared as base64, is not"
    compact = _BASE64_JUNK.sub(b"", raw) if junk else raw
    compact = b"".join(compact.split())
    # Several padded runs behind one another happen when a gateway adds a footer.
    data = b"".join(_base64_run(run) for run in compact.split(b"=") if run)
    return data, "damaged base64" if junk else ""


def _base64_run(run: bytes) -> bytes:
    run = run[: len(run) - (len(run) % 4 == 1)]
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))


def uudecoded(raw: bytes) -> bytes:
    """The bytes of a uuencoded block, with or without its `begin` and `end` lines; unreadable lines are left out."""
    pieces = []
    for line in raw.splitlines():
        if line.startswith(b"begin ") or line.strip() in (b"end", b"`", b""):
            continue
        pieces.append(_uu_line(line))
    return b"".join(pieces)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders write trailing garbage: the length is in the first character.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
