"""What happens to tickets in time: reasons to wait, calls, causes of closing, reopening."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, ReadOnlyAdmin
from core.text import first_line
from tickets.admin.numbers import ByNumber
from tickets.models import CallBack, ClosingCause, ReopenRule, WaitReason


@admin.register(WaitReason)
class WaitReasonAdmin(AuditedAdmin):
    list_display = ("name", "state", "remind_after", "close_after", "closing", "calendar", "is_active")
    list_filter = ("state", "is_active")
    list_select_related = ("closing", "calendar")
    search_fields = ("name", "name_en", "code")
    autocomplete_fields = ("calendar", "closing")


@admin.register(ClosingCause)
class ClosingCauseAdmin(AuditedAdmin):
    list_display = ("name", "kind", "topic", "needs_note", "position", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("topic",)
    search_fields = ("name", "name_en", "code")
    autocomplete_fields = ("topic",)


@admin.register(ReopenRule)
class ReopenRuleAdmin(AuditedAdmin):
    list_display = ("branch", "days", "later", "until_days")
    list_select_related = ("topic",)
    autocomplete_fields = ("topic",)

    @admin.display(description=_("topic"))
    def branch(self, rule: ReopenRule) -> str:
        return str(rule.topic or _("all others"))


@admin.register(CallBack)
class CallBackAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("at", "case", "state", "subject", "made_by", "told", "ended_at")
    list_filter = ("state",)
    list_select_related = ("case", "made_by")
    ordering = ("-at",)
    fields = ("case", "at", "state", "note", "outcome", "made_by", "made_at", "told", "next_at", "ended_by", "ended_at")
    readonly_fields = fields

    @admin.display(description=_("note"))
    def subject(self, call: CallBack) -> str:
        return first_line(call.note, 80)
