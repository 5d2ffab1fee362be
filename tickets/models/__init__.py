"""Topics and tickets."""

from tickets.models.cases import Case, CaseStep
from tickets.models.promises import PolicyRule
from tickets.models.topics import AnswerTemplate, Topic

__all__ = ["AnswerTemplate", "Case", "CaseStep", "PolicyRule", "Topic"]
