"""The skills there are. A new one = its module and its line here."""

from collections.abc import Collection, Mapping

from bots.skills.contract import Skill
from bots.skills.knowledge import KNOWLEDGE
from bots.skills.loyalty import CARD, POINTS
from bots.skills.orders import ORDERS
from bots.skills.stores import STORES

SKILLS: Mapping[str, Skill] = {skill.code: skill for skill in (CARD, POINTS, ORDERS, STORES, KNOWLEDGE)}


def outcomes() -> Mapping[str, Collection[str]]:
    """The outcomes of each skill that have to lead somewhere; one that fails altogether is left to a person."""
    return {code: tuple(skill.outcomes) for code, skill in SKILLS.items()}
