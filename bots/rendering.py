"""What the machine says, in the form of a channel: buttons where it has some, numbered lines elsewhere, keys on a telephone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.engine import Said
from bots.words import OPERATOR_KEY
from omni.channels.keyboards import Keyboard, keyboard_for

LONGEST = 4000


@dataclass(frozen=True)
class Word:
    """One message. `choices` are shown as buttons."""

    text: str
    choices: tuple[str, ...] = ()
    asks_phone: bool = False


def in_chat(said: Sequence[Said], *, operator: str, keyboards: Sequence[Keyboard], limit: int | None, waits: bool) -> list[Word]:
    """The messages of a turn. `keyboards` = the channel's forms of buttons, `limit` = characters of a text, `waits` = for the answer."""
    made: list[Word] = []
    for place, one in enumerate(said):
        last = place == len(said) - 1 and waits
        labels = [*one.choices, operator] if last and operator else list(one.choices)
        fit = keyboard_for(keyboards, labels, one.text) is not None
        text = one.text if fit or not labels else "\n".join([one.text, "", *numbered(one.choices, operator if last else "")]).strip()
        *before, end = parts(text, limit or LONGEST)
        made += [Word(part) for part in before]
        made.append(Word(end, tuple(labels) if fit else (), one.asks_phone))
    return [word for word in made if word.text]


def numbered(choices: Sequence[str], operator: str) -> list[str]:
    """Lines to answer by a number; 0 calls a person."""
    lines = [f"{number}. {label}" for number, label in enumerate(choices, 1)]
    return [*lines, f"{OPERATOR_KEY}. {operator}"] if operator else lines


def parts(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters, cut between lines, else between words, else anywhere; nothing is lost but
    the spaces at the cuts."""
    found: list[str] = []
    left = text.strip()
    while len(left) > limit:
        head = left[:limit]
        cut = max(head.rfind("\n"), 0) or max(head.rfind(" "), 0) or limit
        found.append(left[:cut].rstrip())
        left = left[cut:].lstrip()
    return [*found, left]


def spoken(said: Said, *, operator: str, with_keys: bool) -> str:
    """The words as they are read aloud, the keys after them."""
    keys = [f"{label} — нажмите {number}." for number, label in enumerate(said.choices, 1)]
    if with_keys and operator:
        keys.append(f"{operator} — нажмите {OPERATOR_KEY}.")
    return " ".join(part for part in [said.text, *keys] if part).replace("\n", " ")
