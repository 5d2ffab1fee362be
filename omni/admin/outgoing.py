"""Texts that providers have approved, and which channel is tried next when one fails."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin
from omni.channels.registry import ADAPTERS, adapter_for
from omni.models import ChannelAccount, Fallback, FallbackStep, MessageTemplate


@admin.register(MessageTemplate)
class MessageTemplateAdmin(AuditedAdmin):
    """Only approved ones are offered to operators. Where the provider can be asked, its word on text and state is fetched every hour."""

    list_display = ("name", "language", "account", "state", "state_reason", "told_at")
    readonly_fields = ("told_at",)
    list_filter = ("state", "account")
    list_select_related = ("account",)
    search_fields = ("name", "body")

    def get_readonly_fields(self, request: HttpRequest, obj: MessageTemplate | None = None) -> tuple[str, ...]:
        """What the provider has told is the provider's to say."""
        return (
            (*self.readonly_fields, "name", "language", "account", "body", "state", "state_reason")
            if obj and obj.told_at
            else self.readonly_fields
        )

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):  # type: ignore[no-untyped-def]
        if db_field.name == "account":
            kinds = [adapter.kind for adapter in ADAPTERS if adapter.capabilities.templates]
            kwargs["queryset"] = ChannelAccount.objects.filter(kind__in=kinds)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class FallbackStepForm(forms.ModelForm):  # type: ignore[type-arg]
    """The channel is chosen from those that answers can be sent through."""

    channel = forms.ChoiceField(label=_("Channel"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = FallbackStep
        fields = ("queue", "position", "channel")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        kinds = [(one.kind, one.form.name) for one in ADAPTERS if not one.capabilities.notices_only]
        self.fields["channel"].choices = sorted(kinds, key=lambda kind: str(kind[1]))  # type: ignore[attr-defined]


@admin.register(FallbackStep)
class FallbackStepAdmin(AuditedAdmin):
    """In which order other channels are tried by themselves; each needs the guest's consent."""

    form = FallbackStepForm
    list_display = ("queue", "position", "channel_name")
    list_filter = ("queue",)
    list_select_related = ("queue",)
    ordering = ("queue", "position")

    @admin.display(description=_("channel"))
    def channel_name(self, step: FallbackStep) -> str:
        return str(adapter_for(step.channel).form.name)


class FallbackPeriod(PeriodFilter):
    field = "at"


@admin.register(Fallback)
class FallbackAdmin(ReadOnlyAdmin):
    """What went through another channel, why, and by whom."""

    list_display = ("at", "state", "reason", "by")
    list_filter = (FallbackPeriod,)
    list_select_related = ("by",)
    ordering = ("-pk",)
    fields = ("at", "state", "reason", "by", "origin_number", "message_number")
    readonly_fields = fields

    @admin.display(description=_("number of the message that failed"))
    def origin_number(self, fallback: Fallback) -> int:
        return fallback.origin_id

    @admin.display(description=_("number of the message sent instead"))
    def message_number(self, fallback: Fallback) -> int | str:
        return fallback.message_id or "–"
