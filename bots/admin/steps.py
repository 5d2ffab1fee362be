"""Steps of drafts."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from bots.models import Step, StepWay
from bots.skills.registry import SKILLS
from bots.states import VersionState
from core.admin import AuditedAdmin, Inline


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    skill = forms.ChoiceField(
        label=_("skill"),
        required=False,
        choices=[("", "–"), *((code, skill.name) for code, skill in SKILLS.items())],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Its outcomes are listed below the steps of the version."),
    )

    class Meta:
        model = Step
        fields = ("version", "code", "kind", "position", "text", "sound", "skill", "expects", "saves_as", "topic", "queue")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        version = cleaned.get("version") or getattr(self.instance, "version", None)
        if version is not None and not version.is_draft:
            raise ValidationError(_("Only a draft can be changed: make one from this version."))
        return cleaned


class WayInline(Inline):
    model = StepWay
    fields = ("position", "label", "words", "outcome", "to")


@admin.register(Step)
class StepAdmin(AuditedAdmin):
    form = StepForm
    list_display = ("code", "version", "kind", "position")
    list_filter = ("kind",)
    list_select_related = ("version__dialogue",)
    search_fields = ("code", "text")
    inlines = (WayInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("version",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "version":
            kwargs["queryset"] = db_field.related_model.objects.filter(state=VersionState.DRAFT).select_related("dialogue")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _open(obj) and super().has_delete_permission(request, obj)

    def response_add(self, request: HttpRequest, obj: Step, post_url_continue: str | None = None) -> HttpResponse:
        return _to_version(obj) if "_save" in request.POST else cast(HttpResponse, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: Step) -> HttpResponse:
        return _to_version(obj) if "_save" in request.POST else cast(HttpResponse, super().response_change(request, obj))


def _open(step: models.Model | None) -> bool:
    """Whether the step may be changed: what guests have met stays as it was."""
    return step is None or cast(Step, step).version.is_draft


def _to_version(step: Step) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:bots_version_change", args=[step.version_id]))
