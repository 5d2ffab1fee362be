"""Escalation maps: edited, read as a page, taken away as PDF or spreadsheet."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminPasswordWidget

from core.admin import AuditedAdmin, Inline
from core.refusal import Refusal
from escalation.documents import describe
from escalation.models import DutyRole, EscalationMap, EscalationSettings, Hook, MapLine, MapStep
from escalation.services import dry_run, limits
from escalation.states import PERSONAL_CHOICES


def channels_field(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=PERSONAL_CHOICES, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text=help_text
    )


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    channels = channels_field(_("Channels"), _("For steps that name none."))

    class Meta:
        model = EscalationSettings
        fields = (
            "reaction_minutes", "deal_minutes", "remind_minutes", "lapse_minutes", "near_minutes", "gap_seconds", "late_seconds",
            "overdue_seconds", "unsent_minutes", "review_days", "review_again_days", "dry_run_days", "channels",
        )  # fmt: skip


@admin.register(EscalationSettings)
class EscalationSettingsAdmin(AuditedAdmin):
    """One row; what runs already keeps the numbers it was started with."""

    form = SettingsForm
    list_display = ("reaction_minutes", "deal_minutes", "remind_minutes", "lapse_minutes", "near_minutes")

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[EscalationSettings]":
        limits.current()
        return EscalationSettings.objects.all()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(DutyRole)
class DutyRoleAdmin(AuditedAdmin):
    list_display = ("name", "code", "schedule", "group", "staff", "lead")
    list_select_related = ("schedule", "group", "staff", "lead")
    search_fields = ("name", "name_en", "code")
    autocomplete_fields = ("schedule", "group", "staff", "lead")


class HookForm(forms.ModelForm):  # type: ignore[type-arg]
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Signs each call; written and never shown. Empty = as it is."),
    )

    class Meta:
        model = Hook
        fields = ("name", "url", "is_active")

    def save(self, commit: bool = True) -> Hook:
        if self.cleaned_data.get("secret"):
            self.instance.set_secret(self.cleaned_data["secret"])
        saved: Hook = super().save(commit)
        return saved


@admin.register(Hook)
class HookAdmin(AuditedAdmin):
    form = HookForm
    list_display = ("name", "url", "is_active")
    search_fields = ("name", "url")
    secret_fields = ("secret",)
    fields = ("name", "url", "is_active", "secret")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Somebody who only looks has no field to write a secret into.
        return self.fields if self.has_change_permission(request, obj) else self.fields[:-1]


class LineInline(Inline):
    model = MapLine
    fields = ("position", "code", "name", "severity", "is_active")
    show_change_link = True


@admin.register(EscalationMap)
class EscalationMapAdmin(AuditedAdmin):
    """The readable page, PDF and spreadsheet are behind the buttons."""

    list_display = ("name", "owner", "reviewed_on", "up_to_date", "line_count", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("owner",)
    search_fields = ("name", "code")
    autocomplete_fields = ("owner",)
    inlines = (LineInline,)
    change_form_outer_before_template = "admin/escalation/map_buttons.html"

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[EscalationMap]":
        found: models.QuerySet[EscalationMap] = super().get_queryset(request)
        return found.annotate(number=Count("lines"))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        self.numbers = limits.current()
        return super().get_changelist_instance(request)

    @admin.display(description=_("lines"))
    def line_count(self, of: EscalationMap) -> int:
        return int(getattr(of, "number", 0))

    @admin.display(description=_("up to date"), boolean=True)
    def up_to_date(self, of: EscalationMap) -> bool:
        return not dry_run.is_stale(of, self.numbers, today=timezone.localdate())

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:map_id>/read/", self._guarded(self.read), name="escalation_escalationmap_read"),
            path("<int:map_id>/pdf/", self._guarded(self.as_pdf), name="escalation_escalationmap_pdf"),
            path("<int:map_id>/xlsx/", self._guarded(self.as_xlsx), name="escalation_escalationmap_xlsx"),
        ]
        return [*own, *super().get_urls()]

    def _guarded(self, view: Any) -> Any:
        return self.admin_site.admin_view(require_safe(view))

    def _page(self, request: HttpRequest, map_id: int) -> describe.MapPage:
        found = get_object_or_404(EscalationMap, pk=map_id)
        if not self.has_view_permission(request, found):
            raise Refusal("not_allowed", _("Your role does not allow this."), status=403)
        return describe.describe(found, now=timezone.now())

    def read(self, request: HttpRequest, map_id: int) -> HttpResponse:
        """The map in words, with who is on duty now."""
        page = self._page(request, map_id)
        context = {**self.admin_site.each_context(request), "page": page, "title": page.name, "map_id": map_id}
        return TemplateResponse(request, "admin/escalation/map_page.html", context)

    def as_pdf(self, request: HttpRequest, map_id: int) -> HttpResponse:
        from escalation.documents import pdf  # noqa: PLC0415  what draws takes 40 MB: only a process that is asked for it has it

        return _file(pdf.document(self._page(request, map_id)), "application/pdf", f"escalation-{map_id}.pdf")

    def as_xlsx(self, request: HttpRequest, map_id: int) -> HttpResponse:
        from escalation.documents import xlsx  # noqa: PLC0415  as above

        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _file(xlsx.workbook(self._page(request, map_id)), kind, f"escalation-{map_id}.xlsx")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    channels = channels_field(_("Channels"))

    class Meta:
        model = MapStep
        fields = ("level", "position", "kind", "role", "schedule", "group", "hook", "calendar", "minutes", "times", "channels", "message")


class StepInline(Inline):
    model = MapStep
    form = StepForm
    autocomplete_fields = ("role", "schedule", "group", "hook", "calendar")


@admin.register(MapLine)
class MapLineAdmin(AuditedAdmin):
    list_display = ("code", "name", "map", "severity", "reaction_minutes", "deal_minutes", "is_active")
    list_filter = ("map", "severity", "is_active")
    list_select_related = ("map",)
    search_fields = ("code", "name")
    autocomplete_fields = ("map", "calendar")
    inlines = (StepInline,)

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        line: Any = form.instance
        if not line.steps.exists():
            messages.warning(request, _t("This line has no steps yet: it cannot start."))
