"""What a guest wrote in this mail: its text without quoted mails and signature. Hides, never deletes: callers keep the whole text."""

from collections.abc import Sequence
from dataclasses import dataclass

from omni.channels.email.html import parse_html, tidy, tree_text
from omni.channels.email.html_quotes import Cut, cut_quotes
from omni.channels.email.quote_headers import QuoteHeader, is_loose_attribution, quote_header_at
from omni.channels.email.signatures import without_sent_from, without_signature


@dataclass(frozen=True)
class Folded:
    """`visible` without quotes and signature. `inline`: answers stand between the quotes, so nothing was hidden."""

    visible: str
    inline: bool = False


def visible_text(text: str, html: str = "", from_html: bool = False) -> str:
    """The visible part of a mail with the given body. `from_html`: `text` was made of `html`. Never empty unless `text` is."""
    folded = fold(text)
    if not html:
        return folded.visible
    tree = parse_html(html)
    cut = cut_quotes(tree) if tree is not None else Cut.NOTHING
    if cut is Cut.INLINE:
        return text if from_html else folded.visible
    if cut is Cut.NOTHING or not (from_html or folded.visible == text):
        return folded.visible
    remaining = tree_text(tree)
    if cut is Cut.ABOVE:
        remaining = _without_leading_header(remaining)
    return fold(remaining).visible if remaining.strip() else text if folded.inline or from_html else folded.visible


def fold(text: str) -> Folded:
    """The visible part of a plain text by its lines. Answers between quotes keep everything, an empty result too."""
    lines = text.split("\n")
    kept = _without_quotes(lines)
    if kept is None:
        return Folded(text, inline=True)
    visible = tidy("\n".join(without_signature(kept)))
    return Folded(visible) if visible else Folded(text)


def _without_quotes(lines: Sequence[str]) -> list[str] | None:
    """The lines above the quote, or below one that stands on top; None when answers stand between quotes."""
    for index in range(len(lines)):
        header = _header_at(lines, index)
        if header:
            return _around(lines, header)
    return _without_marked_end(lines)


def _header_at(lines: Sequence[str], index: int) -> QuoteHeader | None:
    header = quote_header_at(lines, index)
    if header:
        return header
    if is_loose_attribution(lines[index]) and _is_marked(_first_filled(lines[index + 1 : index + 3])):
        return QuoteHeader(index, index + 1)
    return None


def _around(lines: Sequence[str], header: QuoteHeader) -> list[str] | None:
    above, below = list(lines[: header.start]), list(lines[header.end :])
    if not _is_marked(_first_filled(below)):
        return above
    answers = _behind_first_quote(below)
    if not any(line.strip() for line in without_signature(answers)):
        return above
    on_top = not any(line.strip() for line in above)
    if on_top and not any(_is_marked(line) for line in answers):
        return answers
    return None


def _behind_first_quote(lines: Sequence[str]) -> list[str]:
    """What follows the first marked quote; its empty lines belong to it."""
    index = 0
    while index < len(lines) and (not lines[index].strip() or _is_marked(lines[index])):
        index += 1
    return list(lines[index:])


def _without_marked_end(lines: Sequence[str]) -> list[str] | None:
    """Lines without the marked quote at their end; None when text stands behind or between marked lines."""
    if not any(_is_marked(line) for line in lines):
        return list(lines)
    body = without_sent_from(without_signature(lines))
    end = len(body)
    while end and (not body[end - 1].strip() or _is_marked(body[end - 1])):
        end -= 1
    above = body[:end]
    if end == len(body) or any(_is_marked(line) for line in above):
        return None
    return above


def _without_leading_header(text: str) -> str:
    """The text without the header of a quote that stood on top of it."""
    lines = text.split("\n")
    for index in range(min(4, len(lines))):
        header = quote_header_at(lines, index)
        if header:
            return "\n".join(lines[header.end :])
    return text


def _is_marked(line: str) -> bool:
    return line.lstrip().startswith(">")


def _first_filled(lines: Sequence[str]) -> str:
    return next((line for line in lines if line.strip()), "")
