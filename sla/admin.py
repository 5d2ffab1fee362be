"""Calendars and promises as rows that a supervisor edits."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import AuditedAdmin, Inline
from sla.models import Calendar, Holiday, Policy, WorkingInterval
from sla.services import clocks


class WorkingIntervalInline(Inline):
    model = WorkingInterval


class HolidayInline(Inline):
    model = Holiday


@admin.register(Calendar)
class CalendarAdmin(AuditedAdmin):
    list_display = ("name", "code", "time_zone", "week")
    search_fields = ("name", "code")
    inlines = (WorkingIntervalInline, HolidayInline)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Calendar]":
        found: models.QuerySet[Calendar] = super().get_queryset(request)
        return found.prefetch_related("intervals")

    @admin.display(description=_("working intervals"))
    def week(self, calendar: Calendar) -> str:
        return ", ".join(str(interval) for interval in calendar.intervals.all())

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        clocks.forget_hours()


@admin.register(Policy)
class PolicyAdmin(AuditedAdmin):
    list_display = ("name", "code", "calendar", "first_response_minutes", "next_response_minutes", "resolution_minutes")
    list_select_related = ("calendar",)
    search_fields = ("name", "code")
    autocomplete_fields = ("calendar",)
