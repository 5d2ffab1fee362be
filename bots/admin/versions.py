"""A version of a dialogue: its steps, what is wrong with it, the try-out, publishing."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Staff
from accounts.rights import Right
from bots.models import Version
from bots.services import scripts, trying
from bots.services.trying import Played, Trial
from bots.skills.registry import SKILLS
from core.admin import AuditedAdmin
from core.refusal import Refusal


class TrialForm(forms.Form):
    """What the guest says, and what is so in the try-out."""

    text = forms.CharField(label=_("The guest writes"), required=False, max_length=2000)
    is_working = forms.BooleanField(label=_("Somebody works now"), required=False, initial=True)
    can_share_phone = forms.BooleanField(label=_("The channel can share a telephone"), required=False, initial=True)
    phone = forms.RegexField(
        r"^\+\d{7,15}$",
        label=_("The guest has shared the telephone"),
        required=False,
        help_text=_("For example +79161234567; empty = not yet."),
    )
    outcome = forms.SlugField(
        label=_("The next skill comes to"), required=False, max_length=24, help_text=_("Code of an outcome; empty = the skill is asked.")
    )


@admin.register(Version)
class VersionAdmin(AuditedAdmin):
    """Drafts are edited; what is or was published is only looked at, copied, or published again."""

    list_display = ("number", "dialogue", "state", "made_at", "made_by", "published_at")
    list_filter = ("state", "dialogue")
    list_select_related = ("dialogue", "made_by")
    fieldsets = (
        (None, {"fields": ("dialogue", "number", "state", "start", "most_misunderstood", "most_turns", "idle_minutes")}),
        (_("A person"), {"fields": ("operator_words", "operator_label", "operator_text", "closed_text", "taken_text")}),
        (_("Not understood"), {"fields": ("misunderstood_text",)}),
    )
    change_form_outer_before_template = "admin/bots/version.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a draft is made from another version

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return (obj is None or cast(Version, obj).is_draft) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is not None and not obj.is_draft:
            return tuple(name for _title, part in self.fieldsets for name in cast(Any, part["fields"]))
        return ("dialogue", "number", "state")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        version = kwargs.get("obj")
        if version is not None:
            context |= {"steps": version.steps.prefetch_related("ways"), "faults": scripts.faults(version) if version.is_draft else []}
            context["skills"] = SKILLS.values()
        return cast(HttpResponse, super().render_change_form(request, context, *args, **kwargs))

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("<int:version_id>/try/", guarded(require_http_methods(["GET", "POST"])(self.try_out)), name="bots_version_try"),
            path("<int:version_id>/publish/", guarded(require_POST(self.publish)), name="bots_version_publish"),
            path("<int:version_id>/copy/", guarded(require_POST(self.copy)), name="bots_version_copy"),
        ]
        return [*own, *super().get_urls()]

    def publish(self, request: HttpRequest, version_id: int) -> HttpResponse:
        self._version(request, version_id, change=True)
        try:
            version = scripts.publish(version_id, by=cast(Staff, request.user), now=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal.text))
        else:
            messages.success(request, _t("Version %(number)d is published: new talks go by it.") % {"number": version.number})
        return HttpResponseRedirect(_page(version_id))

    def copy(self, request: HttpRequest, version_id: int) -> HttpResponse:
        self._version(request, version_id, change=True)
        draft = scripts.new_draft(version_id, by=cast(Staff, request.user), now=timezone.now())
        messages.success(request, _t("A draft has been made. Guests go on meeting the published version."))
        return HttpResponseRedirect(_page(draft.pk))

    def try_out(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """The guest is played; nothing is sent. The talk is kept with the tester's sign-in."""
        version = self._version(request, version_id, change=False)
        kept, form = f"bot-try:{version_id}", TrialForm(request.POST or None)
        trial = trying.trial_from(request.session.get(kept))
        if request.method == "POST" and form.is_valid():
            trial = self._go_on(request, version, trial, form.cleaned_data)
            request.session[kept] = trial.as_json()
        elif not trial.lines:
            trial = trying.begin(version, Played(), now=timezone.now())
            request.session[kept] = trial.as_json()
        context = {
            **self.admin_site.each_context(request),
            "title": _t("Try-out: %(version)s") % {"version": version},
            "version": version,
            "trial": trial,
            "form": form,
            "choices": trial.lines[-1].choices if trial.lines and not trial.is_over else (),
        }
        return TemplateResponse(request, "admin/bots/try.html", context)

    def _go_on(self, request: HttpRequest, version: Version, trial: Trial, given: dict[str, Any]) -> Trial:
        names = ("is_working", "can_share_phone", "phone", "outcome")
        sees = cast(Staff, request.user).has_right(Right.PERSONAL)
        played = Played(**{name: given[name] for name in names}, sees_personal=sees)
        if "again" in request.POST:
            return trying.begin(version, played, now=timezone.now())
        text = request.POST.get("choice") or given["text"]
        return trying.hear(version, trial, text[:2000], played, now=timezone.now())

    def _version(self, request: HttpRequest, version_id: int, *, change: bool) -> Version:
        version = get_object_or_404(Version.objects.select_related("dialogue"), pk=version_id)
        allowed = self.has_change_permission(request, version) if change else self.has_view_permission(request, version)
        if not allowed:
            raise Refusal("not_allowed", _("Your role does not allow this."), status=403)
        return version


def _page(version_id: int) -> str:
    return reverse("admin:bots_version_change", args=[version_id])
