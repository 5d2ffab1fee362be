"""Pure rules of the screen: the stage of an SLA clock, masked contacts, what a search may mean."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Shares of the promised time that are left when the clock's look changes.
WARN_BELOW = 0.5
URGENT_BELOW = 0.2
DAY = 86_400
# What a Russian keyboard types on the keys of a Latin one, and back.
_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_RUSSIAN = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_OTHER_LAYOUT = str.maketrans(_LATIN + _RUSSIAN, _RUSSIAN + _LATIN)


class Stage(StrEnum):
    """How urgent a clock looks; said by an icon and a word too, never by colour alone."""

    NONE = "none"
    CALM = "calm"
    WARN = "warn"
    URGENT = "urgent"
    OVER = "over"


@dataclass(frozen=True)
class ClockFace:
    """A clock at one instant: `seconds` left (negative = overdue), its stage, and its digits."""

    stage: Stage
    seconds: int
    digits: str


NO_CLOCK = ClockFace(Stage.NONE, 0, "")


def clock_face(due_at: datetime | None, target_seconds: int, now: datetime) -> ClockFace:
    """What a clock due at `due_at` shows at `now`; None = no promise runs. The client computes the same every second."""
    if due_at is None:
        return NO_CLOCK
    left = (due_at - now).total_seconds()
    seconds = int(left // 1)
    if left < 0:
        stage = Stage.OVER
    else:
        share = left / target_seconds if target_seconds else 1.0
        stage = Stage.URGENT if share <= URGENT_BELOW else Stage.WARN if share <= WARN_BELOW else Stage.CALM
    return ClockFace(stage, seconds, digits(seconds))


def digits(seconds: int) -> str:
    """mm:ss, h:mm:ss from an hour on; a minus sign when overdue."""
    sign, left = ("−", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(left, 3600)
    tail = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{sign}{hours}:{tail}" if hours else f"{sign}{tail}"


def masked_phone(phone: str) -> str:
    """Country code and the last two digits; the rest hidden: +7 ••• •••-••-12."""
    figures = re.sub(r"\D", "", phone)
    if not figures:
        return ""
    if len(figures) == 11 and figures.startswith("7"):
        return f"+7 ••• •••-••-{figures[-2:]}"
    return f"•••••{figures[-2:]}"


def masked_email(email: str) -> str:
    """The first letter and the domain: a•••@example.com."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}" if at else ""


def other_layout(text: str) -> str:
    """The same keys typed in the other layout (ghbdtn <-> привет), lower case."""
    return text.lower().translate(_OTHER_LAYOUT)


def phone_digits(text: str) -> str:
    """The significant figures of what looks like a telephone number, without the prefix 8 or +7; "" when it does not."""
    figures = re.sub(r"\D", "", text)
    if len(figures) < 5 or re.sub(r"[\d\s()+\-]", "", text):
        return ""
    return figures[1:] if len(figures) == 11 and figures[0] in "78" else figures
