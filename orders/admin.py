"""Orders to look at, what their statuses mean, and how a guest is told."""

from django.contrib import admin

from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin, UnfoldInline
from orders.models import Order, OrderLine, StateWords, StatusRule


class PlacedPeriod(PeriodFilter):
    field = "placed_at"


class LineInline(UnfoldInline):
    model = OrderLine
    can_delete = False
    readonly_fields = ("name", "quantity", "price")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Found by the beginning of the number."""

    view_right = Right.PERSONAL
    list_display = ("number", "source", "state", "raw_status", "store", "total", "placed_at", "changed_at")
    list_filter = (PlacedPeriod, "state", "source")
    list_select_related = ("store",)
    search_fields = ("number__startswith",)
    ordering = ("-placed_at",)
    inlines = (LineInline,)


@admin.register(StatusRule)
class StatusRuleAdmin(AuditedAdmin):
    list_display = ("raw_status", "source", "state")
    list_filter = ("source", "state")
    search_fields = ("raw_status",)


@admin.register(StateWords)
class StateWordsAdmin(AuditedAdmin):
    list_display = ("state", "words")
    search_fields = ("words",)
