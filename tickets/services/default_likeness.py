"""Shipped rules of duplicates and bursts."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tickets.models import BurstRule, CommonWord, LikenessRule, SharedTopic, Topic

_FILE = Path(__file__).resolve().parent.parent / "data" / "duplicates.json"
Facts = Mapping[str, Any]


def ship(add: Callable[[str, Callable[[Facts], object], Facts], None]) -> None:
    """Offer each shipped row to `add(kind, make, facts)`, which makes it once in the life of a base."""
    shipped = json.loads(_FILE.read_text("utf-8"))
    for facts in shipped["rules"]:
        add("likeness_rule", _add_rule, facts)
    for code in shipped["shared_topics"]:
        add("shared_topic", _add_shared, {"code": code})
    for facts in shipped["bursts"]:
        add("burst_rule", _add_burst_rule, facts)
    for word in shipped["common_words"]:
        add("common_word", _add_word, {"code": word})


def _add_rule(facts: Facts) -> None:
    LikenessRule.objects.get_or_create(code=facts["code"], defaults=facts)


def _add_shared(facts: Facts) -> None:
    """A topic that a supervisor removed is not there to be shared."""
    topic = Topic.objects.filter(code=facts["code"]).first()
    if topic is not None:
        SharedTopic.objects.get_or_create(topic=topic)


def _add_burst_rule(facts: Facts) -> None:
    fields = {name: value for name, value in facts.items() if name not in {"code", "scope"}}
    BurstRule.objects.get_or_create(scope=facts["scope"], branch=None, defaults=fields)


def _add_word(facts: Facts) -> None:
    CommonWord.objects.get_or_create(word=facts["code"])
