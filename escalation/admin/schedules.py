"""Duty schedules: layers, overrides, swaps, past duty, contacts."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.models import Staff
from core.admin import AuditedAdmin, Inline, PeriodFilter, ReadOnlyAdmin, in_lines
from core.refusal import Refusal
from escalation.models import Contact, DutyInterval, Layer, LayerMember, Override, Schedule, Swap
from escalation.selectors import list_shifts
from escalation.services import duty, swaps
from escalation.services.people import read_people

SHOWN_DAYS = 14


class LayerInline(Inline):
    model = Layer
    fields = ("priority", "name", "rotation", "length", "handoff", "starts_on", "ends_on")
    show_change_link = True


class OverrideInline(Inline):
    model = Override
    autocomplete_fields = ("staff",)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Override]":
        # What is over is history, not settings.
        found: models.QuerySet[Override] = super().get_queryset(request)
        return found.filter(ends_at__gt=timezone.now())


@admin.register(Schedule)
class ScheduleAdmin(AuditedAdmin):
    """What was until the change is written down before it, so the past stays as it was."""

    list_display = ("name", "code", "time_zone", "lead")
    list_select_related = ("lead",)
    search_fields = ("name", "code")
    autocomplete_fields = ("lead",)
    inlines = (LayerInline, OverrideInline)
    readonly_fields = ("coming",)

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        if change:
            duty.record(obj.pk, now=timezone.now())
        super().save_model(request, obj, form, change)

    @admin.display(description=_("the next two weeks"))
    def coming(self, schedule: Schedule) -> SafeString | str:
        if not schedule.pk:
            return _t("Shown once the schedule is saved.")
        now = timezone.now()
        shifts = list_shifts(schedule, since=now, until=now + timedelta(days=SHOWN_DAYS))
        people = read_people({staff_id for shift in shifts for staff_id in shift.staff_ids})
        nobody = _t("nobody: a hole")
        rows = []
        for shift in shifts[:100]:
            names = ", ".join(sorted(people[staff_id].name for staff_id in shift.staff_ids if staff_id in people))
            rows.append((date_format(localtime(shift.starts_at), "SHORT_DATETIME_FORMAT"), names or nobody))
        return in_lines(rows)


class MemberInline(Inline):
    model = LayerMember
    autocomplete_fields = ("staff",)


@admin.register(Layer)
class LayerAdmin(AuditedAdmin):
    list_display = ("name", "schedule", "priority", "rotation", "length", "handoff", "starts_on", "ends_on")
    list_filter = ("schedule",)
    list_select_related = ("schedule",)
    search_fields = ("name", "schedule__name")
    autocomplete_fields = ("schedule",)
    inlines = (MemberInline,)

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        duty.record(obj.schedule_id, now=timezone.now())
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: "ModelForm[Any]", formset: "BaseInlineFormSet[Any, Any, Any]", change: bool) -> None:
        duty.record(form.instance.schedule_id, now=timezone.now())
        super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        duty.record(obj.schedule_id, now=timezone.now())
        super().delete_model(request, obj)


@admin.register(Swap)
class SwapAdmin(AuditedAdmin):
    """Made here by a supervisor; it counts only once the other person has accepted it."""

    list_display = ("who", "by", "schedule", "starts_at", "ends_at", "state")
    list_filter = ("state", "schedule")
    list_select_related = ("who", "by", "schedule")
    search_fields = ("who__full_name", "by__full_name")
    autocomplete_fields = ("schedule", "who", "by")
    readonly_fields = ("state", "settled_at")
    change_form_outer_before_template = "admin/escalation/swap_buttons.html"

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        if not change:
            obj.proposed_at = timezone.now()
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A settled swap is a fact.
        return super().has_change_permission(request, obj) and (obj is None or obj.settled_at is None)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        swap = kwargs.get("obj")
        context["may_answer"] = swap is not None and swap.settled_at is None and swap.by_id == request.user.pk
        rendered: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return rendered

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.answer))
        return [path("<int:swap_id>/answer/<slug:answer>/", view, name="escalation_swap_answer"), *super().get_urls()]

    def answer(self, request: HttpRequest, swap_id: int, answer: str) -> HttpResponse:
        """The person who was asked accepts or declines."""
        verbs = {"accept": swaps.accept, "decline": swaps.decline, "withdraw": swaps.withdraw}
        person: Any = request.user
        if answer not in verbs or not isinstance(person, Staff):
            raise Refusal("not_found", _("There is no such swap."), status=404)
        try:
            verbs[answer](swap_id=swap_id, by=person, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal.text))
        return HttpResponseRedirect(reverse("admin:escalation_swap_change", args=[swap_id]))


class BeganFilter(PeriodFilter):
    field = "starts_at"


@admin.register(DutyInterval)
class DutyIntervalAdmin(ReadOnlyAdmin):
    """Who was on duty, as it was written down then."""

    list_display = ("staff", "schedule", "source", "starts_at", "ends_at")
    list_filter = (BeganFilter, "schedule")
    list_select_related = ("staff", "schedule")
    search_fields = ("staff__full_name",)
    ordering = ("-starts_at",)
    fields = ("schedule", "staff", "source", "starts_at", "ends_at")
    readonly_fields = fields


@admin.register(Contact)
class ContactAdmin(AuditedAdmin):
    list_display = ("staff", "channel", "address", "is_active")
    list_filter = ("channel", "is_active")
    list_select_related = ("staff",)
    search_fields = ("staff__full_name", "address")
    autocomplete_fields = ("staff",)
