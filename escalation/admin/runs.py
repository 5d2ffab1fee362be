"""What runs now: taken, confirmed, given back, sent up and down, ended; its history and notices."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.models import Staff
from accounts.rights import Right
from core.admin import PeriodFilter, ReadOnlyAdmin, in_lines
from core.refusal import NotAllowed, Refusal
from escalation.banners import told
from escalation.models import Delivery, Run
from escalation.selectors import list_events
from escalation.services import planning, runs, taking
from escalation.states import OPEN, RunState
from sla import subjects

Verb = Callable[[int, Staff, str], object]


VERBS: dict[str, Verb] = {
    "take": lambda run_id, by, _reason: taking.take(run_id=run_id, by=by, now=timezone.now()),
    "confirm": lambda run_id, by, _reason: runs.confirm(run_id=run_id, by=by, now=timezone.now()),
    "release": lambda run_id, by, reason: runs.release(run_id=run_id, by=by, reason=reason, now=timezone.now()),
    "climb": lambda run_id, by, reason: runs.climb(run_id=run_id, by=by, reason=reason, now=timezone.now()),
    "hand-back": lambda run_id, by, reason: runs.hand_back(run_id=run_id, by=by, reason=reason, now=timezone.now()),
    "resolve": lambda run_id, by, _reason: runs.resolve(run_id=run_id, by=by, now=timezone.now()),
    "cancel": lambda run_id, by, reason: runs.cancel(run_id=run_id, by=by, reason=reason, now=timezone.now()),
    "replan": lambda run_id, by, _reason: runs.replan(run_id=run_id, by=by, now=timezone.now()),
}


class OpenFilter(admin.SimpleListFilter):
    """What runs now, unless the person asks for the others."""

    title = _("state")
    parameter_name = "runs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ended", _("ended")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        for code, name in ((None, _("running")), *self.lookup_choices):
            query = changelist.get_query_string({self.parameter_name: code} if code else {}, [] if code else [self.parameter_name])
            yield {"selected": self.value() == code, "query_string": query, "display": name}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.exclude(state__in=OPEN) if self.value() == "ended" else queryset.filter(state__in=OPEN)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Whoever works on tickets may act; the clocks and the plan are those of the start."""

    list_display = ("title", "state", "level", "holder", "next_at", "reaction_due", "deal_due", "started_at")
    list_filter = (OpenFilter, "level")
    list_select_related = ("holder",)
    search_fields = ("subject",)
    search_help_text = _("Number of the ticket or of its store")
    ordering = ("-pk",)
    fields = (
        "title", "subject", "line", "state", "level", "holder", "reaction_due", "deal_due", "next_at", "started_at", "first_taken_at",
        "first_climbed_at", "ended_at", "fault", "plan_then", "story",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_before_template = "admin/escalation/run_buttons.html"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return (queryset.filter(subject__in=subjects.find(search_term)) if search_term.strip() else queryset), False

    @admin.display(description=_("plan"))
    def plan_then(self, run: Run) -> str:
        """What the run was started with, and whether the map says something else today."""
        name = str(run.plan.document.get("name", ""))
        line = planning.lines_in_use().filter(pk=run.line_id or 0).first()
        if line is None:
            return _t("%(name)s; the line is not in use any more") % {"name": name}
        changed = planning.has_changed(run.plan, line, now=timezone.now())
        return _t("%(name)s; the map has changed since") % {"name": name} if changed else name

    @admin.display(description=_("history"))
    def story(self, run: Run) -> SafeString:
        return in_lines((date_format(localtime(event.at), "d.m.Y H:i:s"), told(event)) for event in list_events(run))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        run = kwargs.get("obj")
        is_open = run is not None and run.state in OPEN and _may_act(request)
        context |= {"can_act": is_open, "is_taken": bool(run and run.state == RunState.TAKEN)}
        rendered: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return rendered

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.act))
        return [path("<int:run_id>/do/<slug:verb>/", view, name="escalation_run_act"), *super().get_urls()]

    def act(self, request: HttpRequest, run_id: int, verb: str) -> HttpResponse:
        """One deed of a person on a run."""
        person: Any = request.user
        if not _may_act(request):
            raise NotAllowed(_("Your role does not allow this."))
        if verb not in VERBS:
            raise Refusal("not_found", _("There is no such page."), status=404)
        try:
            VERBS[verb](run_id, person, request.POST.get("reason", ""))
        except Run.DoesNotExist:
            raise Refusal("not_found", _("There is no such escalation."), status=404) from None
        except Refusal as refusal:
            messages.error(request, str(refusal.text))
        return HttpResponseRedirect(reverse("admin:escalation_run_change", args=[run_id]))


def _may_act(request: HttpRequest) -> bool:
    return isinstance(request.user, Staff) and request.user.has_right(Right.CASES_WORK)


class WrittenFilter(PeriodFilter):
    field = "created_at"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "channel", "staff", "heading", "state", "tries", "late")
    list_filter = (WrittenFilter, "channel", "state")
    list_select_related = ("staff",)
    search_fields = ("run__subject",)
    search_help_text = _("Number of the ticket or of its store")
    ordering = ("-pk",)
    fields = (
        "run", "channel", "staff", "address", "heading", "message", "state", "tries", "next_at", "late", "possibly_delivered", "error",
        "created_at", "sent_at", "delivered_at", "read_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if not search_term.strip():
            return queryset, False
        runs_found = list(Run.objects.filter(subject__in=subjects.find(search_term)).values_list("pk", flat=True))
        return queryset.filter(run__in=runs_found), False
