"""Topics and tickets."""

from tickets.models.cases import Case, CaseStep
from tickets.models.closing import ClosingCause
from tickets.models.details import Detail, TopicDetail
from tickets.models.letters import AskingSettings, CaseLetter, LetterText, StoreLink
from tickets.models.life import CallBack, CaseWait, ReopenRule, WaitReason, Watcher
from tickets.models.likeness import CasePrint, CommonWord, Likeness, LikenessPolicy, LikenessRule, SharedTopic
from tickets.models.promises import PolicyRule
from tickets.models.rules import GroupFallback, RouteRule, RouteTest, TreeStamp
from tickets.models.topics import AnswerTemplate, Topic
from tickets.models.versions import EntryDetail, TopicEntry, TopicVersion

__all__ = [
    "AnswerTemplate",
    "AskingSettings",
    "CallBack",
    "Case",
    "CaseLetter",
    "CasePrint",
    "CaseStep",
    "CaseWait",
    "ClosingCause",
    "CommonWord",
    "Detail",
    "EntryDetail",
    "GroupFallback",
    "LetterText",
    "Likeness",
    "LikenessPolicy",
    "LikenessRule",
    "PolicyRule",
    "ReopenRule",
    "RouteRule",
    "RouteTest",
    "SharedTopic",
    "StoreLink",
    "Topic",
    "TopicDetail",
    "TopicEntry",
    "TopicVersion",
    "TreeStamp",
    "WaitReason",
    "Watcher",
]
