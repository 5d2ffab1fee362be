"""The base of every admin page: rights by role, each change in the audit trail, no count of a million rows."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin as UnfoldAdmin
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.paginator import InfinitePaginator

from core import audit
from core.models import AuditEntry

__all__ = ["AuditedAdmin", "Inline", "ReadOnlyAdmin", "UnfoldInline", "address_of", "in_lines", "record", "titled"]

HIDDEN = "***"


def address_of(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


def record(request: HttpRequest, action: str, subject: models.Model | str, details: dict[str, Any]) -> None:
    """An audit row of a deed of the signed-in person; call inside the deed's transaction."""
    by: Any = request.user
    audit.record(action=action, by=by, subject=subject, now=timezone.now(), details=details, address=address_of(request))


def in_words(value: Any) -> str:
    """A field's value as it stands in the audit trail."""
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)


def in_lines(pairs: Iterable[tuple[object, object]]) -> SafeString:
    """Names and values one below the other, for a read-only field."""
    rows = [format_html("<dt>{}</dt><dd>{}</dd>", name, value) for name, value in pairs]
    return format_html('<dl class="otk-pairs">{}</dl>', SafeString("".join(rows)))


class Inline(UnfoldTabularInline):  # type: ignore[misc]
    """Rows of a part, edited together with the whole; every field tells its name to screen readers."""

    extra = 0

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = db_field.verbose_name
        return field


UnfoldInline = Inline


class AuditedAdmin(UnfoldAdmin):  # type: ignore[misc]
    """A configurable object: every save and removal leaves an audit row with the changed fields (secrets left out)."""

    show_full_result_count = False
    list_per_page = 50
    warn_unsaved_form = True
    secret_fields: tuple[str, ...] = ()

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(request, f"{obj._meta.model_name}.{'changed' if change else 'added'}", obj, self._changes(form))

    def _changes(self, form: "ModelForm[Any]") -> dict[str, str]:
        secret = self.secret_fields
        return {name: HIDDEN if name in secret else in_words(form.cleaned_data.get(name)) for name in form.changed_data}

    def save_formset(self, request: HttpRequest, form: "ModelForm[Any]", formset: "BaseInlineFormSet[Any, Any, Any]", change: bool) -> None:
        super().save_formset(request, form, formset, change)
        name = cast(type[models.Model], formset.model)._meta.model_name
        for added in formset.new_objects:
            record(request, f"{name}.added", form.instance, {"is": str(added)})
        for changed, fields in formset.changed_objects:
            record(request, f"{name}.changed", form.instance, {"is": str(changed), "fields": list(fields)})
        for removed in formset.deleted_objects:
            record(request, f"{name}.removed", form.instance, {"was": str(removed)})

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        record(request, f"{obj._meta.model_name}.removed", obj, {"was": str(obj)})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> None:
        for obj in queryset:
            record(request, f"{obj._meta.model_name}.removed", obj, {"was": str(obj)})
        super().delete_queryset(request, queryset)


class OneRowAdmin(AuditedAdmin):
    """Settings in one row: it is added where there is none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Asked of every model for the menu of every page: only on its own pages is the row looked for."""
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        match = request.resolver_match
        is_here = match is not None and str(match.url_name).startswith(own)
        return is_here and super().has_add_permission(request) and not self.model._default_manager.exists()


class ReadOnlyAdmin(UnfoldAdmin):  # type: ignore[misc]
    """Facts that nobody edits; the table may hold millions, so nothing is counted. `view_right` = who may look, beside the admin right."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    view_right = ""

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        person: Any = request.user
        return super().has_view_permission(request, obj) and (not self.view_right or person.has_right(self.view_right))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class PeriodFilter(admin.SimpleListFilter):
    """Narrows a list to the last hour, day, week or month of an indexed time; subclasses name the field."""

    title = _("time")
    parameter_name = "time"
    field = ""
    hours = (("1", _("last hour"), 1), ("24", _("last day"), 24), ("168", _("last week"), 168), ("720", _("last 30 days"), 720))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, name) for code, name, _hours in self.hours]

    def queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        chosen = next((hours for code, _name, hours in self.hours if code == self.value()), None)
        if chosen is None:
            return queryset
        return queryset.filter(**{f"{self.field}__gte": timezone.now() - timedelta(hours=chosen)})


def titled(title: Any) -> type[admin.RelatedFieldListFilter]:
    """The usual filter by a related object under a title of ours, where the column's own name is not for people."""

    class Titled(admin.RelatedFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = title

    return Titled


class AuditPeriod(PeriodFilter):
    field = "at"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what; found by the beginning of the subject (`case:4711`)."""

    list_display = ("at", "action", "by", "subject", "address")
    list_filter = (AuditPeriod,)
    search_fields = ("subject__startswith",)
    search_help_text = _("Kind and number of the object, for example case:4711")
    list_select_related = ("by",)
    ordering = ("-at",)
    fields = ("at", "action", "by", "subject", "address", "what")
    readonly_fields = fields

    @admin.display(description=_("details"))
    def what(self, entry: AuditEntry) -> SafeString:
        return in_lines((name, in_words(value)) for name, value in entry.details.items())
