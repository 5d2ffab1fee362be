"""Files of points: uploaded, checked, let in by another person, watched."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import Staff
from accounts.rights import Right
from core.admin import ReadOnlyAdmin, in_lines, record
from core.refusal import Refusal
from loyalty.models import Import
from loyalty.services import import_steps, imports
from loyalty.states import ImportKind, ImportState

_STEPS = {"check": _("Check the file"), "approve": _("Let it in"), "stop": _("Stop")}
_OFFERED = {
    ImportState.NEW: ("check",),
    ImportState.CHECKING: ("stop",),
    ImportState.CHECKED: ("approve", "stop"),
    ImportState.LOADING: ("stop",),
    ImportState.STOPPED: ("check",),
}
REFRESH_SECONDS = "5"
# In the order of the page: what has to be equal stands together.
_PROVED = {
    "file_rows": _("rows of the file with points"),
    "transfers": _("transfers in the ledger"),
    "lots": _("lots with their expiry"),
    "file_points": _("points of the file"),
    "transferred_points": _("points of the transfers"),
    "lot_points": _("points of the lots"),
    "loaded_points": _("points that were loaded"),
    "stopped": _("stopped while"),
    "reason": _("why"),
}


def _offered(work: Import) -> tuple[str, ...]:
    """What may be done next; a load that was stopped goes on, it is not checked again."""
    stopped_loading = work.state == ImportState.STOPPED and work.proof.get("stopped") == ImportState.LOADING
    return ("approve",) if stopped_loading else _OFFERED.get(ImportState(work.state), ())


def _offered_to(person: Any, work: Import) -> tuple[str, ...]:
    """Whoever uploaded the file is not offered to let it in."""
    offered = _offered(work)
    return tuple(step for step in offered if step != "approve") if work.created_by_id == person.pk else offered


class NewImportForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Import
        fields = ("name", "kind", "chain", "file", "largest", "period_from", "period_to")
        help_texts = {
            "file": _(
                "CSV in UTF-8. The first line names the columns. Balances: card, points, expires (a day like 2030-12-31, may be "
                "empty). Accrual: card, points, receipt, date."
            ),
            "period_from": _("Of an accrual only."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begins, ends = cleaned.get("period_from"), cleaned.get("period_to")
        if cleaned.get("kind") == ImportKind.ACCRUAL and not (begins and ends and begins <= ends):
            raise forms.ValidationError(_("An accrual needs its period."))
        return cleaned


class StepForm(forms.ModelForm):  # type: ignore[type-arg]
    step = forms.ChoiceField(label=_("Next step"), required=False, widget=UnfoldAdminSelectWidget)
    person: Any = None
    """Who looks at the page; set by the admin page."""

    class Meta:
        model = Import
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered, all_steps = _offered_to(self.person, self.instance), _offered(self.instance)
        self.fields["step"].choices = [("", "—"), *((step, _STEPS[step]) for step in offered)]  # type: ignore[attr-defined]
        if offered != all_steps:
            self.fields["step"].help_text = _("Another person than who uploaded the file lets it in.")


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """The page renews itself while a file is read or loaded."""

    view_right = Right.POINTS
    list_display = ("created_at", "name", "kind", "chain", "state", "progress", "good_rows", "rejected_rows")
    list_filter = ("kind", "state")
    list_select_related = ("chain",)
    ordering = ("-pk",)
    readonly_fields = (
        "name", "kind", "chain", "state", "progress", "lines_read", "good_rows", "good_points", "rejected_rows", "rejects", "loaded_rows",
        "loaded_points", "totals", "created_by", "created_at", "approved_by", "finished_at",
    )  # fmt: skip

    # Who may add and change is asked in the views: the right to load.
    has_add_permission = admin.ModelAdmin.has_add_permission

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return isinstance(obj, Import) and ImportState(obj.state) in _OFFERED and _may_load(request)

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        self.form = type("StepForm", (StepForm,), {"person": request.user}) if obj else NewImportForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        if obj is None:
            return NewImportForm.Meta.fields
        return ("step", *self.readonly_fields) if self.has_change_permission(request, obj) else self.readonly_fields

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        return self.readonly_fields if obj else ()

    @admin.display(description=_("progress"))
    def progress(self, work: Import) -> SafeString:
        share = imports.share_done(work)
        return format_html('<progress max="100" value="{}"></progress> {} %', round(share * 100), round(share * 100))

    @admin.display(description=_("rejected rows as CSV"))
    def rejects(self, work: Import) -> SafeString | str:
        if not work.rejected_rows:
            return "–"
        address = reverse("admin:loyalty_import_rejects", args=[work.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', address, _t("Download"))

    @admin.display(description=_("proof of the totals"))
    def totals(self, work: Import) -> SafeString:
        told = sorted(work.proof, key=lambda name: list(_PROVED).index(name) if name in _PROVED else len(_PROVED))
        return in_lines((_PROVED.get(name, name), _proved(name, work.proof[name])) for name in told if work.proof[name] != "")

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        assert isinstance(obj, Import)
        assert isinstance(request.user, Staff)
        try:
            if change:
                self._step(obj, form.cleaned_data.get("step"), request.user)
            else:
                import_steps.keep(obj, by=request.user, now=timezone.now())
        except Refusal as refusal:
            request.is_refused = True  # type: ignore[attr-defined]
            messages.error(request, str(refusal))

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        """What was refused is not told as done."""
        if not getattr(request, "is_refused", False):
            super().message_user(request, message, *args, **kwargs)

    def _step(self, work: Import, step: str | None, by: Staff) -> None:
        steps: dict[str, Any] = {"check": import_steps.start_check, "approve": import_steps.approve, "stop": import_steps.stop}
        if step:
            steps[step](work=work, by=by, now=timezone.now())

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _may_load(request):
            raise PermissionDenied
        answer: HttpResponse = super().add_view(request, *args, **kwargs)
        return answer

    def response_add(self, request: HttpRequest, obj: models.Model, post_url_continue: str | None = None) -> HttpResponse:
        if obj.pk is None:  # refused: the list says why
            listed: HttpResponse = self.response_post_save_add(request, obj)
            return listed
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        return answer

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        return super().log_addition(request, obj, message) if obj.pk else None

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        extra = {**(kwargs.pop("extra_context", None) or {}), "show_save_and_add_another": False}
        answer: HttpResponseBase = super().change_view(request, object_id, *args, extra_context=extra, **kwargs)
        if request.method == "GET" and Import.objects.filter(pk=object_id, state__in=import_steps.ACTIVE).exists():
            answer.headers["Refresh"] = REFRESH_SECONDS
        return answer

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:import_id>/rejects.csv", self.admin_site.admin_view(self.rejects_view), name="loyalty_import_rejects")
        urls: list[URLPattern] = super().get_urls()
        return [own, *urls]

    def rejects_view(self, request: HttpRequest, import_id: int) -> HttpResponseBase:
        """Every row that was not taken, with its line and the reason; card numbers are personal, so it is recorded."""
        work = get_object_or_404(Import, pk=import_id)
        if not self.has_view_permission(request, work):
            raise PermissionDenied
        with transaction.atomic():
            record(request, "points_import.rejects_seen", work, {})
        answer = StreamingHttpResponse(_csv(work), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="rejects-{work.pk}.csv"'
        return answer


class _Echo:
    """A file for the csv writer that hands its text on."""

    def write(self, text: str) -> str:
        return text


def _csv(work: Import) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([_t("line of the file"), _t("reason"), _t("row")])
    for row in imports.rejects_of(work):
        yield writer.writerow(row)


def _proved(name: str, value: Any) -> Any:
    return ImportState(value).label if name == "stopped" and value in ImportState.values else value


def _may_load(request: HttpRequest) -> bool:
    return isinstance(request.user, Staff) and request.user.has_right(Right.LOAD_POINTS)
