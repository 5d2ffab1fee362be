"""Approvals of what is done to tickets: rules, absences, and what was decided."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, ReadOnlyAdmin, in_lines
from tickets.admin.numbers import ByNumber
from tickets.models import Absence, Approval, ApprovalRule


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(AuditedAdmin):
    list_display = ("name", "deed", "topic", "role", "group", "quorum", "hours", "is_active")
    list_filter = ("deed", "is_active")
    list_select_related = ("topic", "role", "group")
    search_fields = ("name", "code")
    autocomplete_fields = ("topic", "role", "group", "people", "then_role", "then_group")
    ordering = ("name",)


@admin.register(Absence)
class AbsenceAdmin(AuditedAdmin):
    list_display = ("staff", "substitute", "since", "until")
    list_select_related = ("staff", "substitute")
    autocomplete_fields = ("staff", "substitute")
    ordering = ("-until", "pk")


@admin.register(Approval)
class ApprovalAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("case", "rule", "state", "asked_by", "asked_at", "deadline_at", "decided_at")
    list_filter = ("state", "rule")
    list_select_related = ("case", "rule", "asked_by")
    ordering = ("-pk",)
    fields = (
        "case", "rule", "question", "asked_by", "asked_at", "state", "round", "deadline_at", "next_at", "reminders", "decided_at",
        "decisions", "page",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("decisions"))
    def decisions(self, approval: Approval) -> SafeString:
        seats = approval.seats.select_related("staff", "by").order_by("pk")
        return in_lines((seat.staff, f"{seat.get_decision_display() or '–'} {seat.by or ''} {seat.reason}") for seat in seats)

    @admin.display(description=_("page"))
    def page(self, approval: Approval) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("approval", args=[approval.pk]), _("Decide"))
