"""Reads of topics and tickets."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from core.refusal import Refusal
from core.statements import Prepared
from tickets.models import AnswerTemplate, Case, CaseStep, Topic
from tickets.services import topics
from worklist.models import Item
from worklist.states import Kind


def visible_cases(staff: Staff) -> "QuerySet[Case]":
    """Tickets the person may see: the same rule as the work list's."""
    return Case.objects.filter(pk__in=Item.objects.visible_to(staff).filter(kind=Kind.CASE).values("subject_id"))


def find_case(*, staff: Staff, case_id: int) -> Case:
    """One ticket with what its screen shows. Raises Refusal (404)."""
    if not Item.objects.visible_to(staff).filter(kind=Kind.CASE, subject_id=case_id).exists():
        raise Refusal("not_found", _("There is no such ticket, or you may not see it."), status=404)
    return Case.objects.select_related(
        "guest", "session__account", "topic", "group", "store", "owner", "opened_by", "policy__calendar", "closing"
    ).get(pk=case_id)


def list_steps(case: Case) -> Sequence[CaseStep]:
    return _STEPS.all(case=case.pk)


_SHOWN = ("case_id", "step", "at", "state", "details", "by__full_name", "group__name", "group__name_en", "owner__full_name")
_STEPS = Prepared(
    lambda case: CaseStep.objects.filter(case_id=case).select_related("by", "group", "owner").only(*_SHOWN).order_by("at", "id")
)


@dataclass(frozen=True)
class TopicChoice:
    """A leaf of the tree for a picker: its whole path as words."""

    id: int
    path: str
    store_required: bool


def list_topics() -> Sequence[TopicChoice]:
    """Leaves that can be chosen, with their paths, in the tree's order."""
    topics = list(Topic.objects.filter(is_active=True).order_by("position", "name", "pk"))
    by_id = {topic.pk: topic for topic in topics}
    parents = {topic.parent_id for topic in topics}
    return [
        TopicChoice(id=topic.pk, path=_path(topic, by_id), store_required=_inherited_flag(topic, by_id))
        for topic in topics
        if topic.pk not in parents
    ]


def _path(topic: Topic, by_id: dict[int, Topic]) -> str:
    names: list[str] = []
    above: Topic | None = topic
    while above is not None and len(names) < 10:
        names.append(above.shown_name)
        above = by_id.get(above.parent_id or 0)
    return " › ".join(reversed(names))


def _inherited_flag(topic: Topic, by_id: dict[int, Topic]) -> bool:
    above: Topic | None = topic
    for _level in range(10):
        if above is None:
            return False
        if above.store_required is not None:
            return above.store_required
        above = by_id.get(above.parent_id or 0)
    return False


def list_templates(topic_id: int | None) -> Sequence[AnswerTemplate]:
    """Ready answers: the topic's own first, then those of the topics above it, then the common ones."""
    branch = {pk: place for place, pk in enumerate(topics.line_of(topic_id))} if topic_id else {}
    found = AnswerTemplate.objects.filter(Q(topic_id__in=branch) | Q(topic__isnull=True))
    return sorted(found, key=lambda one: (branch.get(one.topic_id or 0, len(branch)), one.position, one.name))
