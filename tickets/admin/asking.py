"""Letters to stores and staff, stores' links, and the numbers of both."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import AuditedAdmin, PeriodFilter, ReadOnlyAdmin
from tickets.admin.numbers import ByNumber
from tickets.asking import PLACES, LetterKind
from tickets.models import AskingSettings, CaseLetter, LetterText, StoreLink
from tickets.services import numbers


@admin.register(AskingSettings)
class AskingSettingsAdmin(AuditedAdmin):
    """One row."""

    list_display = ("link_hours", "remind_minutes", "most_time_hours", "most_photos")

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[AskingSettings]":
        numbers.current()
        return AskingSettings.objects.all()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(LetterText)
class LetterTextAdmin(AuditedAdmin):
    list_display = ("kind", "heading")
    fields = ("kind", "heading", "text", "places")
    readonly_fields = ("places",)

    @admin.display(description=_("what is filled in"))
    def places(self, row: LetterText) -> str:
        known: Any = PLACES.get(LetterKind(row.kind), ()) if row.kind in LetterKind.values else ()
        return " ".join(f"{{{name}}}" for name in known)


class LinkPeriod(PeriodFilter):
    field = "created_at"


@admin.register(StoreLink)
class StoreLinkAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("case", "store", "created_at", "opened_at", "promised_at", "word", "answered_at", "revoked_because")
    list_filter = (LinkPeriod, "word", "revoked_because")
    list_select_related = ("case", "store")
    ordering = ("-pk",)
    fields = (
        "case", "store", "question", "sent_by", "created_at", "expires_at", "opened_at", "promised_at", "time_asks", "next_at", "word",
        "words", "signed", "answered_at", "revoked_at", "revoked_because",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(CaseLetter)
class CaseLetterAdmin(ByNumber, ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("case", "kind", "address", "state", "created_at", "sent_at", "error")
    list_filter = (LinkPeriod, "kind", "state")
    list_select_related = ("case",)
    ordering = ("-pk",)
    fields = ("case", "kind", "link", "approval", "address", "state", "tries", "next_at", "error", "created_at", "sent_at")
    readonly_fields = fields
