"""The fact table, to be looked at: why is this ticket in the report with these figures."""

from django.contrib import admin

from accounts.rights import Right
from core.admin import PeriodFilter, ReadOnlyAdmin
from reports.models import CaseFact


class ClosedFilter(PeriodFilter):
    field = "closed_at"


@admin.register(CaseFact)
class CaseFactAdmin(ReadOnlyAdmin):
    view_right = Right.REPORTS
    list_display = ("number", "closed_at", "group", "topic", "channel", "first_answer_seconds", "resolution_seconds", "resolved_in_time")
    list_filter = (ClosedFilter, "group")
    list_select_related = ("group", "topic")
    ordering = ("-closed_at",)
    autocomplete_fields = ()
