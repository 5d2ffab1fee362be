"""The settings of distribution: skills and who needs them, limits of channels, kinds of break, reasons to decline."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin import AuditedAdmin, Inline
from omni.channels.registry import ADAPTERS
from omni.models import BreakKind, ChannelLimit, DeclineReason, Skill, SkillNeed, StaffSkill


def channel_choices(*, empty: bool) -> list[tuple[str, Any]]:
    """Channels by their names; `empty` = with a line for all of them."""
    found = sorted(((adapter.kind, adapter.form.name) for adapter in ADAPTERS), key=lambda one: str(one[1]))
    return [("", _("all channels")), *found] if empty else found


class ChannelChosen(AuditedAdmin):
    """A form whose channel is chosen from those that there are."""

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "channel":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = channel_choices(empty=db_field.blank)
        return forms.ChoiceField(label=db_field.verbose_name, required=not db_field.blank, choices=choices, widget=UnfoldAdminSelectWidget)


@admin.register(BreakKind)
class BreakKindAdmin(AuditedAdmin):
    list_display = ("name", "code", "limit_minutes", "is_paid", "hands_back", "position", "is_active")
    search_fields = ("name", "name_en", "code")


@admin.register(DeclineReason)
class DeclineReasonAdmin(AuditedAdmin):
    list_display = ("name", "code", "position", "is_active")
    search_fields = ("name", "name_en", "code")


class PeopleInline(Inline):
    model = StaffSkill
    autocomplete_fields = ("staff",)


@admin.register(Skill)
class SkillAdmin(AuditedAdmin):
    list_display = ("name", "code", "people_with_it")
    search_fields = ("name", "name_en", "code")
    inlines = (PeopleInline,)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Skill]":
        found = cast("models.QuerySet[Skill]", super().get_queryset(request))
        return found.annotate(number=models.Count("people"))

    @admin.display(description=_("people with it"))
    def people_with_it(self, skill: Skill) -> int:
        return cast(int, cast(Any, skill).number)


@admin.register(SkillNeed)
class SkillNeedAdmin(ChannelChosen):
    list_display = ("skill", "level", "queue", "channel", "language", "topic")
    list_filter = ("skill", "queue")
    list_select_related = ("skill", "queue")
    autocomplete_fields = ("skill", "queue")


@admin.register(ChannelLimit)
class ChannelLimitAdmin(ChannelChosen):
    list_display = ("channel", "most")
