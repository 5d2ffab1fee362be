"""The work list, to be looked at: everything that waits for a person, the nearest promise first."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import ReadOnlyAdmin, titled
from worklist.models import Item
from worklist.states import NO_DUE


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    view_right = Right.EVERYTHING
    list_display = ("due", "what", "guest_shown", "in_group", "owner_shown", "state", "waits_since")
    list_filter = (("group", titled(_("group"))),)
    list_select_related = ("group", "owner")
    ordering = ("due_at", "id")
    fields = ("what", "guest_shown", "in_group", "owner_shown", "state", "due", "waits_since")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Item]":
        match = request.resolver_match
        rows = Item.objects.all() if match is not None and "object_id" in match.kwargs else Item.objects.open()
        return rows.order_by(*self.ordering)

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, item: Item) -> Any:
        return None if item.due_at == NO_DUE else item.due_at

    @admin.display(description=_("what"))
    def what(self, item: Item) -> str:
        return f"{item.get_kind_display()} {item.number or item.subject_id}"

    @admin.display(description=_("guest"))
    def guest_shown(self, item: Item) -> str:
        return item.guest_name or "–"

    @admin.display(description=_("group"))
    def in_group(self, item: Item) -> str:
        return item.group.name

    @admin.display(description=_("owner"))
    def owner_shown(self, item: Item) -> str:
        return str(item.owner) if item.owner else "–"

    @admin.display(description=_("waits since"))
    def waits_since(self, item: Item) -> Any:
        return item.waiting_since
