"""Quotes in a mail's HTML, found by the structure mail programs give them."""

import re
from enum import Enum

import lxml.etree  # type: ignore[import-untyped]

from omni.channels.email.html import Element
from omni.channels.email.quote_headers import is_attribution
from omni.channels.email.signatures import without_signature

OWN_MARK = "otklik-message"
"""The class of our own messages' outermost element: what an answer still carries of it is a quote."""

_TO_THE_END = ("divRplyFwdMsg", "appendonsend", "stopSpelling", "mail-editor-reference-message-container", "OLK_SRC_BODY_SECTION")
_QUOTE_CLASSES = (
    "gmail_quote",
    "gmail_quote_container",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "moz-forward-container",
    OWN_MARK,
)
_NOTES = ("gmail_attr", "moz-cite-prefix", "gmail_signature")
_OUTLOOK_STYLE = re.compile(r"border:\s*none;\s*border-top:\s*solid", re.IGNORECASE)
_SENDER_FIELD = re.compile(r"\s*(?:от|from)\s*:", re.IGNORECASE)


class Cut(Enum):
    """What became of the quotes: none found, removed, removed from above the answer, or left because answers stand between."""

    NOTHING = "nothing"
    REMOVED = "removed"
    ABOVE = "above"
    INLINE = "inline"


def cut_quotes(tree: Element) -> Cut:
    """Remove the quotes from `tree` in place, unless answers stand between them."""
    tail = next((element for element in tree.iter() if _opens_tail(element)), None)
    if tail is not None:
        _remove_to_the_end(tail)
    quotes = _outermost_quotes(tree)
    if not quotes:
        return Cut.REMOVED if tail is not None else Cut.NOTHING
    where = _where_answers_stand(tree, quotes)
    if where is Cut.INLINE:
        return where
    for quote in quotes:
        quote.drop_tree()
    return where


def _opens_tail(element: Element) -> bool:
    """Whether everything from this element on is quoted (Outlook)."""
    if not isinstance(element.tag, str):
        return False
    if element.get("id", "").removeprefix("x_") in _TO_THE_END:
        return True
    styled = _OUTLOOK_STYLE.search(element.get("style", ""))
    return bool(styled) and _SENDER_FIELD.match("".join(element.itertext())[:300]) is not None


def _remove_to_the_end(element: Element) -> None:
    current = element
    while current is not None:
        parent = current.getparent()
        for following in list(current.itersiblings()):
            parent.remove(following)
        current.tail = None
        current = parent
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _outermost_quotes(tree: Element) -> list[Element]:
    """Quoting elements that stand in no other, in reading order."""
    quotes: list[Element] = []
    inside = 0
    said = ""
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        if event == "start":
            if inside or _is_quote(element, said):
                inside += 1
                quotes += [element] if inside == 1 else []
            said = _spoken(said, element.text)
        else:
            inside -= 1 if inside else 0
            said = _spoken(said, element.tail)
    return quotes


def _spoken(said: str, more: str | None) -> str:
    return f"{said} {more}"[-400:] if more and more.strip() else said


def _is_quote(element: Element, said: str) -> bool:
    """Whether an element quotes; a plain blockquote does when a quote's header was said right before it (Mail.ru, Yandex)."""
    classes = element.get("class", "").split()
    if any(name.removeprefix("x_") in _QUOTE_CLASSES for name in classes):
        return True
    if element.tag != "blockquote":
        return False
    return element.get("type", "").lower() == "cite" or _ends_with_header(said)


def _ends_with_header(said: str) -> bool:
    words = " ".join(said.split())
    if not words.endswith(":"):
        return False
    starts = [0, *(found.end() for found in re.finditer(r"[\s>]", words))]
    return any(is_attribution(words[start:]) for start in starts[-30:])


def _where_answers_stand(tree: Element, quotes: list[Element]) -> Cut:
    """Look for own words inside the quotes' containers and behind the first quote."""
    if any(_words_between(quote) for quote in quotes):
        return Cut.INLINE
    above, below = _words_around(tree, quotes)
    if not below:
        return Cut.REMOVED
    # A header is all that stands above a quote that is answered below.
    solid = [quote for quote in quotes if not _is_note(quote)]
    return Cut.ABOVE if len(solid) == 1 and (not above or is_attribution(above)) else Cut.INLINE


def _words_between(quote: Element) -> bool:
    """Own words inside a container between the blockquotes it holds (Gmail writes inline answers there)."""
    if quote.tag == "blockquote" or not any(True for _ in quote.iter("blockquote")) or OWN_MARK in quote.get("class", ""):
        return False
    words: list[str] = []
    seen = False
    inside = 0
    for event, element in lxml.etree.iterwalk(quote, events=("start", "end")):
        if event == "start":
            inside += 1 if inside or element.tag == "blockquote" or _is_note(element) else 0
            seen = seen or element.tag == "blockquote"
            words.append(element.text or "" if seen and not inside else "")
        else:
            inside -= 1 if inside else 0
            words.append(element.tail or "" if seen and not inside and element is not quote else "")
    return bool("".join(without_signature("".join(words).split("\n"))).strip())


def _is_note(element: Element) -> bool:
    return any(name.removeprefix("x_") in _NOTES for name in element.get("class", "").split())


def _words_around(tree: Element, quotes: list[Element]) -> tuple[str, str]:
    """The own words above the first quote and below it, without signature."""
    above: list[str] = []
    below: list[str] = []
    open_quotes = set(quotes)
    words, inside = above, False
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        if element in open_quotes:
            inside = event == "start"
            words = below if not _is_note(element) else words
        text = element.text if event == "start" else element.tail
        if text and text.strip() and not inside and element.tag not in ("style", "script", "title"):
            words.append(text.strip())
    return " ".join(above), "\n".join(without_signature(below)).strip()
