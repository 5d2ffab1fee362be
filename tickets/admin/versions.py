"""Versions of the topics: drafts are edited topic by topic, tried, published; an earlier version is one click away."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from core.admin import AuditedAdmin, Inline, in_lines
from core.refusal import Refusal
from tickets.admin.topics import Tree
from tickets.models import Detail, EntryDetail, TopicEntry, TopicVersion
from tickets.models.versions import VersionState
from tickets.routing import TopicCycle, resolve
from tickets.services import trials, versions

SHOWN = 100


@admin.register(Detail)
class DetailAdmin(AuditedAdmin):
    list_display = ("name", "code", "kind", "hint", "position")
    search_fields = ("name", "name_en", "code")


@admin.register(TopicVersion)
class TopicVersionAdmin(AuditedAdmin):
    """A version with what it changes, what stands against its publication, and what its trial found."""

    list_display = ("number", "state", "note", "topic_count", "made_by", "made_at", "published_at")
    list_filter = ("state",)
    list_select_related = ("made_by",)
    ordering = ("-number",)
    fields = ("number", "state", "note", "base", "made_by", "made_at", "published_by", "published_at", "changes", "against", "tried")
    readonly_fields = tuple(name for name in fields if name != "note")
    change_form_outer_before_template = "admin/tickets/version_buttons.html"
    list_before_template = "admin/tickets/version_list_buttons.html"

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[TopicVersion]":
        found: models.QuerySet[TopicVersion] = super().get_queryset(request)
        return found.annotate(size=Count("entries"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        # Published versions are the history; a draft is left aside.
        return isinstance(obj, TopicVersion) and obj.state == VersionState.DRAFT and super().has_delete_permission(request, obj)

    @admin.display(description=_("topics"))
    def topic_count(self, version: TopicVersion) -> SafeString:
        address = f"{reverse('admin:tickets_topicentry_changelist')}?version__id__exact={version.pk}"
        return format_html('<a href="{}">{}</a>', address, getattr(version, "size", 0))

    @admin.display(description=_("changes against the version it was made from"))
    def changes(self, version: TopicVersion) -> SafeString | str:
        if version.base is None:
            return "–"
        found = versions.differences(version, version.base)
        more = [("…", _t("and %(number)s more") % {"number": len(found) - SHOWN})] if len(found) > SHOWN else []
        return in_lines([*found[:SHOWN], *more]) if found else _t("nothing changes")

    @admin.display(description=_("against publication"))
    def against(self, version: TopicVersion) -> SafeString | str:
        if version.state != VersionState.DRAFT:
            return "–"
        found = versions.faults(version)
        return in_lines((number, text) for number, text in enumerate(found, 1)) if found else _t("nothing: all examples are green")

    @admin.display(description=_("trial on the tickets of the last days"))
    def tried(self, version: TopicVersion) -> SafeString | str:
        trial = version.trial
        if not trial:
            return _t("Not tried since the last change.")
        head = _t("%(moved)s of %(cases)s tickets of the last %(days)s days would have gone elsewhere.") % trial
        pairs = [(pair["count"], f"{pair['from']} → {pair['to']}") for pair in trial["pairs"][:SHOWN]]
        listed = [(f"№ {one['number']}", f"{one['topic']}: {one['from']} → {one['to']}") for one in trial["list"][:SHOWN]]
        return in_lines([("", head), *pairs, *listed])

    def get_urls(self) -> list[URLPattern]:
        deeds: dict[str, Any] = {"draft": self.make_draft, "try": self.try_out, "publish": self.publish}
        own = [
            path(f"<int:version_id>/{name}/", self.admin_site.admin_view(require_POST(deed)), name=f"tickets_topicversion_{name}")
            for name, deed in deeds.items()
        ]
        first = path("draft/", self.admin_site.admin_view(require_POST(self.make_draft)), name="tickets_topicversion_new")
        return [first, *own, *super().get_urls()]

    def _may(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise Refusal("not_allowed", _("Your role does not allow this."), status=403)

    def make_draft(self, request: HttpRequest, version_id: int = 0) -> HttpResponse:
        """A draft of this version, or of the published tree."""
        self._may(request)
        of = get_object_or_404(TopicVersion, pk=version_id) if version_id else None
        by: Any = request.user
        made = versions.draft(by=by, now=timezone.now(), of=of)
        messages.success(request, _t("Draft %(number)s is made: change its topics, try it, publish it.") % {"number": made.number})
        return _to(made)

    def try_out(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Run the trial and show what it found."""
        self._may(request)
        version = get_object_or_404(TopicVersion, pk=version_id)
        found = trials.run(version=version, now=timezone.now())
        messages.info(request, _t("%(moved)s of %(cases)s tickets of the last %(days)s days would have gone elsewhere.") % found)
        return _to(version)

    def publish(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Publish the draft, or roll back to an earlier version."""
        self._may(request)
        by: Any = request.user
        try:
            version = versions.publish(version_id=version_id, by=by, now=timezone.now())
            messages.success(request, _t("Version %(number)s is published.") % {"number": version.number})
        except versions.Unpublishable as refusal:
            for fault in refusal.faults[:SHOWN]:
                messages.error(request, fault)
        except Refusal as refusal:
            messages.error(request, str(refusal.text))
        return HttpResponseRedirect(reverse("admin:tickets_topicversion_change", args=[version_id]))


def _to(version: TopicVersion) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:tickets_topicversion_change", args=[version.pk]))


class EntryDetailInline(Inline):
    model = EntryDetail
    autocomplete_fields = ("detail",)


@admin.register(TopicEntry)
class TopicEntryAdmin(AuditedAdmin):
    """Topics of a version, the tree's branches together. Only drafts change."""

    list_display = ("in_tree", "code", "version", "group", "policy", "store_involved", "is_active")
    list_filter = ("version", "is_active")
    list_select_related = ("version", "parent", "group", "policy")
    search_fields = ("name", "name_en", "code")
    autocomplete_fields = ("parent", "group", "policy", "line")
    list_per_page = 300
    inlines = (EntryDetailInline,)
    readonly_fields = ("what_holds",)
    fieldsets = (
        (None, {"fields": ("version", "name", "name_en", "code", "parent", "position", "is_active")}),
        (
            _("Own settings; empty = inherited"),
            {"fields": ("group", "policy", "line", "store_involved", "store_required", "needs_approval", "instruction")},
        ),
        (_("What holds, and where it comes from"), {"fields": ("what_holds",)}),
    )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        root = models.functions.Coalesce("parent__position", "position")
        branch = models.functions.Coalesce("parent__name", "name")
        return ["-version__number", root, branch, models.F("parent_id").asc(nulls_first=True), "position", "name"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "version":
            kwargs["queryset"] = TopicVersion.objects.filter(state=VersionState.DRAFT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        newest = TopicVersion.objects.filter(state=VersionState.DRAFT).order_by("-number").first()
        return {"version": newest.pk if newest else None, **super().get_changeform_initial_data(request)}

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        # What is offered as a parent: a published topic of the same name would only be refused.
        return (found.filter(version__state=VersionState.DRAFT) if request.path.endswith("/autocomplete/") else found), may_repeat

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_open(obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _forget_trial(TopicEntry.objects.filter(pk=obj.pk))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        _forget_trial(TopicEntry.objects.filter(pk=obj.pk))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[TopicEntry]") -> None:
        _forget_trial(queryset)
        super().delete_queryset(request, queryset)

    @admin.display(description=_("topic"))
    def in_tree(self, entry: TopicEntry) -> SafeString:
        return format_html('<span class="otk-depth-{}">{}</span>', int(entry.parent_id is not None), entry)

    @admin.display(description=_("what holds"))
    def what_holds(self, entry: TopicEntry) -> SafeString | str:
        if not entry.pk:
            return _t("Shown once the topic is saved.")
        try:
            found = resolve(entry.pk, versions.tree_of(entry.version))
        except TopicCycle:
            return _t("“%(topic)s” is its own ancestor.") % {"topic": entry}
        return Tree().told(found, entry.name)


def _forget_trial(entries: "models.QuerySet[TopicEntry]") -> None:
    """What a trial found belongs to the version as it was."""
    TopicVersion.objects.filter(pk__in=list(entries.order_by().values_list("version", flat=True))).update(trial=None)


def _is_open(obj: models.Model | None) -> bool:
    return not isinstance(obj, TopicEntry) or obj.version.state == VersionState.DRAFT
