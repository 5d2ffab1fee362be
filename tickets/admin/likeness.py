"""Rules of duplicates, and what was found by them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, OneRowAdmin, ReadOnlyAdmin, in_lines
from tickets.admin.numbers import ByNumber
from tickets.belonging import in_words
from tickets.models import CaseLink, CommonWord, Likeness, LikenessPolicy, LikenessRule, SharedTopic
from tickets.services import topics


@admin.register(LikenessRule)
class LikenessRuleAdmin(AuditedAdmin):
    """How much each reason speaks for two tickets being one matter."""

    list_display = ("code", "points")
    ordering = ("-points",)


@admin.register(LikenessPolicy)
class LikenessPolicyAdmin(OneRowAdmin):
    """One row; without it the shipped numbers hold."""

    list_display = ("numbers", "least_score", "guest_days", "store_days", "undo_days")

    @admin.display(description=_("Numbers of duplicates"))
    def numbers(self, policy: LikenessPolicy) -> str:
        return str(policy)


@admin.register(CommonWord)
class CommonWordAdmin(AuditedAdmin):
    """Words that two tickets may share without being alike; they hold for tickets opened from now on."""

    list_display = ("word",)
    search_fields = ("word",)


@admin.register(SharedTopic)
class SharedTopicAdmin(AuditedAdmin):
    """Topics on which several guests tell of one matter."""

    list_display = ("topic",)
    list_select_related = ("topic",)
    autocomplete_fields = ("topic",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        topics.forget()


@admin.register(Likeness)
class LikenessAdmin(ByNumber, ReadOnlyAdmin):
    """What was offered, why, and what people made of it."""

    of_case = ("case", "other")
    view_right = Right.EVERYTHING
    list_display = ("found_at", "later", "earlier", "score", "state", "settled_by")
    list_filter = ("state",)
    list_select_related = ("case", "other", "settled_by")
    ordering = ("-found_at",)
    fields = ("found_at", "later", "earlier", "score", "why", "state", "settled_at", "settled_by")
    readonly_fields = fields

    @admin.display(description=_("later ticket"))
    def later(self, row: Likeness) -> str:
        return str(row.case)

    @admin.display(description=_("earlier ticket"))
    def earlier(self, row: Likeness) -> str:
        return str(row.other)

    @admin.display(description=_("reasons"))
    def why(self, row: Likeness) -> SafeString:
        return in_lines(in_words(row.reasons))


@admin.register(CaseLink)
class CaseLinkAdmin(ByNumber, ReadOnlyAdmin):
    """Which tickets were joined, linked and split, by whom, and what was undone."""

    of_case = ("case", "main")
    view_right = Right.EVERYTHING
    list_display = ("at", "case", "kind", "main", "by", "undone_at")
    list_filter = ("kind",)
    list_select_related = ("case", "main", "by")
    ordering = ("-at",)
    fields = ("at", "case", "kind", "main", "by", "undone_at", "undone_by")
    readonly_fields = fields
