"""Telephone numbers in one form."""

import phonenumbers


def international(number: str) -> str:
    """A number as messengers give it (international digits, with or without +) in E.164; empty if there is no such number."""
    try:
        parsed = phonenumbers.parse(f"+{number.lstrip('+')}")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else ""
