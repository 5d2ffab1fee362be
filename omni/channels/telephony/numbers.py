"""Numbers as exchanges write them: with eight, with seven, inside a SIP address, withheld, or a colleague's extension."""

import re

import phonenumbers

LONGEST_EXTENSION = 6
WITHHELD = frozenset(
    {"", "anonymous", "unknown", "<unknown>", "restricted", "private", "unavailable", "withheld", "none", "null", "s", "266696687"}
)
"""What exchanges write when the caller's number is not shown; 266696687 spells ANONYMOUS on a telephone's keys."""
_SIP = re.compile(r"^<?(?:sips?|tel):(?://)?([^@;>?]*)", re.IGNORECASE)


def e164(written: str, region: str = "RU") -> str:
    """The number in E.164. A number that no country has stays as its digits; empty when it is withheld. `region` reads national ones."""
    number = bare(written)
    if number.lstrip("+").lower() in WITHHELD:
        return ""
    digits = re.sub(r"\D", "", number)
    # International digits without a plus are what most exchanges write, so they are tried after the national reading.
    for text, home in ((number, region), (f"+{digits}", None)):
        if found := _valid(text, home):
            return found
    return digits[:40]


def bare(written: str) -> str:
    """The user part of a SIP or tel address, else the text itself, without spaces around."""
    inside = _SIP.match(written.strip())
    return (inside[1] if inside else written).strip()


def _valid(text: str, region: str | None) -> str:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else ""


def is_extension(written: str, longest: int = LONGEST_EXTENSION) -> bool:
    """Whether it is a telephone inside the exchange: a few digits, no plus."""
    number = bare(written)
    return number.isascii() and number.isdecimal() and 2 <= len(number) <= longest
