"""Telephone calls to be looked at, and who sits at which telephone."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin, in_lines, titled
from omni import telephony
from omni.models import Call, Extension


@admin.register(Extension)
class ExtensionAdmin(AuditedAdmin):
    list_display = ("number", "account", "staff")
    list_filter = (("account", titled(_("exchange"))),)
    list_select_related = ("account", "staff")
    search_fields = ("number", "staff__full_name", "staff__login")
    autocomplete_fields = ("account", "staff")


class StartedFilter(PeriodFilter):
    field = "started_at"


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    """Each call, and all that the exchange said of it."""

    view_right = Right.EVERYTHING
    list_display = ("began", "direction", "guest_number", "line", "state", "operator", "wait", "duration", "dialogue")
    list_filter = (StartedFilter, "state", ("account", titled(_("exchange"))))
    list_select_related = ("account", "operator")
    search_fields = ("guest_number", "call_key")
    search_help_text = _("The guest's number, or the call's key in the exchange")
    ordering = ("-started_at",)
    fields = (
        "account", "call_key", "dialogue", "direction", "state", "guest_number", "line", "queue", "extension", "operator",
        "started_at", "answered_at", "ended_at", "is_lost", "wait", "duration", "reason", "digits", "recording", "story",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Call]":
        # Without a dialogue it is the echo of a call between colleagues.
        found: models.QuerySet[Call] = super().get_queryset(request).filter(session__isnull=False)
        return found

    @admin.display(description=_("started"), ordering="started_at")
    def began(self, call: Call) -> Any:
        return call.started_at

    @admin.display(description=_("direction"))
    def direction(self, call: Call) -> str:
        return str(_("from the guest") if call.inbound else _("to the guest"))

    @admin.display(description=_("dialogue"))
    def dialogue(self, call: Call) -> int | None:
        return call.session_id

    @admin.display(description=_("what the exchange said"))
    def story(self, call: Call) -> SafeString:
        steps = sorted((telephony.from_json(kept) for kept in call.steps), key=lambda step: step.at)
        return in_lines(
            (f"{localtime(step.at):%H:%M:%S}", format_html("{} · {} {}", step.kind.value, step.extension or step.leg_key, step.reason))
            for step in steps
        )
