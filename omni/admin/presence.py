"""Operators at work: their states and loads, seen and set by a supervisor."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts.models import Staff
from accounts.rights import Right
from core.admin import PeriodFilter, ReadOnlyAdmin
from core.refusal import Refusal
from omni.admin.decisions import may_supervise
from omni.models import BreakKind, Presence, PresenceSpan
from omni.services import distribution, presence
from omni.states import PresenceState


class PresenceForm(forms.Form):
    """What a supervisor sets for a person."""

    state = forms.ChoiceField(label=_("State"), choices=PresenceState.choices, widget=UnfoldAdminSelectWidget)
    capacity = forms.IntegerField(label=_("Capacity"), min_value=0, max_value=presence.MOST_CAPACITY, widget=UnfoldAdminIntegerFieldWidget)


@admin.register(Presence)
class PresenceAdmin(ReadOnlyAdmin):
    view_right = Right.SUPERVISE
    list_display = ("person", "state", "what", "since", "until", "too_long", "load", "capacity", "seen_at")
    list_display_links = ("person",)
    list_filter = ("state",)
    list_select_related = ("staff",)
    search_fields = ("staff__full_name", "staff__login")
    ordering = ("staff__full_name",)
    fields = ("person", "state", "what", "since", "until", "too_long", "load", "capacity", "seen_at", "assigned_at")
    readonly_fields = fields
    change_form_outer_before_template = "admin/omni/presence_form.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        # Few rows, asked once per page.
        self.kinds = {kind.code: kind for kind in BreakKind.objects.all()}
        return super().get_queryset(request)

    @admin.display(description=_("member of staff"), ordering="staff__full_name")
    def person(self, row: Presence) -> str:
        return str(row.staff)

    @admin.display(description=_("kind of break"))
    def what(self, row: Presence) -> str:
        if row.reason == presence.MISSED_OFFER:
            return _t("an offer was missed")
        return str(self.kinds.get(row.reason, row.reason)) or "–"

    @admin.display(description=_("longer than allowed"), boolean=True)
    def too_long(self, row: Presence) -> bool:
        kind = self.kinds.get(row.reason) if row.state == PresenceState.BREAK else None
        return bool(kind and kind.limit_minutes) and timezone.now() - row.since > timedelta(
            minutes=cast(BreakKind, kind).limit_minutes or 0
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.set_for))
        return [path("<int:staff_id>/set/", view, name="omni_presence_set"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            context["presence_form"] = PresenceForm(initial={"state": row.state, "capacity": row.capacity})
        return cast(HttpResponse, super().render_change_form(request, context, *args, **kwargs))

    def set_for(self, request: HttpRequest, staff_id: int) -> HttpResponse:
        """State and capacity of a person, by a supervisor."""
        by, staff = may_supervise(request), get_object_or_404(Staff, pk=staff_id)
        form, now = PresenceForm(request.POST), timezone.now()
        if form.is_valid():
            try:
                presence.set_capacity(staff=staff, capacity=form.cleaned_data["capacity"], by=by, now=now)
                if presence.of(staff, now=now).state != form.cleaned_data["state"]:
                    presence.change(staff=staff, state=form.cleaned_data["state"], by=by, now=now)
                distribution.give_out_for(staff, now=now)
            except Refusal as refusal:
                messages.error(request, str(refusal.text))
            else:
                messages.success(request, _t("Done."))
        else:
            messages.error(request, _t("Please check what was typed."))
        return HttpResponseRedirect(reverse("admin:omni_presence_change", args=[staff_id]))


class SpanPeriod(PeriodFilter):
    field = "since"


@admin.register(PresenceSpan)
class PresenceSpanAdmin(ReadOnlyAdmin):
    """From when to when somebody was in a state: the base of the hours worked."""

    view_right = Right.SUPERVISE
    list_display = ("staff", "state", "reason", "since", "until")
    list_filter = (SpanPeriod, "state")
    list_select_related = ("staff",)
    search_fields = ("staff__full_name", "staff__login")
    ordering = ("-since",)
    fields = ("staff", "state", "reason", "since", "until")
    readonly_fields = fields
