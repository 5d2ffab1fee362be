"""Notices to guests: what became of each and why; who wants to be told by SMS and who does not."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Staff
from accounts.rights import Right
from core.admin import AuditedAdmin, ReadOnlyAdmin, in_lines
from customers.rules import masked_phone
from omni.channels.phones import international
from omni.models import Notice, NoticeAttempt, NoticeConsent, NoticeMedium
from omni.states import SendState


class FateFilter(admin.SimpleListFilter):
    """What became of the notices."""

    title = _("fate")
    parameter_name = "fate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("in the queue")), ("failed", _("not told")), ("doubtful", _("perhaps told"))]

    def queryset(self, request: HttpRequest, queryset: "models.QuerySet[Notice]") -> "models.QuerySet[Notice]":
        wanted: dict[str | None, models.Q] = {
            "waiting": models.Q(state__in=[SendState.QUEUED, SendState.SENDING]),
            "failed": models.Q(state=SendState.FAILED, possibly_delivered=False),
            "doubtful": models.Q(possibly_delivered=True),
        }
        chosen = wanted.get(self.value())
        return queryset.filter(chosen) if chosen is not None else queryset


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Why was this guest not told: every try with the vendor's words; telephones masked, devices by number only."""

    view_right = Right.EVERYTHING
    list_display = ("created_at", "key", "guest", "ways", "state", "error_code", "possibly_delivered")
    list_display_links = ("created_at", "key")
    list_filter = (FateFilter,)
    list_select_related = ("guest",)
    search_fields = ("key",)
    search_help_text = _("Key of the notice")
    ordering = ("-pk",)
    fields = (
        "key",
        "guest",
        "title",
        "text",
        "ways",
        "state",
        "error_code",
        "possibly_delivered",
        "created_at",
        "next_at",
        "expires_at",
        "story",
    )
    readonly_fields = fields

    @admin.display(description=_("ways"))
    def ways(self, notice: Notice) -> str:
        return " → ".join(str(NoticeMedium(code).label) for code in notice.channels)

    @admin.display(description=_("tries"))
    def story(self, notice: Notice) -> SafeString | str:
        tries = notice.attempts.select_related("account").order_by("number")[:50]
        return in_lines((_to_whom(one), _told(one)) for one in tries) if tries else "–"


def _to_whom(attempt: NoticeAttempt) -> str:
    shown = masked_phone(attempt.recipient) if attempt.channel == NoticeMedium.SMS else attempt.get_channel_display()
    return f"{attempt.account.name} · {shown}"


def _told(attempt: NoticeAttempt) -> SafeString:
    fault = f"{attempt.error_code}: {attempt.error_text}" if attempt.error_code or attempt.error_text else ""
    return format_html("{} · {} {}", attempt.created_at, attempt.get_state_display(), fault)


class ConsentForm(forms.ModelForm):  # type: ignore[type-arg]
    """One number: the guest agrees, or wants no more."""

    agrees = forms.BooleanField(label=_("The guest agrees to notices"), required=False)

    class Meta:
        model = NoticeConsent
        fields = ("address", "source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row: NoticeConsent = self.instance
        self.initial.setdefault("agrees", bool(row.given_at and not row.withdrawn_at))

    def clean_address(self) -> str:
        number = international(self.cleaned_data["address"])
        if not number:
            raise ValidationError(_("This is no telephone number."))
        if NoticeConsent.objects.filter(channel=NoticeMedium.SMS, address=number).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This number is in the list already."))
        return number


@admin.register(NoticeConsent)
class NoticeConsentAdmin(AuditedAdmin):
    """Numbers are typed once and masked from then on."""

    form = ConsentForm
    list_display = ("number", "agreed", "source", "given_at", "withdrawn_at", "by")
    list_display_links = ("number",)
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter),)
    list_select_related = ("by",)
    search_fields = ("address__exact",)
    search_help_text = _("The whole number, as +79161234567")
    ordering = ("-pk",)
    secret_fields = ("address",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("number", "source", "agrees", "given_at", "withdrawn_at", "by") if obj else ("address", "source", "agrees")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("number", "given_at", "withdrawn_at", "by") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now, agrees = timezone.now(), form.cleaned_data["agrees"]
        obj.channel, obj.by = NoticeMedium.SMS, request.user if isinstance(request.user, Staff) else None
        if agrees:
            obj.given_at, obj.withdrawn_at = obj.given_at if obj.given_at and not obj.withdrawn_at else now, None
        else:
            obj.withdrawn_at = obj.withdrawn_at or now
        super().save_model(request, obj, form, change)

    @admin.display(description=_("phone"))
    def number(self, consent: NoticeConsent) -> str:
        return masked_phone(consent.address)

    @admin.display(description=_("agrees"), boolean=True)
    def agreed(self, consent: NoticeConsent) -> bool:
        return bool(consent.given_at and not consent.withdrawn_at)
