"""What the watchman and the dry run found."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from core.admin import PeriodFilter, ReadOnlyAdmin, in_lines
from escalation.models import Alarm, DryRun, Hole, UnmappedHit
from sla import subjects


class RaisedFilter(PeriodFilter):
    field = "raised_at"


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """Where escalation itself does not do its work."""

    list_display = ("kind", "run", "since", "raised_at", "ended_at")
    list_filter = (RaisedFilter, "kind")
    list_select_related = ("run",)
    search_fields = ("run__subject",)
    search_help_text = _("Number of the ticket or of its store")
    ordering = ("-raised_at",)
    fields = ("kind", "run", "since", "raised_at", "ended_at")
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return (queryset.filter(run__subject__in=subjects.find(search_term)) if search_term.strip() else queryset), False


@admin.register(DryRun)
class DryRunAdmin(ReadOnlyAdmin):
    """Times in which a line would reach nobody."""

    list_display = ("date", "lines", "hole_count", "stale_lines", "days", "ran_at")
    ordering = ("-date",)
    fields = ("date", "ran_at", "days", "lines", "stale_lines", "hole_count", "holes_found")
    readonly_fields = fields

    @admin.display(description=_("holes"))
    def holes_found(self, run: DryRun) -> SafeString:
        holes = run.holes.select_related("line")[:500]
        return in_lines((_span(hole.starts_at, hole.ends_at), _told(hole)) for hole in holes)


def _span(starts: datetime, ends: datetime) -> str:
    return " – ".join(date_format(localtime(at), "SHORT_DATETIME_FORMAT") for at in (starts, ends))


def _told(hole: Hole) -> str:
    parts = (str(hole.line), hole.get_level_display() if hole.level else "", hole.get_kind_display(), hole.roles)
    return " · ".join(part for part in parts if part)


@admin.register(UnmappedHit)
class UnmappedHitAdmin(ReadOnlyAdmin):
    """What the maps lack: the most frequent first within a day."""

    list_display = ("key", "date", "hits")
    search_fields = ("key",)
    ordering = ("-date", "-hits")
    fields = ("key", "date", "hits")
    readonly_fields = fields
