"""Bursts, incidents and mass jobs."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, ReadOnlyAdmin, in_lines
from tickets import mass_reading
from tickets.models import BurstRule, Incident, MassJob


@admin.register(BurstRule)
class BurstRuleAdmin(AuditedAdmin):
    """When like tickets are too many for their place."""

    list_display = ("scope", "branch", "is_on", "minutes", "at_least", "times", "weeks", "priority")
    list_select_related = ("branch",)
    autocomplete_fields = ("branch",)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Drafted, confirmed, rejected: all incidents. They are decided about at the desk."""

    view_right = Right.EVERYTHING
    list_display = ("number", "branch", "place", "state", "seen", "usual", "made_at", "confirmed_by")
    list_filter = ("state", "scope")
    search_fields = ("number__exact", "main__number__exact", "store__number__exact")
    search_help_text = _("Number of the incident, of its ticket or of its store")
    list_select_related = ("branch", "store", "region", "confirmed_by")
    ordering = ("-made_at",)
    fields = (
        "number", "state", "branch", "place", "group", "main", "priority", "seen", "usual", "since", "made_at", "confirmed_at",
        "confirmed_by", "ended_at", "ended_by", "closing_job",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("place"))
    def place(self, incident: Incident) -> str:
        return str(incident.store or incident.region or "–")


@admin.register(MassJob)
class MassJobAdmin(ReadOnlyAdmin):
    """Who did what to how many tickets. Jobs are made and stopped at the desk."""

    view_right = Right.EVERYTHING
    list_display = ("made_at", "title", "kind", "state", "total", "done", "refused", "left_out", "made_by")
    list_display_links = ("title",)
    list_filter = ("kind", "state")
    search_fields = ("title", "made_by__full_name")
    search_help_text = _("Words of the job, or who made it")
    list_select_related = ("made_by",)
    ordering = ("-made_at",)
    fields = (
        "title", "kind", "text", "state", "total", "done", "refused", "left_out", "made_at", "made_by", "started_at", "ended_at",
        "by_channel", "by_reason",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("by channel"))
    def by_channel(self, job: MassJob) -> SafeString:
        return in_lines(mass_reading.summary(job)[0].items())

    @admin.display(description=_("why not"))
    def by_reason(self, job: MassJob) -> SafeString:
        return in_lines(mass_reading.summary(job)[1].items())
