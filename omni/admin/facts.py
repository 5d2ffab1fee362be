"""What became of sends, and why they failed; the base of lists searched by a number."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from core.admin import ReadOnlyAdmin, in_lines, titled
from omni.models import Attempt
from omni.states import SendState


def by_number(queryset: "models.QuerySet[Any]", field: str, words: str) -> tuple["models.QuerySet[Any]", bool]:
    """Rows whose number is typed; what is no number finds nothing. For an admin's get_search_results."""
    number = words.strip().lstrip("#№ ")
    if not words.strip():
        return queryset, False
    return (queryset.filter(**{field: int(number)}) if number.isdigit() and len(number) < 18 else queryset.none()), False


class NumberSearch(ReadOnlyAdmin):
    """A list that is searched by one number."""

    number_field = "pk"
    search_fields = ("pk",)

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Any]", search_term: str) -> Any:
        return by_number(queryset, self.number_field, search_term)


class FailedFilter(admin.SimpleListFilter):
    """Only sends that failed, or that may have come twice."""

    title = _("fate")
    parameter_name = "fate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("not sent")), ("waiting", _("in the queue")), ("doubtful", _("perhaps sent twice"))]

    def queryset(self, request: HttpRequest, queryset: "models.QuerySet[Attempt]") -> "models.QuerySet[Attempt]":
        wanted: dict[str | None, models.Q] = {
            "failed": models.Q(state=SendState.FAILED),
            "waiting": models.Q(state__in=[SendState.QUEUED, SendState.SENDING]),
            "doubtful": models.Q(possibly_delivered=True),
        }
        chosen = wanted.get(self.value())
        return queryset.filter(chosen) if chosen is not None else queryset


@admin.register(Attempt)
class AttemptAdmin(NumberSearch):
    """Why was this not delivered: every try with the provider's words."""

    view_right = Right.EVERYTHING
    number_field = "session_id"
    list_display = ("tried", "dialogue", "via", "number", "state", "fault", "final")
    list_filter = (FailedFilter, ("account", titled(_("account"))))
    list_select_related = ("account",)
    search_help_text = _("Number of the dialogue")
    ordering = ("-pk",)
    fields = ("dialogue", "via", "number", "state", "tried", "ended", "next_at", "fault", "final", "doubtful", "ids", "story")
    readonly_fields = fields

    @admin.display(description=_("tried at"))
    def tried(self, attempt: Attempt) -> Any:
        return attempt.created_at

    @admin.display(description=_("ended at"))
    def ended(self, attempt: Attempt) -> Any:
        return attempt.finished_at

    @admin.display(description=_("dialogue"))
    def dialogue(self, attempt: Attempt) -> int:
        return attempt.session_id

    @admin.display(description=_("account"))
    def via(self, attempt: Attempt) -> str:
        return attempt.account.name

    @admin.display(description=_("what the channel said"))
    def fault(self, attempt: Attempt) -> str:
        return f"{attempt.error_code}: {attempt.error_text}" if attempt.error_code or attempt.error_text else "–"

    @admin.display(description=_("for good"), boolean=True)
    def final(self, attempt: Attempt) -> bool:
        return attempt.is_permanent

    @admin.display(description=_("the guest may have got it all the same"), boolean=True)
    def doubtful(self, attempt: Attempt) -> bool:
        return attempt.possibly_delivered

    @admin.display(description=_("the provider's ids"))
    def ids(self, attempt: Attempt) -> str:
        return ", ".join(attempt.external_ids) or "–"

    @admin.display(description=_("all tries of this message"))
    def story(self, attempt: Attempt) -> SafeString:
        tries = Attempt.objects.filter(message_id=attempt.message_id).order_by("number")
        return in_lines(
            (one.number, format_html("{} · {} · {}", one.created_at, one.get_state_display(), self.fault(one))) for one in tries
        )
