"""What a guest's words mean at a step: pure. Word forms are met by their beginnings, which Russian leaves alone."""

import re
from collections.abc import Sequence

from bots.script import OTHER, Expects, Step, Way
from core.text import searchable

_WORD = re.compile(r"[^\W_]+")
_KEY = re.compile(r"^\s*(?:кнопка|цифра|пункт|номер)?\s*([0-9])\s*[.):]?\s*$", re.IGNORECASE)
OPERATOR_STEMS = ("оператор", "operator")
"""These always call a person, whatever a dialogue's data says."""
OPERATOR_KEY = "0"
_GREETING_WORDS = """
здравствуйте здравствуй здрасте привет приветствую добрый доброе доброго день дня вечер вечера утро утра подскажите скажите пожалуйста
hello hi good day please start
"""
_GREETINGS = frozenset(_GREETING_WORDS.split())
_CARD = re.compile(r"\d{6,32}")
_ORDER = re.compile(r"[A-Za-zА-Яа-я0-9][A-Za-zА-Яа-я0-9\-/]{1,39}")
LONGEST = 2000
"""Characters of a guest's words that are looked at."""


def tokens(text: str) -> list[str]:
    """The words of a text in one form."""
    return _WORD.findall(searchable(text[:LONGEST]))


def telling(text: str) -> list[str]:
    """The words of a text without those of a greeting."""
    return [word for word in tokens(text) if word not in _GREETINGS]


def begins(word: str, stem: str) -> bool:
    """Whether the word is a form of the stem; short stems must be the whole word."""
    return word == stem or (len(stem) >= 4 and word.startswith(stem))


def key_of(text: str) -> str:
    """The one digit that the guest has pressed or written; empty = other words."""
    found = _KEY.match(text[:40])
    return found[1] if found else ""


def wants_person(text: str, stems: Sequence[str]) -> bool:
    """Whether the guest calls for a person: key 0, or a word for one; `stems` are the dialogue's own words besides."""
    if key_of(text) == OPERATOR_KEY:
        return True
    words = tokens(text)
    return any(_met(words, stem) for stem in (*OPERATOR_STEMS, *stems))


def _met(words: Sequence[str], phrase: str) -> int:
    """How many words of the phrase are among the guest's, 0 unless all are."""
    stems = tokens(phrase)
    met = [stem for stem in stems if any(begins(word, stem) for word in words)]
    return len(met) if stems and len(met) == len(stems) else 0


def chosen(step: Step, text: str) -> Way | None:
    """The way that the words take from a menu: by key, by label, by the most words; else the one for everything else."""
    shown, key = step.choices, key_of(text)
    if key:
        return shown[int(key) - 1] if 0 < int(key) <= len(shown) else None
    plain = searchable(text[:LONGEST])
    exact = next((way for way in shown if searchable(way.label) == plain), None)
    if exact or not plain:
        return exact
    words = tokens(text)
    scored = [(max((_met(words, phrase) for phrase in way.words if phrase != OTHER), default=0), way) for way in step.ways]
    best = max(scored, key=lambda one: one[0], default=(0, None))
    return best[1] if best[0] else next((way for way in step.ways if OTHER in way.words), None)


def answered(expects: Expects, text: str) -> str:
    """The answer to a question in its own form; empty = it is none. A shared telephone is no text, so never one here."""
    if expects == Expects.CARD:
        found = _CARD.search(re.sub(r"[\s\-–—]", "", text[:LONGEST]))
        return found[0] if found else ""
    if expects == Expects.ORDER:
        numbers = [one for one in _ORDER.findall(text[:LONGEST]) if any(letter.isdigit() for letter in one)]
        return numbers[0] if numbers else ""
    if expects in (Expects.TEXT, Expects.STORE):
        return " ".join(text[:LONGEST].split())
    return ""
