"""Queues and channel accounts."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget

from core import secrets
from core.admin import HIDDEN, AuditedAdmin, Inline, record
from core.refusal import Refusal
from omni import responders
from omni.admin.settings import check_shape, form_field, made_secrets, secret_field, shown, taken_over
from omni.channels.abilities import Connecting
from omni.channels.registry import adapter_for, kinds
from omni.models import ChannelAccount, Queue, Ring
from omni.services import connections


class RingInline(Inline):
    model = Ring
    autocomplete_fields = ("drops", "groups")


@admin.register(Queue)
class QueueAdmin(AuditedAdmin):
    list_display = ("name", "code", "group", "policy", "priority", "strategy", "delivery", "is_paused")
    actions = ("pause", "go_on")
    inlines = (RingInline,)
    fieldsets = (
        (None, {"fields": ("code", "name", "group", "policy", "priority", "is_paused")}),
        (_("When a guest comes back"), {"fields": ("reopen", "reopen_days", "preferred_days", "preferred_seconds")}),
        (_("To whom and how"), {"fields": ("strategy", "delivery", "offer_seconds", "again_seconds", "missed_away")}),
        (_("Afterwards"), {"fields": ("wrap_up_seconds", "reassign_seconds")}),
    )
    list_filter = ("is_paused", "group")
    list_select_related = ("group", "policy")
    search_fields = ("name", "code")
    autocomplete_fields = ("group", "policy")

    @admin.action(description=_("Pause: nothing is given out"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: "models.QuerySet[Queue]") -> None:
        self._set_paused(request, queryset, is_paused=True)

    @admin.action(description=_("Give out again"), permissions=["change"])
    def go_on(self, request: HttpRequest, queryset: "models.QuerySet[Queue]") -> None:
        self._set_paused(request, queryset, is_paused=False)

    def _set_paused(self, request: HttpRequest, queryset: "models.QuerySet[Queue]", *, is_paused: bool) -> None:
        with transaction.atomic():
            for queue in queryset.exclude(is_paused=is_paused):
                queue.is_paused = is_paused
                queue.save(update_fields=["is_paused"])
                record(request, "queue.changed", queue, {"is_paused": str(is_paused)})
        messages.success(request, _t("Done."))


def _offered() -> list[tuple[str, Any]]:
    """Kinds of which an administrator makes accounts."""
    forms_of = {code: adapter_for(code).form for code in kinds()}
    return [(code, form.name) for code, form in forms_of.items() if not form.is_ours]


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """First what it is; the fields of its kind come on the next page."""

    kind = forms.ChoiceField(label=_("Channel"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ChannelAccount
        fields = ("kind", "name", "queue", "weight")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = cast(forms.ChoiceField, self.fields["kind"])
        kind.choices = sorted(_offered(), key=lambda one: str(one[1]))

    def save(self, commit: bool = True) -> ChannelAccount:
        self.instance.set_secrets(**made_secrets(self.instance.kind))
        return cast(ChannelAccount, super().save(commit))


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account with the settings and secrets of its kind; built by `form_of`."""

    kind_code = ""

    class Meta:
        model = ChannelAccount
        fields = ("name", "queue", "answers_first", "state", "state_reason", "weight", "paused_until", "per_second", "per_chat_per_second")
        widgets = {"answers_first": UnfoldAdminSelectWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, kept = adapter_for(self.kind_code).form, _secrets_of(self.instance)
        if "answers_first" in self.fields:
            self.fields["answers_first"] = responder_field(self.instance)
        for setting in kind.all_settings:
            value = shown(setting, self.instance.settings)
            if value is not None and setting.field_name in self.fields:
                self.initial[setting.field_name] = value
        for secret in kind.secrets:
            if secret.field_name in self.fields:
                self.fields[secret.field_name].help_text = secret_field(secret, is_set=bool(kept.get(secret.name))).help_text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.typed = taken_over(self.kind_code, cleaned, self.instance.settings)
        check_shape(self.kind_code, self.typed)
        return cleaned

    def save(self, commit: bool = True) -> ChannelAccount:
        self.instance.settings = self.typed
        given = {secret.name: self.cleaned_data.get(secret.field_name) or "" for secret in adapter_for(self.kind_code).form.secrets}
        self.instance.set_secrets(**{name: value for name, value in given.items() if value})
        return cast(ChannelAccount, super().save(commit))


def responder_field(account: ChannelAccount) -> forms.ChoiceField:
    """Who may answer first in this account: what is offered, and what is chosen already."""
    offered = list(responders.offered(account))
    known = {code for code, _name in offered}
    kept = [(account.answers_first, account.answers_first)] if account.answers_first not in {"", *known} else []
    meta = ChannelAccount._meta.get_field("answers_first")
    return forms.ChoiceField(
        label=meta.verbose_name,
        help_text=meta.help_text,
        required=False,
        choices=[("", _("a person")), *offered, *kept],
        widget=UnfoldAdminSelectWidget,
    )


def _secrets_of(account: ChannelAccount) -> dict[str, str]:
    try:
        return secrets.open_box(account.closed_secrets)
    except secrets.SecretLost:
        return {}


def form_of(kind: str) -> type[AccountForm]:
    """The form of a kind's accounts."""
    fields: dict[str, Any] = {setting.field_name: form_field(setting) for setting in adapter_for(kind).form.all_settings}
    fields |= {secret.field_name: secret_field(secret, is_set=False) for secret in adapter_for(kind).form.secrets}
    return type(f"{kind.title()}AccountForm", (AccountForm,), {**fields, "kind_code": kind})


@admin.register(ChannelAccount)
class ChannelAccountAdmin(AuditedAdmin):
    """Settings are typed fields by kind; secrets are written and never shown; the connection is tried by a button."""

    list_display = ("name", "kind", "queue", "state", "state_reason", "paused_until")
    list_filter = ("kind", "state", "queue")
    list_select_related = ("queue",)
    search_fields = ("name",)
    autocomplete_fields = ("queue",)
    readonly_fields = ("kind", "webhook")
    change_form_outer_before_template = "admin/omni/account_buttons.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = form_of(obj.kind) if obj else NewAccountForm
        # The fields of a kind belong to no column of the model: they are declared on the form.
        kwargs["fields"] = list(kwargs["form"].Meta.fields)
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "webhook") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("kind", "name", "queue", "weight")})]
        kind = adapter_for(obj.kind).form
        common = (
            "kind",
            "name",
            "queue",
            "answers_first",
            "weight",
            "state",
            "state_reason",
            "paused_until",
            "webhook",
            "per_second",
            "per_chat_per_second",
        )
        groups: list[tuple[Any, dict[str, Any]]] = [(None, {"fields": common})]
        if self.has_change_permission(request, obj):
            groups.append((_("Settings"), {"fields": tuple(setting.field_name for setting in kind.all_settings)}))
            groups.append((_("Secrets"), {"fields": tuple(secret.field_name for secret in kind.secrets)}))
        return groups

    def get_secret_names(self, kind: str) -> set[str]:
        return {secret.field_name for secret in adapter_for(kind).form.secrets}

    def _changes(self, form: "forms.ModelForm[Any]") -> dict[str, str]:
        hidden = self.get_secret_names(form.instance.kind)
        return {name: HIDDEN if name in hidden else value for name, value in super()._changes(form).items()}

    def response_add(self, request: HttpRequest, obj: ChannelAccount, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, _t("The account has been made. Now its settings."))
        return HttpResponseRedirect(self._page_of(obj.pk))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        account = kwargs.get("obj")
        context["can_connect"] = account is not None and isinstance(adapter_for(account.kind), Connecting)
        return cast(HttpResponse, super().render_change_form(request, context, *args, **kwargs))

    @admin.display(description=_("address for the provider, or code for the site"))
    def webhook(self, account: ChannelAccount) -> str:
        return connections.address_for_others(account) or "–"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:account_id>/check/", self._guarded(self.check_connection), name="omni_channelaccount_check"),
            path("<int:account_id>/connect/", self._guarded(self.connect_webhook), name="omni_channelaccount_connect"),
        ]
        return [*own, *super().get_urls()]

    def _guarded(self, view: Any) -> Any:
        return self.admin_site.admin_view(require_POST(view))

    def _page_of(self, account_id: int) -> str:
        return reverse("admin:omni_channelaccount_change", args=[account_id])

    def check_connection(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Try the connection and say in words what came of it."""
        account = self._account(request, account_id)
        findings = connections.check(account)
        for finding in findings:
            messages.add_message(request, messages.SUCCESS if finding.works else messages.ERROR, finding.text)
        works = all(finding.works for finding in findings)
        if works and connections.mark_healthy(account):
            messages.success(request, _t("The account serves again."))
        with transaction.atomic():
            record(request, "channelaccount.checked", account, {"works": works})
        return HttpResponseRedirect(self._page_of(account_id))

    def connect_webhook(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Have the provider deliver to our address."""
        account = self._account(request, account_id)
        try:
            address = connections.connect_webhook(account)
        except Refusal as refusal:
            messages.error(request, str(refusal.text))
        else:
            messages.success(request, _t("The provider delivers to %(address)s now.") % {"address": address})
            with transaction.atomic():
                record(request, "channelaccount.connected", account, {"address": address})
        return HttpResponseRedirect(self._page_of(account_id))

    def _account(self, request: HttpRequest, account_id: int) -> ChannelAccount:
        account = get_object_or_404(ChannelAccount, pk=account_id)
        if not self.has_change_permission(request, account):
            raise Refusal("not_allowed", _("Your role does not allow this."), status=403)
        return account
