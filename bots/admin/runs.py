"""Talks of bots with guests."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from bots import summary
from bots.engine import Why
from bots.models import Run
from core.admin import PeriodFilter, ReadOnlyAdmin, in_lines


class BegunPeriod(PeriodFilter):
    field = "opened_at"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """What came of each talk, the newest first."""

    view_right = Right.EVERYTHING
    list_display = ("opened_at", "version", "account", "session", "state", "turns_done", "ended_at")
    list_filter = (BegunPeriod, "state")
    list_select_related = ("version__dialogue", "account", "session")
    ordering = ("-opened_at",)
    fields = ("version", "account", "session", "call_key", "opened_at", "state", "turns_done", "ended_at", "where", "skills")
    readonly_fields = fields

    @admin.display(description=_("what was chosen and found"))
    def where(self, run: Run) -> str:
        place = summary.place_from(run.place)
        return summary.described(run.version.dialogue.name, place, Why(place.why) if place.why in set(Why) else Why.SCRIPT)

    @admin.display(description=_("skills used"))
    def skills(self, run: Run) -> SafeString:
        found: Any = run.skill_uses.order_by("pk").values_list("skill", "outcome")
        return in_lines(found)
