"""Topics and tickets."""

from tickets.models.cases import Case, CaseStep
from tickets.models.incidents import BurstRule, Incident, IncidentCase, Scope, TopicHour
from tickets.models.likeness import CasePrint, CommonWord, Likeness, LikenessPolicy, LikenessRule, SharedTopic
from tickets.models.links import CaseLink, JoinedWord
from tickets.models.mass import MassItem, MassJob
from tickets.models.promises import PolicyRule
from tickets.models.topics import AnswerTemplate, Topic

__all__ = [
    "AnswerTemplate",
    "BurstRule",
    "Case",
    "CaseLink",
    "CasePrint",
    "CaseStep",
    "CommonWord",
    "Incident",
    "IncidentCase",
    "JoinedWord",
    "Likeness",
    "LikenessPolicy",
    "LikenessRule",
    "MassItem",
    "MassJob",
    "PolicyRule",
    "Scope",
    "SharedTopic",
    "Topic",
    "TopicHour",
]
