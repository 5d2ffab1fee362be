"""Search text in one form: lower case, ё as е, so that lists and searches compare like with like."""

import re

_SPACES = re.compile(r"\s+")


def searchable(*parts: str | None) -> str:
    """The parts joined into one normalised string: lower case, ё -> е, single spaces, no NUL (PostgreSQL refuses it)."""
    joined = " ".join(part for part in parts if part)
    return _SPACES.sub(" ", joined.lower().replace("ё", "е").replace("\x00", " ")).strip()


def storable(text: str) -> str:
    """The text without what PostgreSQL's text type cannot hold: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def first_line(text: str, limit: int = 160) -> str:
    """The beginning of a text for a list row: one line, at most `limit` characters, an ellipsis where it was cut."""
    line = _SPACES.sub(" ", text).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
