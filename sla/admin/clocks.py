"""Clocks that run or ran, each with its story."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, in_lines
from sla import subjects
from sla.ledger import Span
from sla.models import Clock
from sla.services import stories


@admin.register(Clock)
class ClockAdmin(ReadOnlyAdmin):
    """Promises that run or ran, each with the whole story of its intervals."""

    list_display = ("whose", "metric", "cycle", "policy", "started_at", "due_at", "paused_at", "ended_at", "met")
    list_filter = ("metric", "policy")
    list_select_related = ("policy",)
    search_fields = ("subject",)
    search_help_text = _("Number of the ticket, of its store or of the dialogue")
    ordering = ("-pk",)
    fields = ("whose", "subject", "metric", "cycle", "policy", "started_at", "due_at", "breached_at", "ended_at", "met", "lived")
    readonly_fields = fields

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        names = subjects.names_of([clock.subject for clock in changelist.result_list])
        for clock in changelist.result_list:
            clock.whose_name = names[clock.subject]
        return changelist

    @admin.display(description=_("whose"), ordering="subject")
    def whose(self, clock: Clock) -> str:
        known: str | None = getattr(clock, "whose_name", None)
        return known or subjects.names_of([clock.subject])[clock.subject]

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Clock]", search_term: str) -> Any:
        return (queryset.filter(subject__in=subjects.find(search_term)) if search_term.strip() else queryset), False

    @admin.display(description=_("its intervals"))
    def lived(self, clock: Clock) -> SafeString:
        whole = stories.told(Clock.objects.filter(pk=clock.pk)).get()
        return in_lines((_span_time(span), _span_words(span)) for span in stories.story(whole, now=timezone.now()).spans)


def _span_time(span: Span) -> str:
    since, until = (date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") for at in (span.since, span.until))
    return f"{since} – {until}"


def _span_words(span: Span) -> str:
    if not span.is_running:
        return _t("stood: %(reason)s") % {"reason": span.reason}
    minutes = {"worked": round(span.worked / 60), "target": round(span.terms.seconds / 60), "policy": span.terms.name}
    return _t("ran %(worked)d min of working time; promised %(target)d min by “%(policy)s”") % minutes
