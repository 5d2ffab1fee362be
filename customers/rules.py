"""Contacts as those see them who may not see them: pure."""

HIDDEN = "•"


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
