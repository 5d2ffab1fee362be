"""The labelled set is honest: no topic gives itself away, nothing comes from the demo, training and measuring do not meet."""

import json
import re
from itertools import chain

import pytest

from bench import topics
from bench.guests.generator import UNSEEN_OF_TOPIC, grammar, messages, phrases_of

# Words that carry no matter.
SMALL = {
    "и",
    "в",
    "на",
    "не",
    "из",
    "от",
    "по",
    "к",
    "у",
    "за",
    "для",
    "всё",
    "с",
    "все",
    "или",
    "ли",
    "до",
    "моя",
    "мои",
    "мой",
    "то",
    "кто",
    "что",
    "нет",
    "после",
    "чем",
    "он",
    "без",
    "через",
    "другой",
}
NAMES = {leaf["code"]: leaf["name"] for branch in json.loads(topics.TREE.read_text("utf-8")) for leaf in branch["children"]}
DEMO = [topics.ROOT / "demo" / "data" / f"{name}.json" for name in ("grammar", "stories")]


def words(text):
    return re.findall(r"[а-я]+", re.sub(r"\{\w+\}", " ", text.lower().replace("ё", "е")))


def roots(text):
    """The first five letters of each word that carries a matter: endings do not hide a word."""
    return {word[:5] for word in words(text) if len(word) > 2 and word not in SMALL}


def runs(text, length=4):
    said = words(text)
    return {tuple(said[at : at + length]) for at in range(len(said) - length + 1)}


def test_every_topic_of_the_shipped_tree_has_eight_phrases():
    assert grammar().phrases.keys() == NAMES.keys()
    assert len(NAMES) == topics.TOPICS
    assert {len(phrases) for phrases in grammar().phrases.values()} == {8}


@pytest.mark.parametrize("topic", sorted(NAMES))
def test_a_phrase_holds_no_word_of_its_topics_name(topic):
    assert not [phrase for phrase in grammar().phrases[topic] if roots(phrase) & roots(NAMES[topic])]


def test_nothing_is_said_as_in_the_demo():
    demo = set().union(*(runs(path.read_text("utf-8")) for path in DEMO))
    ours = chain(*grammar().phrases.values(), *grammar().parts.values())
    assert not [phrase for phrase in ours if runs(phrase) & demo]


def test_phrases_that_only_measure_never_train():
    for topic in NAMES:
        apart, used = set(phrases_of(topic, unseen=True)), set(phrases_of(topic, unseen=False))
        assert len(apart) == UNSEEN_OF_TOPIC
        assert not apart & used


def test_the_same_seed_makes_the_same_messages_another_one_others():
    one = list(messages(168, seed=1))
    assert one == list(messages(168, seed=1))
    assert len({m.text for m in one} & {m.text for m in messages(168, seed=2)}) < 5
    assert {m.topic for m in one} == set(NAMES)
    assert not [m.text for m in one if re.search(r"[\[\]{}|]", m.text)]
