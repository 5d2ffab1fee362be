"""Dialogues: each with its versions."""

from typing import Any, cast

from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bots.models import Dialogue
from bots.services import scripts
from core.admin import AuditedAdmin


@admin.register(Dialogue)
class DialogueAdmin(AuditedAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")
    change_form_outer_before_template = "admin/bots/versions.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Accounts name it by its code.
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change:
                scripts.first_draft(cast(Dialogue, obj), by=request.user, now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """What guests have talked with stays."""
        unused = obj is None or not obj.versions.filter(runs__isnull=False).exists()  # type: ignore[attr-defined]
        return unused and super().has_delete_permission(request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        dialogue = kwargs.get("obj")
        context["versions"] = dialogue.versions.select_related("made_by").order_by("-number") if dialogue else []
        found: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return found
