"""What guests are told of their tickets, and the marks that they give."""

from django.contrib import admin

from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin
from tickets.admin.numbers import ByNumber
from tickets.models import GuestNotice, GuestText, Survey, SurveyRule


@admin.register(GuestText)
class GuestTextAdmin(AuditedAdmin):
    list_display = ("status", "title", "topic", "chain", "language", "falls_back", "is_active")
    list_filter = ("status", "language", "is_active")
    list_select_related = ("topic", "chain")
    autocomplete_fields = ("topic", "chain")
    ordering = ("status", "pk")


@admin.register(SurveyRule)
class SurveyRuleAdmin(AuditedAdmin):
    list_display = ("name", "topic", "delay_minutes", "low_mark", "on_low", "is_active")
    list_select_related = ("topic",)
    autocomplete_fields = ("topic",)
    ordering = ("name", "pk")


class ToldPeriod(PeriodFilter):
    field = "created_at"


class MarkPeriod(PeriodFilter):
    field = "asked_at"


@admin.register(GuestNotice)
class GuestNoticeAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("case", "status", "state", "way", "why_not", "created_at", "told_at")
    list_filter = (ToldPeriod, "status", "state", "why_not")
    list_select_related = ("case",)
    ordering = ("-pk",)
    fields = ("case", "status", "wording", "state", "way", "why_not", "next_at", "notice", "created_at", "told_at")
    readonly_fields = fields


@admin.register(Survey)
class SurveyAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("case", "rule", "state", "way", "mark", "comment", "asked_at", "marked_at", "why_not")
    list_filter = (MarkPeriod, "state", "mark")
    list_select_related = ("case", "rule")
    ordering = ("-pk",)
    fields = ("case", "rule", "state", "way", "why_not", "next_at", "expires_at", "asked_at", "mark", "marked_at", "comment")
    readonly_fields = fields
