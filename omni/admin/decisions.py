"""Dialogues and to whom they were given: why this person, who else was possible and why not; a supervisor gives one by hand."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Staff
from accounts.rights import Right
from core import audit
from core.admin import PeriodFilter, address_of, in_lines, titled
from core.refusal import Refusal
from omni.admin.facts import NumberSearch
from omni.admin.simulation import SimulationForm, hour_by_hour, side_by_side
from omni.admin.wording import explained, left_out, needs_in_words, verdict_in_words
from omni.models import Decision, Session
from omni.services import distribution, simulations
from omni.states import SessionState


def may_supervise(request: HttpRequest) -> Staff:
    """The signed-in person. Raises PermissionDenied for who may not lead operators."""
    person = cast(Staff, request.user)
    if not person.has_right(Right.SUPERVISE):
        raise PermissionDenied
    return person


@admin.register(Session)
class SessionAdmin(NumberSearch):
    """A dialogue, with everything that was decided about it, and what would be decided now."""

    view_right = Right.EVERYTHING
    list_display = ("id", "guest", "account", "queue", "state", "owner", "opened_at", "closed_at")
    list_filter = ("account",)
    list_select_related = ("guest", "account", "queue", "owner")
    search_help_text = _("Number of the dialogue")
    ordering = ("-pk",)
    fields = (
        "guest", "account", "queue", "group", "state", "owner", "subject", "language", "topics", "opened_at", "closed_at", "previous",
        "at_this_moment", "why",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_before_template = "admin/omni/session_force.html"

    @admin.display(description=_("to whom it was given, and why"))
    def why(self, session: Session) -> SafeString | str:
        decisions = session.decisions.select_related("staff").order_by("-at", "-pk")[:20]
        told = ((_heading(decision), f"{decision.staff}. {explained(decision)}") for decision in decisions)
        return in_lines(told) if decisions else "–"

    @admin.display(description=_("what would be decided now"))
    def at_this_moment(self, session: Session) -> SafeString | str:
        if session.state != SessionState.WAITING:
            return _t("It does not wait in the queue.")
        if session.offered_until:
            return _t("It is being offered to somebody.")
        if session.queue.is_paused:
            return _t("Its queue is paused.")
        found = distribution.look_at(session.pk, now=timezone.now())
        return in_lines(verdict_in_words(*found)) if found else "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.force))
        return [path("<int:session_id>/force/", view, name="omni_session_force"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        session: Session | None = kwargs.get("obj")
        leads = cast(Staff, request.user).has_right(Right.SUPERVISE)
        if session is not None and leads and session.state in {SessionState.WAITING, SessionState.ACTIVE}:
            context["force_form"] = ForceForm(session)
        return cast(HttpResponse, super().render_change_form(request, context, *args, **kwargs))

    def force(self, request: HttpRequest, session_id: int) -> HttpResponse:
        """Give the dialogue to a person, whatever the rules say."""
        by = may_supervise(request)
        session = Session.objects.select_related("queue").filter(pk=session_id).first()
        form = ForceForm(session, request.POST) if session else None
        if form is None or not form.is_valid():
            messages.error(request, _t("Please choose from the list."))
        else:
            asked = form.cleaned_data
            try:
                distribution.force(session_id=session_id, to=asked["to"], by=by, reason=asked["reason"], now=timezone.now())
            except Refusal as refusal:
                messages.error(request, str(refusal.text))
            else:
                messages.success(request, _t("%(name)s has the dialogue now.") % {"name": asked["to"]})
        return HttpResponseRedirect(reverse("admin:omni_session_change", args=[session_id]))


def _heading(decision: Decision) -> str:
    return f"{timezone.localtime(decision.at):%d.%m.%Y %H:%M:%S} · {decision.get_kind_display()}"


class ForceForm(forms.Form):
    """To whom, and why: people who answer guests, those of the dialogue's group first."""

    to = forms.ModelChoiceField(label=_("Give to"), queryset=Staff.objects.none(), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(label=_("Why"), max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, session: Session, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Staff.objects.filter(is_active=True, roles__rights__contains=[Right.ANSWER]).distinct()
        near = people.filter(memberships__group_id=session.serving_group_id)
        field = cast("forms.ModelChoiceField[Staff]", self.fields["to"])
        field.queryset = (near if near.exists() else people).order_by("full_name")


class DecisionPeriod(PeriodFilter):
    field = "at"


@admin.register(Decision)
class DecisionAdmin(NumberSearch):
    view_right = Right.SUPERVISE
    number_field = "session_id"
    list_display = ("time", "dialogue", "in_group", "done", "person", "because")
    list_filter = (DecisionPeriod, "kind", ("group", titled(_("group"))))
    list_select_related = ("staff", "group")
    search_help_text = _("Number of the dialogue")
    ordering = ("-at",)
    fields = ("time", "dialogue", "in_group", "done", "person", "because", "needs", "next_best", "others")
    readonly_fields = fields
    list_before_template = "admin/omni/decision_buttons.html"

    @admin.display(description=_("time"), ordering="at")
    def time(self, decision: Decision) -> Any:
        return decision.at

    @admin.display(description=_("dialogue"))
    def dialogue(self, decision: Decision) -> int:
        return decision.session_id

    @admin.display(description=_("group"))
    def in_group(self, decision: Decision) -> str:
        return decision.group.name

    @admin.display(description=_("what was done"))
    def done(self, decision: Decision) -> str:
        return decision.get_kind_display()

    @admin.display(description=_("given to"))
    def person(self, decision: Decision) -> str:
        return str(decision.staff)

    @admin.display(description=_("why"))
    def because(self, decision: Decision) -> str:
        return explained(decision)

    @admin.display(description=_("skills needed"))
    def needs(self, decision: Decision) -> str:
        return needs_in_words(decision.explanation.get("needs", []))

    @admin.display(description=_("who else could have taken it"))
    def next_best(self, decision: Decision) -> SafeString | str:
        others = decision.explanation.get("next_best", [])
        names = Staff.objects.in_bulk([other["staff_id"] for other in others])
        idle = _t("without new work for %(seconds)d s")
        told = (
            (f"{rank}. {names.get(other['staff_id'], '?')}", f"{other['load']}, " + idle % {"seconds": other.get("idle_seconds", 0)})
            for rank, other in enumerate(others, 2)
        )
        return in_lines(told) if others else "–"

    @admin.display(description=_("who could not, and why"))
    def others(self, decision: Decision) -> SafeString | str:
        people = decision.explanation.get("left_out", {})
        return in_lines(left_out(people)) if people else "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.simulate)
        return [path("simulate/", view, name="omni_decision_simulate"), *super().get_urls()]

    def simulate(self, request: HttpRequest) -> HttpResponse:
        """A past period played again on changed rules: the form, and the figures side by side."""
        by = may_supervise(request)
        form = SimulationForm(request.POST or None, initial=SimulationForm.yesterday())
        found = None
        if request.method == "POST" and form.is_valid():
            try:
                found = simulations.compare(now=timezone.now(), **form.asked())
            except Refusal as refusal:
                form.add_error(None, str(refusal.text))
            else:
                with transaction.atomic():
                    details = {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
                    audit.record(
                        action="distribution.simulated", by=by, subject=by, now=timezone.now(), details=details, address=address_of(request)
                    )
        context = {**self.admin_site.each_context(request), "title": _("What if"), "opts": self.opts, "form": form}
        context |= {"rows": side_by_side(found), "hours": hour_by_hour(found)} if found else {}
        return TemplateResponse(request, "admin/omni/simulate.html", context)
