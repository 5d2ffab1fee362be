"""Russian texts of guests and operators from a phrase grammar: words vary and inflect as they do in life. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.material import material, on_street

# So many different texts of a kind; a message is one or two of them with a name and figures of its own.
POOL = 5000


@dataclass(frozen=True)
class Pools:
    """Ready sentences by what they do in a conversation; `{name}` is left for the guest's name."""

    openings: Sequence[str]
    tails: Sequence[str]
    questions: Sequence[str]
    replies: Sequence[str]
    answers: Sequence[str]
    thanks: Sequence[str]


def pools(chance: random.Random, size: int = POOL) -> Pools:
    """Sentences made with this source of chance: the same source makes the same ones."""
    told: Mapping[str, Any] = material("grammar")
    streets = [on_street(street) for street in material("people")["streets"]]

    def made(kind: str, number: int) -> Sequence[str]:
        return [_sentence(chance, told, streets, kind) for _ in range(number)]

    return Pools(
        openings=[_opening(chance, told, text) for text in made("complaints", size)],
        tails=made("tails", size // 20),
        questions=made("questions", 50),
        replies=made("replies", size // 4),
        answers=made("answers", size // 2),
        thanks=made("thanks", 20),
    )


def _opening(chance: random.Random, told: Mapping[str, Any], text: str) -> str:
    greeting = chance.choice(told["greetings"])
    if chance.random() < 0.7 and not greeting.endswith(","):
        text = text[0].upper() + text[1:]
    return f"{greeting} {text}".strip()


def _sentence(chance: random.Random, told: Mapping[str, Any], streets: Sequence[str], kind: str) -> str:
    gender, nominative, genitive, accusative, instrumental = chance.choice(told["products"])
    figures = {
        "street": chance.choice(streets),
        "store": chance.randint(4200, 9999),
        "hour": chance.randint(8, 22),
        "minute": f"{chance.randint(0, 59):02d}",
        "number": chance.randint(2, 9),
        "sum": chance.randint(49, 4990),
        "points": chance.randint(20, 2000),
        "order": f"44{chance.randint(10, 99)}-{chance.randint(1000, 9999)}",
        "name": "{name}",
    }
    words = {"nom": nominative, "gen": genitive, "acc": accusative, "ins": instrumental, "fault": chance.choice(told["faults"])[gender]}
    places = {"place": chance.choice(told["places"]).format(**figures), "time": chance.choice(told["times"]).format(**figures)}
    return str(chance.choice(told[kind])).format(**figures, **words, **places)
