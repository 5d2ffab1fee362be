"""Topics as a tree, ready answers."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
from core.admin import AuditedAdmin, in_lines
from core.text import first_line
from escalation.models import MapLine
from sla.models import Policy
from tickets.models import AnswerTemplate, Detail, Topic
from tickets.models.details import Needs
from tickets.routing import Resolved, TopicCycle, TopicFacts, resolve
from tickets.services import topics


class Tree:
    """The topic tree with the names of groups and policies, read once per page."""

    def __init__(self) -> None:
        topics.forget()
        self.facts = topics.facts()

    @cached_property
    def groups(self) -> dict[int, str]:
        return {group.pk: str(group) for group in Group.objects.all()}

    @cached_property
    def policies(self) -> dict[int, str]:
        return {policy.pk: str(policy) for policy in Policy.objects.all()}

    @cached_property
    def lines(self) -> dict[int, str]:
        return {line.pk: str(line) for line in MapLine.objects.all()}

    def resolved(self, topic_id: int) -> Resolved | None:
        try:
            return resolve(topic_id, self.facts)
        except (TopicCycle, KeyError):
            return None

    def depth(self, topic_id: int) -> int:
        found = self.resolved(topic_id)
        return len(found.path) - 1 if found else 0

    def order(self) -> list[int]:
        """Ids with every topic below its parent, siblings in their own order."""
        below: dict[int | None, list[TopicFacts]] = {}
        for topic in self.facts.values():
            below.setdefault(topic.parent_id, []).append(topic)
        ordered: list[int] = []
        waiting = list(reversed(below.get(None, [])))
        while waiting:
            topic = waiting.pop()
            ordered.append(topic.id)
            waiting.extend(reversed(below.get(topic.id, [])))
        return ordered

    @cached_property
    def details(self) -> dict[str, str]:
        return {detail.code: str(detail) for detail in Detail.objects.all()}

    def told(self, found: Resolved, own: str) -> SafeString:
        """What holds for a topic and which topic said so, line by line; `own` is the topic's name."""
        values = (
            (_t("group"), self.groups.get(found.group_id or 0, "–"), "group_id"),
            (_t("SLA policy"), self.policies.get(found.policy_id or 0, "–"), "policy_id"),
            (_t("escalation line"), self.lines.get(found.line_id or 0, "–"), "line_id"),
            (_t("the store answers"), _yes_no(found.store_involved), "store_involved"),
            (_t("store must be named"), _yes_no(found.store_required), "store_required"),
            (_t("needs approval"), _yes_no(found.needs_approval), "needs_approval"),
            (_t("instruction"), found.instruction or "–", "instruction"),
        )
        pairs = [(name, with_source(value, own, found, field)) for name, value, field in values]
        asked = ", ".join(f"{self.details.get(rule.code, rule.code)} ({Needs(rule.need).label})" for rule in found.details) or "–"
        return in_lines([(_t("path"), " › ".join(found.path)), *pairs, (_t("details"), asked)])


def with_source(value: str, own: str, found: Resolved, field: str) -> str:
    """The value, with the topic that it is inherited from."""
    source = found.sources.get(field)
    return value if source in (None, own) else _t("%(value)s (from “%(topic)s”)") % {"value": value, "topic": source}


def _yes_no(value: bool) -> str:
    return _t("yes") if value else _t("no")


@admin.register(Topic)
class TopicAdmin(AuditedAdmin):
    """The published topics, only to be looked at: what changes is changed in a draft. Empty fields are inherited."""

    list_display = ("in_tree", "code", "effective_group", "effective_policy", "store_answers", "is_active")
    list_display_links = ("in_tree",)
    list_filter = ("is_active",)
    search_fields = ("name", "name_en", "code")
    autocomplete_fields = ("parent", "group", "policy", "line")
    list_per_page = 500
    list_before_template = "admin/tickets/version_list_buttons.html"
    readonly_fields = ("what_holds",)
    fieldsets = (
        (None, {"fields": ("name", "name_en", "code", "parent", "position", "is_active")}),
        (
            _("Own settings; empty = inherited"),
            {"fields": ("group", "policy", "line", "store_involved", "store_required", "needs_approval", "instruction")},
        ),
        (_("What holds, and where it comes from"), {"fields": ("what_holds",)}),
    )

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Topic]":
        place = models.Func(models.Value(Tree().order()), models.F("pk"), function="array_position", output_field=models.IntegerField())
        return Topic.objects.annotate(place=place).order_by("place")

    def get_ordering(self, request: HttpRequest) -> list[str]:
        # Only the list: forms that offer topics ask this too, over topics without a place.
        in_list = request.resolver_match is not None and request.resolver_match.url_name == "tickets_topic_changelist"
        return ["place"] if in_list else []

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        tree = Tree()
        for topic in changelist.result_list:
            topic.tree = tree
        return changelist

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    @admin.display(description=_("topic"))
    def in_tree(self, topic: Topic) -> SafeString:
        depth = min(tree_of(topic).depth(topic.pk), 5)
        return format_html('<span class="otk-depth-{}">{}</span>', depth, topic)

    @admin.display(description=_("group"))
    def effective_group(self, topic: Topic) -> str:
        tree, found = tree_of(topic), tree_of(topic).resolved(topic.pk)
        return with_source(tree.groups.get(found.group_id or 0, "–"), topic.name, found, "group_id") if found else "–"

    @admin.display(description=_("SLA policy"))
    def effective_policy(self, topic: Topic) -> str:
        tree, found = tree_of(topic), tree_of(topic).resolved(topic.pk)
        return with_source(tree.policies.get(found.policy_id or 0, "–"), topic.name, found, "policy_id") if found else "–"

    @admin.display(description=_("the store answers"), boolean=True)
    def store_answers(self, topic: Topic) -> bool:
        found = tree_of(topic).resolved(topic.pk)
        return bool(found and found.store_involved)

    @admin.display(description=_("what holds"))
    def what_holds(self, topic: Topic) -> SafeString | str:
        tree = Tree()
        found = tree.resolved(topic.pk) if topic.pk else None
        if found is None:
            return _t("Shown once the topic is saved.")
        return tree.told(found, topic.name)


def tree_of(topic: Topic) -> Tree:
    """The tree that the list has read once; a page of one topic reads its own."""
    tree: Tree = getattr(topic, "tree", None) or Tree()
    return tree


@admin.register(AnswerTemplate)
class AnswerTemplateAdmin(AuditedAdmin):
    list_display = ("name", "topic", "beginning", "position")
    list_select_related = ("topic",)
    search_fields = ("name", "text")
    autocomplete_fields = ("topic",)

    @admin.display(description=_("text"))
    def beginning(self, template: AnswerTemplate) -> str:
        return first_line(template.text, 80)
