"""Pure rules about guests: contacts as those see them who may not see them, spans of time."""

import calendar
from datetime import datetime

HIDDEN = "•"


def months_before(now: datetime, months: int) -> datetime:
    """The same day so many months ago, or the last day of that month where it has no such day."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))


def masked(text: str, *, begin: int = 1, end: int = 1) -> str:
    """The text with its middle hidden; the length stays. Too short a text is hidden altogether."""
    if len(text) <= begin + end:
        return HIDDEN * len(text)
    return text[:begin] + HIDDEN * (len(text) - begin - end) + text[len(text) - end :]


def masked_phone(phone: str) -> str:
    """`+79161234567` as `+7•••••••67`."""
    return masked(phone, begin=2, end=2)


def masked_email(email: str) -> str:
    """`anna@example.com` as `a••a@example.com`: the domain says nothing of the person."""
    name, at, domain = email.rpartition("@")
    return f"{masked(name)}{at}{domain}" if at else masked(email)
