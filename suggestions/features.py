"""A text as numbers: which pieces of words it holds. Pure; the same for training and for suggesting."""

import re
import zlib
from collections.abc import Iterator, Sequence

# Pieces share this many columns by their checksum: no list of words is kept, and a new word needs no new model.
COLUMNS = 2**16
SHORTEST, LONGEST = 3, 5
_WORD = re.compile(r"[a-zа-я0]+")
_DIGITS = re.compile(r"\d+")


def words(text: str) -> Sequence[str]:
    """Words in lower case, ё as е; every number is "0": sums, dates and telephones say nothing of the topic."""
    return _WORD.findall(_DIGITS.sub("0", text.lower().replace("ё", "е")))


def pieces(text: str) -> Iterator[str]:
    """Runs of 3 to 5 letters inside words, ends marked by a space: endings and slips of the keys change only a few of them."""
    for word in words(text):
        padded = f" {word} "
        for length in range(SHORTEST, LONGEST + 1):
            for at in range(len(padded) - length + 1):
                yield padded[at : at + length]


def columns(text: str) -> Sequence[int]:
    """The columns of the text's pieces, each once, in order; empty for a text without words."""
    return sorted({zlib.crc32(piece.encode()) % COLUMNS for piece in pieces(text)})
