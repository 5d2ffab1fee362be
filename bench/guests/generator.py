"""Labelled messages of guests: the same for the same seed, one topic each, with what real messages have besides their matter.

The grammar is `phrases.txt` (matters by topic) and `common.txt` (greetings, places, complaints of any topic, words for the slots).
A phrase never holds a word of its own topic's name, and the whole grammar shares no phrase with the demo: tests keep both.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
# Of eight phrases of a topic two are kept away from training.
UNSEEN_OF_TOPIC = 2
_SAID: Mapping[str, Sequence[str]] = {
    "сейчас": ("щас", "ща"),
    "сегодня": ("седня", "сёдня"),
    "вообще": ("ваще", "вобще"),
    "пожалуйста": ("плиз", "пож", "пожалуста"),
    "спасибо": ("спс", "спасибки"),
    "что": ("чё", "шо", "что"),
    "почему": ("почему", "чего это", "пачему"),
    "ничего": ("ничё", "ничего"),
    "нормально": ("норм",),
    "человек": ("чел", "человек"),
    "магазине": ("магазе", "магазине"),
    "рублей": ("руб", "р", "рублей"),
    "килограмм": ("кг", "кило"),
    "здравствуйте": ("здрасте", "здраствуйте", "здравствуйте"),
    "телефон": ("тел", "мобила"),
    "который": ("каторый", "который"),
    "хотя": ("хотя", "хоть"),
    "когда": ("када", "когда"),
    "сказали": ("сказали", "грят"),
}
_NEIGHBOURS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")


@dataclass(frozen=True)
class Labelled:
    """A message and the code of its topic."""

    text: str
    topic: str


@dataclass(frozen=True)
class Grammar:
    """Phrases by topic; parts that say nothing of the topic; words for the slots."""

    phrases: Mapping[str, Sequence[str]]
    parts: Mapping[str, Sequence[str]]


@cache
def grammar() -> Grammar:
    return Grammar(_blocks("phrases"), _blocks("common"))


def _blocks(name: str) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    block: list[str] = []
    for line in (_HERE / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            block = found.setdefault(line[2:].removeprefix("slot "), [])
        elif line:
            block.append(line)
    return found


def messages(number: int, *, seed: int, unseen: bool = False) -> Iterator[Labelled]:
    """`number` messages, topics in turn, so that each has as many as any other (one more for the first).

    `unseen` = made of the phrases that messages without it never use: what a model has not met in training.
    """
    chance = random.Random(f"{seed} {unseen}")
    topics = list(grammar().phrases)
    for position in range(number):
        topic = topics[position % len(topics)]
        yield Labelled(_message(topic, chance, unseen=unseen), topic)


def phrases_of(topic: str, *, unseen: bool) -> Sequence[str]:
    """The topic's phrases of one part of the split, which is the same for every seed."""
    phrases = list(grammar().phrases[topic])
    random.Random(topic).shuffle(phrases)
    return phrases[:UNSEEN_OF_TOPIC] if unseen else phrases[UNSEEN_OF_TOPIC:]


def _message(topic: str, chance: random.Random, *, unseen: bool) -> str:
    parts = grammar().parts
    matter = chance.choice(phrases_of(topic, unseen=unseen))
    if chance.random() < 0.2:
        matter = f"{chance.choice(parts['filler'])} {matter}"
    said = [matter]
    if chance.random() < 0.45:
        said.insert(chance.randrange(2), chance.choice(parts["where"]))
    if chance.random() < 0.5:
        said.append(chance.choice(parts["more"]))
    if chance.random() < 0.12:
        other = chance.choice([code for code in grammar().phrases if code != topic])
        said.append(f"{chance.choice(parts['link'])} {chance.choice(phrases_of(other, unseen=unseen))}")
    if chance.random() < 0.45:
        said.insert(0, chance.choice(parts["hello"]))
    return written(_filled(_joined(said, chance), chance), chance)


def _joined(said: Sequence[str], chance: random.Random) -> str:
    sign = chance.choice((", ", ". ", ". ", "! ", " ", "\n"))
    return sign.join(said) + chance.choice(("", "", ".", "!", "!!", "...", "?", " (((", "))"))


def _filled(text: str, chance: random.Random) -> str:
    text = _ALTERNATIVES.sub(lambda found: chance.choice(found.group(1).split("|")), text)
    return _SLOT.sub(lambda found: chance.choice(grammar().parts[found.group(1)]), text)


def written(text: str, chance: random.Random) -> str:
    """As a hurried hand types it: colloquial words, slips, capitals or none."""
    words = [_slipped(_as_said(word, chance), chance) for word in text.split(" ")]
    text, style = " ".join(words), chance.random()
    if style < 0.35:
        return text.lower()
    return text.upper() if style > 0.97 else text[:1].upper() + text[1:]


def _as_said(word: str, chance: random.Random) -> str:
    choices = _SAID.get(word.lower())
    return chance.choice(choices) if choices and chance.random() < 0.5 else word


def _slipped(word: str, chance: random.Random) -> str:
    if len(word) < 4 or chance.random() > 0.06:
        return word
    at = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    if kind == 2:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + _beside(word[at], chance) + word[at + 1 :]


def _beside(letter: str, chance: random.Random) -> str:
    """A letter whose key lies beside."""
    for row in _NEIGHBOURS:
        if (at := row.find(letter)) >= 0:
            return chance.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return letter
