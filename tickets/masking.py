"""A guest's words without what tells who the guest is: for whoever needs the matter and not the person. Pure."""

import re

_MAIL = re.compile(r"[^\s@<>\"'(),;]+@[^\s@<>\"'(),;]+\.[^\s@<>\"'(),;.]{2,}")
_NICKNAME = re.compile(r"(?<![\w.])@[A-Za-z0-9_]{4,}")
# Ten digits or more with what people put between them: telephones, cards.
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[\s().-]{0,3}\d){9,22}(?!\w)")
HIDDEN = "•••"


def without_contacts(text: str) -> str:
    """The text with mailboxes, nicknames and long numbers hidden. A valid bar code (EAN-13 in one piece) stays: the store needs it."""
    shorter = _NICKNAME.sub(HIDDEN, _MAIL.sub(HIDDEN, text))
    return _NUMBER.sub(lambda found: found[0] if is_bar_code(found[0]) else HIDDEN, shorter)


def is_bar_code(digits: str) -> bool:
    """Whether it is an EAN-13 with a right check digit (GS1 General Specifications, 7.9)."""
    if len(digits) != 13 or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
