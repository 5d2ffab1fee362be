"""Topics and tickets."""

from tickets.models.cases import Case, CaseStep
from tickets.models.closing import ClosingCause
from tickets.models.details import Detail, TopicDetail
from tickets.models.life import CallBack, CaseWait, ReopenRule, WaitReason, Watcher
from tickets.models.rules import GroupFallback, RouteRule, RouteTest, TreeStamp
from tickets.models.topics import AnswerTemplate, Topic
from tickets.models.versions import EntryDetail, TopicEntry, TopicVersion

__all__ = [
    "AnswerTemplate",
    "CallBack",
    "Case",
    "CaseStep",
    "CaseWait",
    "ClosingCause",
    "Detail",
    "EntryDetail",
    "GroupFallback",
    "ReopenRule",
    "RouteRule",
    "RouteTest",
    "Topic",
    "TopicDetail",
    "TopicEntry",
    "TopicVersion",
    "TreeStamp",
    "WaitReason",
    "Watcher",
]
