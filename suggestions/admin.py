"""The model's versions with its hit rates and its buttons, and the rules of the suggestions."""

from typing import Any, cast

from celery.exceptions import OperationalError as QueueAway
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError as BrokerAway

from accounts.models import Staff
from accounts.rights import Right
from core.admin import OneRowAdmin, ReadOnlyAdmin
from core.refusal import Refusal
from suggestions.models import ModelVersion, Suggestion, SuggestionRules
from suggestions.rules import Hits
from suggestions.selectors import weeks
from suggestions.services import current, training
from suggestions.tasks import retrain_topics
from tickets.models import Topic


def share(value: float | None) -> str:
    """A share as people read it; a dash where there is nothing to count."""
    return "–" if value is None else f"{number_format(round(value * 100, 1), 1)}\xa0%"


@admin.register(SuggestionRules)
class SuggestionRulesAdmin(OneRowAdmin):
    list_display = ("is_on", "is_retrained", "for_distribution", "most_shown")
    fieldsets = (
        (None, {"fields": ("is_on", "most_shown", "least_confidence", "likely_from", "possible_from", "for_distribution")}),
        (
            _("Training"),
            {"fields": ("is_retrained", "least_cases", "most_cases", "most_of_topic", "least_held_out", "tolerated_loss", "kept_versions")},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
        current.forget()


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions of the model, above them how often the suggestions were right, and the buttons."""

    view_right = Right.REPORTS
    list_display = ("number", "state", "made_at", "cases", "held_out", "at_one", "at_three", "before_at_three")
    list_select_related = ("before",)
    ordering = ("-pk",)
    list_before_template = "admin/suggestions/hit_rates.html"
    fields = ("state", "reason", "made_at", "made_by", "cases", "topics", "held_out", "at_one", "at_three", "before", "before_at_one",
              "before_at_three", "seconds", "folder")  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("version"))
    def number(self, version: ModelVersion) -> str:
        return str(version)

    @admin.display(description=_("found first"))
    def at_one(self, version: ModelVersion) -> str:
        return share(Hits(version.held_out, version.first, version.third).at_one)

    @admin.display(description=_("found among three"))
    def at_three(self, version: ModelVersion) -> str:
        return share(Hits(version.held_out, version.first, version.third).at_three)

    @admin.display(description=_("the version before, found first"))
    def before_at_one(self, version: ModelVersion) -> str:
        return share(Hits(version.held_out, version.before_first, version.before_third).at_one)

    @admin.display(description=_("the version before, among three"))
    def before_at_three(self, version: ModelVersion) -> str:
        return share(Hits(version.held_out, version.before_first, version.before_third).at_three)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        extra = {"weeks": [_line(week) for week in weeks(now=timezone.now())], "may_change": _may_change(request)}
        return cast(HttpResponse, super().changelist_view(request, {**(extra_context or {}), **extra}))

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("retrain/", guarded(require_POST(self.retrain)), name="suggestions_retrain"),
            path("go-back/", guarded(require_POST(self.go_back)), name="suggestions_go_back"),
        ]
        return [*own, *super().get_urls()]

    def retrain(self, request: HttpRequest) -> HttpResponse:
        """Call the training; its outcome is a new row of the list."""
        _check(request)
        if not current.rules().is_on:
            messages.warning(request, _t("Suggestions are switched off in their rules."))
            return self._back()
        try:
            retrain_topics.delay(by_id=request.user.pk)
        except (BrokerAway, QueueAway):
            messages.error(request, _t("The queue of work cannot be reached. Please try again."))
        else:
            messages.info(request, _t("The training has been called. Its outcome appears below within minutes; nothing appears when there are too few cases, or another training runs."))  # fmt: skip # noqa: E501
        return self._back()

    def go_back(self, request: HttpRequest) -> HttpResponse:
        _check(request)
        try:
            older = training.go_back(by=cast(Staff, request.user), now=timezone.now())
        except Refusal as refusal:
            messages.warning(request, str(refusal.text))
        else:
            said = _t("Version %(number)d is in use again.") % {"number": older.pk} if older else _t("Topics are found by the words of the topic tree again.")  # fmt: skip # noqa: E501
            messages.info(request, said)
        return self._back()

    def _back(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:suggestions_modelversion_changelist"))


def _may_change(request: HttpRequest) -> bool:
    return isinstance(request.user, Staff) and request.user.has_right(Right.CONFIGURE)


def _check(request: HttpRequest) -> None:
    if not _may_change(request):
        raise PermissionDenied


def _line(week: Any) -> dict[str, Any]:
    cells = [(hits.of, share(hits.at_one), share(hits.at_three)) for hits in (week.all, week.seen, week.unseen)]
    return {"begins": week.begins, "cells": cells}


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    """What was suggested and what was chosen, the newest choices first."""

    view_right = Right.EVERYTHING
    list_display = ("at", "session", "suggested", "chosen", "hit", "shown_at", "version")
    list_select_related = ("chosen", "version", "session")
    ordering = ("-pk",)
    fields = ("session", "at", "suggested", "version", "shown_at", "case", "chosen", "chosen_at")
    readonly_fields = fields

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Topics are named by one query for the whole list."""
        listed, names = super().get_changelist_instance(request), _names()
        for suggestion in listed.result_list:
            suggestion.names = names
        return listed

    @admin.display(description=_("topics"))
    def suggested(self, suggestion: Suggestion) -> str:
        names = getattr(suggestion, "names", None) or _names()
        pairs = zip(suggestion.topics, suggestion.confidences, strict=True)
        return "; ".join(f"{names.get(topic, topic)} ({share(confidence)})" for topic, confidence in pairs) or "–"

    @admin.display(description=_("place of the chosen"))
    def hit(self, suggestion: Suggestion) -> str:
        if suggestion.chosen_id is None:
            return ""
        return str(suggestion.topics.index(suggestion.chosen_id) + 1) if suggestion.chosen_id in suggestion.topics else "–"


def _names() -> dict[int, str]:
    return {topic.pk: topic.shown_name for topic in Topic.objects.only("name", "name_en")}
