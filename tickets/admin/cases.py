"""Tickets to be looked at."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import ReadOnlyAdmin, in_lines
from stores.models import Store
from tickets import wording
from tickets.models import Case, CaseStep
from tickets.selectors import list_steps


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("number", "topic", "group", "state", "owner", "store", "opened_at", "closed_at")
    list_filter = ("group",)
    list_select_related = ("topic", "group", "owner", "store")
    search_fields = ("number",)
    search_help_text = _("Number of the ticket or of its store")
    ordering = ("-pk",)
    fields = (
        "number",
        "guest",
        "session",
        "topic",
        "policy",
        "group",
        "store",
        "owner",
        "state",
        "at_store",
        "summary",
        "opened_at",
        "opened_by",
        "first_answer_at",
        "closed_at",
        "cause",
        "way",
        "history",
    )
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Case]", search_term: str) -> Any:
        number = search_term.strip().lstrip("#№ ")
        if not number:
            return queryset, False
        stores = list(Store.objects.filter(number=number).values_list("pk", flat=True))
        return queryset.filter(Q(number=number) | Q(store__in=stores)), False

    @admin.display(description=_("why it came here"))
    def way(self, case: Case) -> str:
        return "; ".join([" › ".join(case.routing.get("path", [])), *wording.why_here(case.routing)])

    @admin.display(description=_("history"))
    def history(self, case: Case) -> SafeString:
        return in_lines((date_format(localtime(step.at), "SHORT_DATETIME_FORMAT"), _told(step)) for step in list_steps(case))


def _told(step: CaseStep) -> str:
    parts = (wording.step_name(step), wording.step_text(step), step.get_state_display(), str(step.group or ""), str(step.by or ""))
    return " · ".join(part for part in parts if part)
