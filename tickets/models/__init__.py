"""Topics and tickets."""

from tickets.models.cases import Case, CaseStep
from tickets.models.likeness import CasePrint, CommonWord, Likeness, LikenessPolicy, LikenessRule, SharedTopic
from tickets.models.promises import PolicyRule
from tickets.models.topics import AnswerTemplate, Topic

__all__ = [
    "AnswerTemplate",
    "Case",
    "CasePrint",
    "CaseStep",
    "CommonWord",
    "Likeness",
    "LikenessPolicy",
    "LikenessRule",
    "PolicyRule",
    "SharedTopic",
    "Topic",
]
