"""The silence alarm: its thresholds, and what it has noticed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin
from omni.models import Silence, SilenceRule


@admin.register(SilenceRule)
class SilenceRuleAdmin(AuditedAdmin):
    """The row without an account holds for all that have none of their own."""

    list_display = ("whose", "is_on", "least_minutes", "least_expected", "least_share", "weeks")
    list_select_related = ("account",)
    list_filter = ("is_on",)

    @admin.display(description=_("account"))
    def whose(self, rule: SilenceRule) -> str:
        return str(rule)


class SilencePeriod(PeriodFilter):
    field = "noticed_at"


@admin.register(Silence)
class SilenceAdmin(ReadOnlyAdmin):
    view_right = Right.JOURNAL
    list_display = ("account", "since", "noticed_at", "expected", "seen", "ended_at")
    list_filter = (SilencePeriod, "account")
    list_select_related = ("account",)
    ordering = ("-noticed_at",)
    fields = ("account", "since", "noticed_at", "expected", "seen", "ended_at", "told_at")
    readonly_fields = fields
