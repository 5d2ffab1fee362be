"""The outer processing: its address and token, and what was told to it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.rights import Right
from core.admin import AuditedAdmin, ReadOnlyAdmin
from loyalty.models import Operation, Processing
from loyalty.services import outbox
from loyalty.states import TransferKind


class ProcessingForm(forms.ModelForm):  # type: ignore[type-arg]
    address = forms.URLField(
        label=_("address"), assume_scheme="https", help_text=_("Without a slash at the end."), widget=UnfoldAdminTextInputWidget
    )
    kinds = forms.MultipleChoiceField(
        label=_("transfers that it hears of"), choices=TransferKind.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    token = forms.CharField(
        label=_("token"),
        required=False,
        max_length=400,
        help_text=_("Empty = what is kept stays."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Processing
        fields = ("name", "address", "kinds", "timeout_seconds", "is_active")


@admin.register(Processing)
class ProcessingAdmin(AuditedAdmin):
    form = ProcessingForm
    secret_fields = ("token",)
    list_display = ("name", "address", "is_active")

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        assert isinstance(obj, Processing)
        if form.cleaned_data.get("token"):
            obj.set_token(form.cleaned_data["token"])
        super().save_model(request, obj, form, change)


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    view_right = Right.POINTS
    list_display = ("created_at", "processing", "card", "points", "state", "tries", "next_at", "reference", "reason")
    list_filter = ("state", "processing")
    list_select_related = ("processing",)
    search_fields = ("card__exact", "reference__exact")
    ordering = ("-pk",)
    fields = ("processing", "transfer", "card", "points", "state", "tries", "next_at", "reference", "reason", "created_at", "ended_at")
    readonly_fields = fields
    actions = ("send_again",)

    @admin.action(description=_("Send the refused ones again"))
    def send_again(self, request: HttpRequest, queryset: "models.QuerySet[Operation]") -> None:
        person: Any = request.user
        if not person.has_right(Right.LOAD_POINTS):
            messages.error(request, _("Your role does not allow this."))
            return
        for operation in queryset:
            outbox.send_again(operation=operation, now=timezone.now())
