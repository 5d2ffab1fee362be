"""The order in which SLA policies are looked for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.admin import AuditedAdmin
from customers.models import Segment
from omni.channels.registry import ADAPTERS
from tickets.models import PolicyRule
from tickets.services import promising


class PolicyRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PolicyRule
        fields = "__all__"  # noqa: DJ007  the panel's own form shows every field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(adapter.kind, adapter.form.name) for adapter in ADAPTERS if not adapter.capabilities.notices_only]
        choices = [("", _("every channel")), *sorted(kinds, key=lambda one: str(one[1]))]
        self.fields["channel"] = forms.ChoiceField(label=_("channel"), required=False, choices=choices)
        self.fields["segment"] = forms.ChoiceField(label=_("segment of the guest"), required=False, choices=self._segments())

    def _segments(self) -> "list[tuple[str, Any]]":
        """Those there are; one that is gone stays with its rule until another is chosen."""
        there = [(segment.code, segment.shown_name) for segment in Segment.objects.order_by("position", "code")]
        own = self.instance.segment
        gone = [(own, own)] if own and own not in dict(there) else []
        return [("", _("every guest")), *there, *gone]


@admin.register(PolicyRule)
class PolicyRuleAdmin(AuditedAdmin):
    """The first rule that fits holds; without one the policy of the ticket's topic does."""

    form = PolicyRuleForm
    list_display = ("position", "name", "when", "policy", "is_active")
    list_display_links = ("name",)
    list_editable = ("position", "is_active")
    list_filter = ("is_active", "policy")
    list_select_related = ("topic", "chain", "region", "store", "group", "policy")
    search_fields = ("name",)
    ordering = ("position", "pk")
    autocomplete_fields = ("topic", "region", "store", "group", "policy")

    @admin.display(description=_("when"))
    def when(self, rule: PolicyRule) -> str:
        parts = [rule.topic, rule.channel, rule.chain, rule.region, rule.store, rule.group, rule.segment]
        named = [str(part) for part in parts if part]
        if rule.least_priority is not None:
            named.append(_t("priority from %(number)d") % {"number": rule.least_priority})
        return " · ".join(named) or _t("always")

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        promising.forget()

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        super().delete_model(request, obj)
        promising.forget()
