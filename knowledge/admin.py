"""Articles: written here, read by guests through bots and by staff."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import AuditedAdmin
from core.text import searchable
from knowledge.models import Article


@admin.register(Article)
class ArticleAdmin(AuditedAdmin):
    list_display = ("title", "audience", "is_published", "updated_at")
    list_filter = ("is_published", "audience")
    search_fields = ("search_text__contains",)
    readonly_fields = ("updated_at",)
    prepopulated_fields = {"code": ("title",)}
    fieldsets = ((None, {"fields": ("title", "code", "audience", "is_published", "tags", "answer", "body", "updated_at")}),)

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Article]", search_term: str) -> Any:
        return super().get_search_results(request, queryset, searchable(search_term))
