"""Chains, regions, stores and who works there."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import AuditedAdmin, Inline
from core.text import searchable
from stores.models import Chain, Cluster, Region, Store, StoreStaff


@admin.register(Chain)
class ChainAdmin(AuditedAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")


@admin.register(Region)
class RegionAdmin(AuditedAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")


@admin.register(Cluster)
class ClusterAdmin(AuditedAdmin):
    list_display = ("name", "code", "region")
    list_select_related = ("region",)
    search_fields = ("name", "code")
    autocomplete_fields = ("region",)


class StoreStaffInline(Inline):
    model = StoreStaff
    autocomplete_fields = ("staff",)


@admin.register(Store)
class StoreAdmin(AuditedAdmin):
    list_display = ("number", "name", "chain", "region", "cluster", "address", "is_open")
    list_filter = ("is_open", "chain", "region")
    list_select_related = ("chain", "region", "cluster")
    search_fields = ("search_text__contains",)
    autocomplete_fields = ("chain", "region", "cluster")
    inlines = (StoreStaffInline,)
    ordering = ("number",)

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Store]", search_term: str) -> Any:
        return super().get_search_results(request, queryset, searchable(search_term))
