"""What may be given, by whom and from where: all of it rows."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.models import Staff
from core.admin import AuditedAdmin
from core.refusal import Refusal
from loyalty.models import Allowance, ApprovalLevel, Budget, Campaign, CompensationReason, GuestAllowance, Terms
from loyalty.services import budgets


@admin.register(Terms)
class TermsAdmin(AuditedAdmin):
    list_display = ("holds_for", "ripen_days", "life_days", "compensation_life_days")
    list_select_related = ("chain",)

    @admin.display(description=_("chain"))
    def holds_for(self, terms: Terms) -> str:
        return str(terms)


@admin.register(CompensationReason)
class CompensationReasonAdmin(AuditedAdmin):
    list_display = ("name", "code", "usual_points", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "name_en", "code")


@admin.register(Allowance)
class AllowanceAdmin(AuditedAdmin):
    list_display = ("role", "per_operation", "per_day", "per_week")
    list_select_related = ("role",)


@admin.register(GuestAllowance)
class GuestAllowanceAdmin(AuditedAdmin):
    list_display = ("points", "days")


@admin.register(ApprovalLevel)
class ApprovalLevelAdmin(AuditedAdmin):
    list_display = ("role", "above", "up_to")
    list_select_related = ("role",)


@admin.register(Campaign)
class CampaignAdmin(AuditedAdmin):
    list_display = ("name", "points", "starts_at", "ends_at")


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    """`funding` makes adding happen once for each form that was shown."""

    add_points = forms.IntegerField(label=_("Add points"), required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget)
    funding = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4, required=False)

    class Meta:
        model = Budget
        fields = ("name", "group", "decision_days")


@admin.register(Budget)
class BudgetAdmin(AuditedAdmin):
    form = BudgetForm
    list_display = ("name", "group", "balance", "reserved")
    list_select_related = ("group", "account")
    readonly_fields = ("balance", "reserved")
    fields = ("name", "group", "decision_days", "balance", "reserved", "add_points", "funding")

    @admin.display(description=_("balance"))
    def balance(self, budget: Budget) -> int:
        return budget.account.balance if budget.account_id else 0

    @admin.display(description=_("reserved"))
    def reserved(self, budget: Budget) -> int:
        return budget.account.reserved if budget.account_id else 0

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        assert isinstance(obj, Budget)
        assert isinstance(request.user, Staff)
        if not change:
            budgets.open_budget(obj)
        super().save_model(request, obj, form, change)
        points, id = form.cleaned_data.get("add_points"), form.cleaned_data.get("funding")
        if not points or not id:
            return
        try:
            budgets.fund(budget=obj, points=points, id=id, by=request.user, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal))
