"""Calendars and promises as rows that a supervisor edits."""

from django.contrib import admin

from core.admin import AuditedAdmin, UnfoldInline
from sla.models import Calendar, Holiday, Policy, WorkingInterval


class WorkingIntervalInline(UnfoldInline):  # type: ignore[misc]
    model = WorkingInterval
    extra = 0


class HolidayInline(UnfoldInline):  # type: ignore[misc]
    model = Holiday
    extra = 0


@admin.register(Calendar)
class CalendarAdmin(AuditedAdmin):
    list_display = ("name", "code", "time_zone")
    inlines = (WorkingIntervalInline, HolidayInline)


@admin.register(Policy)
class PolicyAdmin(AuditedAdmin):
    list_display = ("name", "code", "calendar", "first_response_minutes", "next_response_minutes", "resolution_minutes")
    list_select_related = ("calendar",)
