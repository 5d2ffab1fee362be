"""Telephone numbers in one form."""

import re

import phonenumbers

from customers.rules import masked_phone


def international(number: str) -> str:
    """A number as messengers give it (international digits, with or without +) in E.164; empty if there is no such number."""
    try:
        parsed = phonenumbers.parse(f"+{number.lstrip('+')}")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else ""


_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[\s()-]{0,2}\d){9,14}(?!\w)")


def without_numbers(text: str) -> str:
    """The text with every telephone number in it masked: providers like to quote them in their errors."""
    return _NUMBER.sub(lambda found: masked_phone(found[0]), text)


def digits_of(number: str) -> str:
    """An E.164 number as providers take it: digits only; empty if it is none that can be called."""
    return international(number).removeprefix("+")
