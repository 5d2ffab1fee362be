"""Which parts of a mail are its body, and that body as text and HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from omni.channels.email.charset import decode
from omni.channels.email.html import html_to_text, text_as_html, tidy
from omni.channels.email.mime import Part

_STUB = re.compile(
    r"откро\w+ .{0,40}в браузере|не поддерживает (?:просмотр )?(?:html|формат)|письмо в формате html|html[- ]верси|"
    r"(?:view|open) (?:it |this |the )?.{0,40}(?:in|with) (?:your|a|the) (?:web )?browser|html[- ](?:compatible|capable|enabled)|"
    r"does not support html|multi-?part message in mime|просмотр\w* в браузере|this is an html",
    re.IGNORECASE | re.DOTALL,
)
_STUB_LENGTH = 400
_META_CHARSET = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_TEXT_TYPES = ("text/plain", "text/html")


@dataclass(frozen=True)
class Body:
    """The body's text and HTML (as written, not yet safe; empty = none). `from_html`: the text was made of the HTML."""

    text: str
    html: str
    from_html: bool
    defects: tuple[str, ...] = ()


def is_body(part: Part, first: bool) -> bool:
    """Whether a leaf belongs to the body. `first`: no body part was seen before it."""
    if part.content_type not in _TEXT_TYPES and not (part.content_type == "text/enriched" or part.content_type == "text/x-amp-html"):
        return False
    if part.disposition == "attachment":
        return False
    # A named text is a file, except the only text of a mail whose program names its body.
    return not part.filename or (first and part.disposition != "inline" and part.parent in ("", "multipart/alternative"))


def part_text(part: Part, defects: list[str]) -> str:
    """A text part decoded, with line feeds only."""
    data, fault = part.data()
    declared = part.charset
    if part.content_type == "text/html" and not declared and (found := _META_CHARSET.search(data[:4096])):
        declared = found[1].decode("ascii")
    result = decode(data, declared)
    defects.extend(reason for reason in (fault, result.defect) if reason)
    text = result.text.replace("\r\n", "\n").replace("\r", "\n")
    if part.content_type == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
        return unflowed(text, part.parameters.get("delsp", "").lower() == "yes")
    return text


def unflowed(text: str, delete_space: bool) -> str:
    """format=flowed paragraphs on one line each, quote depth kept (RFC 3676)."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        flowing = content.endswith(" ") and content != "-- "
        if open_depth == depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append((">" * depth + " " + content) if depth else content)
        if flowing and delete_space:
            lines[-1] = lines[-1][:-1]
        open_depth = depth if flowing else -1
    return "\n".join(lines)


@dataclass(frozen=True)
class _Segment:
    """One stretch of the body: the plain and the HTML version of the same words, or one of them."""

    plain: str
    html: str


def compose_body(parts: Sequence[Part]) -> Body:
    """The body of its leaves: plain text unless it is empty or a stub, HTML joined in reading order."""
    defects: list[str] = []
    segments = [_segment(group, defects) for group in _groups(parts)]
    has_html = any(segment.html.strip() for segment in segments)
    texts = [_segment_text(segment) for segment in segments]
    html = "".join(segment.html or text_as_html(segment.plain) for segment in segments) if has_html else ""
    from_html = has_html and all(_is_stub(segment) for segment in segments if segment.html)
    return Body(tidy("\n\n".join(text for text in texts if text)), html, from_html, tuple(defects))


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Leaves of one multipart/alternative together, every other leaf alone."""
    groups: list[list[Part]] = []
    for part in parts:
        if part.alternative and groups and groups[-1][0].alternative == part.alternative:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _segment(group: list[Part], defects: list[str]) -> _Segment:
    plain = [part_text(part, defects) for part in group if part.content_type != "text/html" and part.content_type != "text/x-amp-html"]
    html = [part_text(part, defects) for part in group if part.content_type == "text/html"]
    return _Segment("\n".join(plain), "\n".join(html))


def _segment_text(segment: _Segment) -> str:
    if segment.html and _is_stub(segment):
        return html_to_text(segment.html) or tidy(segment.plain)
    return tidy(segment.plain)


def _is_stub(segment: _Segment) -> bool:
    plain = segment.plain.strip()
    if not plain:
        return True
    if not segment.html:
        return False
    if plain.startswith("<") and re.match(r"<(!doctype|html|head|body|div|p)\b", plain, re.IGNORECASE):
        return True
    return len(plain) < _STUB_LENGTH and _STUB.search(plain) is not None
