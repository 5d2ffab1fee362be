"""Rules of routing with their examples, and stand-ins of groups."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.admin import AuditedAdmin, UnfoldInline
from tickets.models import GroupFallback, RouteRule, RouteTest, Topic
from tickets.rules import RuleFacts
from tickets.services import examples, kept, routebook


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RouteRule
        fields = (
            "position", "name", "is_active", "topic", "region", "cluster", "chain", "store", "channel", "priority_from", "since", "until",
            "groups", "person", "to_store", "shares",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """A rule leads somewhere; its groups are kept for the examples, which are asked before anything is saved."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        groups = list(given.get("groups") or [])
        if not groups and not given.get("person") and given.get("to_store") is None:
            raise ValidationError(_("Say where the ticket goes: a group, a person, or the store."))
        if off := [str(group) for group in groups if not group.is_active]:
            raise ValidationError({"groups": _("Not in use any more: %(groups)s") % {"groups": ", ".join(off)}})
        self.instance.chosen_groups = [group.pk for group in groups]
        return given


class ExampleFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The rule's own examples and those of all other rules, under the rules as they would be."""

    def clean(self) -> None:
        """Refuses what makes an example red."""
        super().clean()
        if any(self.errors) or not hasattr(self.instance, "chosen_groups"):
            return
        found = examples.red(rules=self._rules(), tests=[*self._others(), *self._own()])
        if found:
            raise ValidationError([str(red) for red in found])

    def _rules(self) -> list[RuleFacts]:
        rule: Any = self.instance
        others = [other for other in routebook.read_rules() if other.id != rule.pk]
        own = [routebook.facts_of(rule, rule.chosen_groups)] if rule.is_active else []
        # A new rule comes after its equals.
        return sorted([*others, *own], key=lambda one: (one.position, one.id is None, one.id or 0))

    def _others(self) -> list[RouteTest]:
        found = RouteTest.objects.select_related("store", "group", "policy")
        # A new rule has none of its own; "without a rule" is no name for them.
        return list(found.exclude(rule=self.instance.pk) if self.instance.pk else found)

    def _own(self) -> list[RouteTest]:
        found: list[Any] = [form.instance for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        return found


class ExampleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RouteTest
        fields = ("name", "topic_code", "store", "channel", "priority", "at", "group", "policy", "to_store")

    def clean_topic_code(self) -> str:
        """A code of the published tree."""
        code: str = self.cleaned_data["topic_code"]
        if not Topic.objects.filter(code=code).exists():
            raise ValidationError(_("There is no such topic."))
        return code


class ExampleInline(UnfoldInline):
    model = RouteTest
    form = ExampleForm
    formset = ExampleFormSet
    autocomplete_fields = ("store", "group", "policy")


@admin.register(RouteRule)
class RouteRuleAdmin(AuditedAdmin):
    """The first rule that fits decides. Saving asks all examples; a red one refuses it."""

    form = RuleForm
    list_display = ("position", "name", "goes_to", "topic", "region", "cluster", "chain", "channel", "is_active")
    list_display_links = ("name",)
    list_filter = ("is_active",)
    list_select_related = ("topic", "region", "cluster", "chain", "person")
    search_fields = ("name",)
    autocomplete_fields = ("topic", "region", "cluster", "chain", "store", "groups", "person")
    inlines = (ExampleInline,)
    ordering = ("position", "pk")

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[RouteRule]":
        found: models.QuerySet[RouteRule] = super().get_queryset(request)
        return found.prefetch_related("groups")

    @admin.display(description=_("goes to"))
    def goes_to(self, rule: RouteRule) -> str:
        """Its groups as they are today: one may have been switched off or deleted since the rule was saved."""
        named = [str(group) if group.is_active else _t("%(group)s (not in use any more)") % {"group": group} for group in rule.groups.all()]
        person = [str(rule.person)] if rule.person else []
        return ", ".join(named + person) if named else ", ".join([_t("the group of the topic"), *person])

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not form.instance.groups.exists():
            messages.warning(request, _t("The rule names no group: its tickets go to the group of their topic."))
        _rules_changed()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        super().delete_model(request, obj)
        self._after_removal(request)

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> None:
        super().delete_queryset(request, queryset)
        self._after_removal(request)

    def _after_removal(self, request: HttpRequest) -> None:
        _rules_changed()
        for red in examples.red():
            messages.warning(request, str(red))


@admin.register(GroupFallback)
class GroupFallbackAdmin(AuditedAdmin):
    list_display = ("whose", "to")
    list_select_related = ("group", "to")
    autocomplete_fields = ("group", "to")

    @admin.display(description=_("group"))
    def whose(self, row: GroupFallback) -> str:
        return str(row.group or _t("tickets without a group"))

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        _rules_changed()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        super().delete_model(request, obj)
        _rules_changed()


def _rules_changed() -> None:
    kept.changed()
    routebook.forget()
