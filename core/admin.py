"""The base of every admin page: rights by role, each change in the audit trail, no count of a million rows."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin as UnfoldAdmin
from unfold.admin import TabularInline as UnfoldInline

from core import audit
from core.models import AuditEntry

__all__ = ["AuditedAdmin", "ReadOnlyAdmin", "UnfoldInline"]


class AuditedAdmin(UnfoldAdmin):  # type: ignore[misc]
    """A configurable object: every save and removal leaves an audit row with the changed fields (secrets left out)."""

    show_full_result_count = False
    list_per_page = 50
    secret_fields: tuple[str, ...] = ()

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        shown = {name: str(form.cleaned_data.get(name)) for name in form.changed_data if name not in self.secret_fields}
        hidden = {name: "***" for name in form.changed_data if name in self.secret_fields}
        action = "changed" if change else "added"
        self._record(request, f"{obj._meta.model_name}.{action}", obj, {**shown, **hidden})

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self._record(request, f"{obj._meta.model_name}.removed", obj, {"was": str(obj)})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> None:
        for obj in queryset:
            self._record(request, f"{obj._meta.model_name}.removed", obj, {"was": str(obj)})
        super().delete_queryset(request, queryset)

    @staticmethod
    def _record(request: HttpRequest, action: str, obj: models.Model, details: dict[str, str]) -> None:
        audit.record(
            action=action,
            by=request.user,  # type: ignore[arg-type]
            subject=obj,
            now=timezone.now(),
            details=details,
            address=request.META.get("REMOTE_ADDR") or None,
        )


class ReadOnlyAdmin(UnfoldAdmin):  # type: ignore[misc]
    """Facts that nobody edits."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "by", "subject", "address")
    list_filter = ("action",)
    search_fields = ("subject", "action")
    list_select_related = ("by",)
    date_hierarchy = None
