"""HTML of mails: made safe for the operator's screen, and as text."""

import html as html_entities
import re
from dataclasses import dataclass
from typing import Any

import lxml.etree  # type: ignore[import-untyped]
import lxml.html  # type: ignore[import-untyped]
import nh3
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig

Element = Any
"""An lxml element; lxml ships no types."""

LARGEST = 2 * 1024 * 1024
MOST_LINKS = 5000
DEEPEST = 150
"""inscriptis walks recursively: a deeper tree is read by its text nodes alone."""
DEEPEST_SHOWN = 1000
"""Making deeper HTML safe takes time that grows with the square of the depth, and no mail program writes it."""
MOST_ATTRIBUTES = 1000
"""A tag with more of them loses them all: each is compared with all before it, by every parser there is."""
_TAG = re.compile(r"""<([a-zA-Z][^\s/>]*+)((?:"[^"]*+"|'[^']*+'|[^>])*+)""")
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+')""")
_INLINE_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_INLINE_IMAGE_BYTES = 64 * 1024
_LINK_SCHEMES = ("http:", "https:", "mailto:", "tel:", "cid:", "#")
_CONTENT_DROPPED = {"script", "style", "title", "noscript", "template", "textarea", "select", "object", "iframe", "svg", "math"}
_TAG_NAMES = (
    "a abbr b big blockquote br caption center code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i "
    "img ins li ol p pre q s small span strike strong sub sup table tbody td tfoot th thead tr tt u ul "
)
_TAGS = set(_TAG_NAMES.split())
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "title"},
    "a": {"href", "name"},
    "img": {"src", "data-remote-src", "alt", "width", "height"},
    "font": {"color", "size", "face"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "tr": {"valign", "bgcolor"},
    "ol": {"start", "type"},
}
_BLOCKS = {"p", "div", "br", "tr", "li", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "ul", "ol", "dt", "dd"}


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value of an attribute, None to drop it."""
    start = value.strip().lower()
    if tag == "img" and attribute == "src":
        small = len(value) < _INLINE_IMAGE_BYTES and _INLINE_IMAGE.fullmatch(value.strip())
        return value if start.startswith("cid:") or small else None
    if attribute in ("href", "data-remote-src"):
        return value if start.startswith(_LINK_SCHEMES) else None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_CONTENT_DROPPED - _TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_kept,
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


@dataclass(frozen=True)
class SafeHtml:
    """HTML for the screen, how many remote images were blocked, and why it is empty although there was HTML (else empty)."""

    html: str
    blocked_images: int = 0
    refused: str = ""


def safe_html(html: str) -> SafeHtml:
    """`html` without anything that runs, submits or loads from outside.

    `cid:` images stay; a remote image loses `src` and keeps its address in `data-remote-src`. Over 2 MB or 5 000 links it is refused.
    """
    if len(html) > LARGEST:
        return SafeHtml("", refused="HTML over 2 MB is kept as a file")
    html = lean(html)
    if len(re.findall(r"<a\s", html, re.IGNORECASE)) > MOST_LINKS:
        return SafeHtml("", refused="HTML with more than 5000 links is kept as a file")
    if html.count("<") > DEEPEST_SHOWN and (tree := parse_html(html)) is not None and _depth(tree) > DEEPEST_SHOWN:
        return SafeHtml("", refused="HTML nested too deep is kept as a file")
    marked, blocked = _REMOTE_IMAGE.subn(r"\1data-remote-src=", html)
    return SafeHtml(_CLEANER.clean(marked).strip(), blocked)


_REMOTE_IMAGE = re.compile(r"(<img\b[^<>]{0,2000}?\s)src\s*=(?=\s*[\"']?\s*(?:https?:)?//)", re.IGNORECASE)


def lean(html: str) -> str:
    """The HTML without the attributes of tags that have more than any mail program writes."""
    return _TAG.sub(_bearable, html)


def _bearable(tag: re.Match[str]) -> str:
    many = len(tag[2]) > 2 * MOST_ATTRIBUTES and _attributes(tag[2]) > MOST_ATTRIBUTES
    return f"<{tag[1]}" if many else tag[0]


def _attributes(inside: str) -> int:
    return len(re.findall(r"[^\s/]++", _QUOTED.sub(" ", inside)))


def parse_html(html: str) -> Element | None:
    """The tree of `html`, None when there is nothing in it. Takes anything, never raises."""
    html = lean(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", html[:LARGEST]))
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        return lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        return None


def tree_text(tree: Element) -> str:
    """A tree as text: tables and lists laid out, links shown once, no blanks at line ends, at most one empty line."""
    if _depth(tree) > DEEPEST:
        return tidy(_flat_text(tree))
    return tidy(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())


def html_to_text(html: str) -> str:
    """HTML as text; empty when it shows nothing. Never raises."""
    tree = parse_html(html)
    text = "" if tree is None else tree_text(tree)
    return text or _without_tags(html)


def _without_tags(html: str) -> str:
    """The last resort: libxml2 gives up on trees some thousand levels deep and drops their text."""
    html = html[:LARGEST]
    for begin, end in (("<!--", "-->"), *((rf"<{name}\b", rf"</{name}\s*>") for name in ("script", "style", "title"))):
        # Cut at the ends first: looking for an end from each beginning takes minutes where there are many and none is closed.
        *closed, rest = re.split(end, html, flags=re.IGNORECASE)
        html = " ".join([*(re.split(begin, piece, maxsplit=1, flags=re.IGNORECASE)[0] for piece in closed), rest])
    return tidy(html_entities.unescape(re.sub(r"<[^<>]*>?", " ", html)))


def tidy(text: str) -> str:
    """Text with line feeds and plain spaces only, no blanks at line ends, at most one empty line, none around."""
    text = text.replace("\xa0", " ").replace("\u200b", "").replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").strip()


def _depth(tree: Element) -> int:
    deepest = depth = 0
    for event, _ in lxml.etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _flat_text(tree: Element) -> str:
    """The text nodes in their order, a new line at every block."""
    pieces: list[str] = []
    hidden = ("script", "style", "title")
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        if event == "end":
            pieces.append(element.tail or "")
            continue
        pieces.append("\n" if element.tag in _BLOCKS else "")
        pieces.append("" if element.tag in hidden else element.text or "")
    return "".join(pieces)


def text_as_html(text: str) -> str:
    """Plain text as HTML paragraphs, escaped."""
    paragraphs = re.split(r"\n{2,}", text)
    return "".join(f"<p>{html_entities.escape(paragraph).replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
