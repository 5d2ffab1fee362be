"""Topics and tickets."""

from tickets.models.approvals import Absence, Approval, ApprovalRule, ApprovalSeat
from tickets.models.cases import Case, CaseStep
from tickets.models.closing import ClosingCause
from tickets.models.details import Detail, TopicDetail
from tickets.models.incidents import BurstRule, Incident, IncidentCase, Scope, TopicHour
from tickets.models.letters import AskingSettings, CaseLetter, LetterText, StoreLink
from tickets.models.life import CallBack, CaseWait, ReopenRule, WaitReason, Watcher
from tickets.models.likeness import CasePrint, CommonWord, Likeness, LikenessPolicy, LikenessRule, SharedTopic
from tickets.models.links import CaseLink, JoinedWord
from tickets.models.mass import MassItem, MassJob
from tickets.models.promises import PolicyRule
from tickets.models.rules import GroupFallback, RouteRule, RouteTest, TreeStamp
from tickets.models.telling import GuestNotice, GuestText, Survey, SurveyRule
from tickets.models.topics import AnswerTemplate, Topic
from tickets.models.versions import EntryDetail, TopicEntry, TopicVersion

__all__ = [
    "Absence",
    "AnswerTemplate",
    "Approval",
    "ApprovalRule",
    "ApprovalSeat",
    "AskingSettings",
    "BurstRule",
    "CallBack",
    "Case",
    "CaseLetter",
    "CaseLink",
    "CasePrint",
    "CaseStep",
    "CaseWait",
    "ClosingCause",
    "CommonWord",
    "Detail",
    "EntryDetail",
    "GroupFallback",
    "GuestNotice",
    "GuestText",
    "Incident",
    "IncidentCase",
    "JoinedWord",
    "LetterText",
    "Likeness",
    "LikenessPolicy",
    "LikenessRule",
    "MassItem",
    "MassJob",
    "PolicyRule",
    "ReopenRule",
    "RouteRule",
    "RouteTest",
    "Scope",
    "SharedTopic",
    "StoreLink",
    "Survey",
    "SurveyRule",
    "Topic",
    "TopicDetail",
    "TopicEntry",
    "TopicHour",
    "TopicVersion",
    "TreeStamp",
    "WaitReason",
    "Watcher",
]
