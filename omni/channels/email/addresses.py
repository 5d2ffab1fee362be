"""Addresses of From, To, Cc and Reply-To: names with commas and quotes, groups, comments, raw 8-bit (RFC 5322 3.4, tolerant)."""

import re
from dataclasses import dataclass

from omni.channels.email.headers import header_text

_TOKEN = re.compile(rb'"(?:\\.|[^"\\])*"?|\((?:\\.|[^()\\]|\([^()]*\))*\)?|<[^<>]*>?|[,;:]|[^",;:<(]+', re.DOTALL)
# Bounded, and tried at the beginning of a word alone: one long word must not be looked at again from each of its letters.
_ADDRESS = re.compile(rb"(?<![^\s<>@\"(),;:])[^\s<>@\"(),;:]{1,320}@[^\s<>@\"(),;:]{1,320}")
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x20<>]")
_MOST = 2000


@dataclass(frozen=True)
class Address:
    """A display name (may be empty) and an address with lower-case domain."""

    name: str
    address: str


def parse_addresses(value: bytes) -> tuple[Address, ...]:
    """The addresses of an unfolded header value in their order, at most 2 000; what holds no address is left out."""
    found: list[Address] = []
    pending: list[bytes] = []
    for token in _TOKEN.findall(value):
        if token in (b",", b";"):
            _finish(pending, found)
            pending = []
        elif token == b":":
            pending = _after_group_name(pending)
        else:
            pending.append(token)
        if len(found) >= _MOST:
            return tuple(found)
    _finish(pending, found)
    return tuple(found)


def _after_group_name(pending: list[bytes]) -> list[bytes]:
    """`Group:` opens a group and its name is dropped; a colon behind an address is noise."""
    return pending if any(token.startswith(b"<") for token in pending) else []


def _finish(pending: list[bytes], found: list[Address]) -> None:
    address = _read(pending)
    if address:
        found.append(address)


def _read(tokens: list[bytes]) -> Address | None:
    bracketed = [token for token in tokens if token.startswith(b"<")]
    rest = [token for token in tokens if not token.startswith(b"<")]
    comments = [token.strip(b"()") for token in rest if token.startswith(b"(")]
    words = [token for token in rest if not token.startswith(b"(")]
    if bracketed:
        inside = bracketed[-1].strip(b"<>")
        return _address(inside, _name(words) or _name(comments)) if b"@" in inside else _bare(words, comments)
    return _bare(words, comments)


def _bare(words: list[bytes], comments: list[bytes]) -> Address | None:
    """An address without angle brackets; a quoted local part is kept whole."""
    joined = b"".join(words).strip()
    if re.fullmatch(rb'"[^"]+"@\S+', joined):
        return _address(joined, _name(comments))
    found = _ADDRESS.search(joined)
    if not found:
        return None
    rest = (joined[: found.start()] + b" " + joined[found.end() :]).strip(b" \t'\"")
    return _address(found.group(), _name([rest]) or _name(comments))


def _address(raw: bytes, name: str) -> Address | None:
    text = _NOT_IN_ADDRESS.sub("", header_text(raw)).removeprefix("mailto:").strip("'")
    local, at, domain = text.rpartition("@")
    if not (at and local and domain):
        return None
    # A name that only repeats the address tells nothing.
    return Address("" if name.lower() == text.lower() else name, f"{local}@{domain.lower().rstrip('.')}")


def _name(words: list[bytes]) -> str:
    parts = [re.sub(rb"\\(.)", rb"\1", word[1:].removesuffix(b'"')) if word.startswith(b'"') else word for word in words]
    return " ".join(header_text(b"".join(parts)).strip(" '\"").split())[:300]
