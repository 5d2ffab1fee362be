"""Calendars and policies, changed with a look at what the change does to the clocks that run."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.admin import AuditedAdmin, Inline, ReadOnlyAdmin
from sla.admin.previews import PreviewedAdmin
from sla.models import Calendar, Holiday, Policy, TermsChange, WorkingInterval
from sla.rules import overlapping
from sla.services import clocks


class WeekFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """A week with working time whose intervals do not overlap."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if not kept:
            raise ValidationError(_t("Without working time no promise would ever be due. Please give at least one working interval."))
        days: dict[int, list[Any]] = {}
        for interval in kept:
            days.setdefault(interval["weekday"], []).append((interval["starts"], interval["ends"]))
        for day, spans in days.items():
            if overlapping(spans):
                name = WorkingInterval.Weekday(day).label
                raise ValidationError(_t("%(day)s: the intervals overlap, so working time would count twice.") % {"day": name})


class WorkingIntervalInline(Inline):
    model = WorkingInterval
    formset = WeekFormSet


class HolidayInline(Inline):
    model = Holiday


@admin.register(Calendar)
class CalendarAdmin(PreviewedAdmin, AuditedAdmin):
    list_display = ("name", "code", "time_zone", "week")
    search_fields = ("name", "code")
    inlines = (WorkingIntervalInline, HolidayInline)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Calendar]":
        found: models.QuerySet[Calendar] = super().get_queryset(request)
        return found.filter(frozen_of=None).prefetch_related("intervals")

    @admin.display(description=_("working intervals"))
    def week(self, calendar: Calendar) -> str:
        return ", ".join(str(interval) for interval in calendar.intervals.all())

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        clocks.forget_hours()


@admin.register(Policy)
class PolicyAdmin(PreviewedAdmin, AuditedAdmin):
    list_display = ("name", "code", "calendar", "first_response_minutes", "next_response_minutes", "resolution_minutes", "in_store_zone")
    list_select_related = ("calendar",)
    search_fields = ("name", "code")
    autocomplete_fields = ("calendar",)


@admin.register(TermsChange)
class TermsChangeAdmin(ReadOnlyAdmin):
    """Changes that were applied to clocks that ran, and how far they are."""

    list_display = ("made_at", "what", "by", "state", "looked_at", "changed", "failed", "done_at")
    list_select_related = ("policy", "calendar", "by")
    ordering = ("-pk",)
    fields = ("made_at", "policy", "calendar", "by", "state", "looked_at", "changed", "failed", "done_at")
    readonly_fields = fields

    @admin.display(description=_("policy or calendar"))
    def what(self, change: TermsChange) -> str:
        return str(change)
