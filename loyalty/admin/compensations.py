"""Compensations: looked at by who reads the ledger, decided by those whose signature is needed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Staff
from accounts.rights import Right
from core.admin import ReadOnlyAdmin, in_lines
from core.refusal import Refusal
from loyalty.models import Compensation
from loyalty.services import approvals
from loyalty.states import CompensationState

_DECISIONS = [("", _("not yet")), ("approve", _("approve")), ("refuse", _("refuse"))]


class DecisionForm(forms.ModelForm):  # type: ignore[type-arg]
    decision = forms.ChoiceField(label=_("Decision"), choices=_DECISIONS, required=False, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(label=_("Why it is refused"), max_length=400, required=False, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Compensation
        fields = ()


@admin.register(Compensation)
class CompensationAdmin(ReadOnlyAdmin):
    """Those that wait come first by the filter; the page tells the limits passed and who has signed."""

    view_right = Right.POINTS
    form = DecisionForm
    list_display = ("asked_at", "number", "guest", "points", "state", "author", "expires_at")
    list_filter = ("state", "reason")
    list_select_related = ("guest", "author")
    search_fields = ("number__exact", "subject__exact")
    search_help_text = _("Number of the ticket")
    ordering = ("-asked_at",)
    readonly_fields = (
        "guest", "number", "points", "reason", "comment", "campaign", "budget", "state", "author", "asked_at", "expires_at", "decided_at",
        "decision_text", "notice", "limits_passed", "signed",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        decides = ("decision", "why") if self.has_change_permission(request, obj) else ()
        return (*self.readonly_fields, *decides)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if not isinstance(obj, Compensation) or obj.state != CompensationState.AWAITING:
            return False
        staff: Any = request.user
        return bool(staff.has_right(Right.APPROVE_POINTS) and staff.pk != obj.author_id)

    @admin.display(description=_("limits passed"))
    def limits_passed(self, compensation: Compensation) -> SafeString:
        return in_lines((_limit(over), f"{over['comes_to']} > {over['allowed']}") for over in compensation.over)

    @admin.display(description=_("signatures"))
    def signed(self, compensation: Compensation) -> SafeString:
        found = compensation.signatures.select_related("by").order_by("pk")
        return in_lines((one.level_name, one.by or _t("not signed yet")) for one in found)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        assert isinstance(obj, Compensation)
        assert isinstance(request.user, Staff)
        try:
            if form.cleaned_data["decision"] == "approve":
                approvals.approve(id=obj.pk, by=request.user, now=timezone.now())
            elif form.cleaned_data["decision"] == "refuse":
                approvals.refuse(id=obj.pk, text=form.cleaned_data["why"], by=request.user, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal))


def _limit(over: dict[str, Any]) -> str:
    if over["limit"] == "operation":
        return _t("at once")
    if over["limit"] == "guest":
        return _t("the guest within %(days)s days") % {"days": over["days"]}
    return _t("the author within %(days)s days") % {"days": over["days"]}
