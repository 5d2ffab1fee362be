"""Guests, to be looked at: contacts stay hidden without the right, and each look is recorded."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Staff
from accounts.rights import Right
from core.admin import AuditedAdmin, Inline, OneRowAdmin, ReadOnlyAdmin, in_lines, record
from core.text import searchable
from customers import measures
from customers.models import Guest, GuestMerge, MatchRule, MergePolicy, Segment, SegmentMark, SegmentRule
from customers.rules import masked, masked_email, masked_phone


@admin.register(Guest)
class GuestAdmin(ReadOnlyAdmin):
    """The list never shows contacts; the page does to those with the right, and says so in the audit trail."""

    list_display = ("name_shown", "segment", "language", "created_at")
    list_filter = ("segment",)
    list_display_links = ("name_shown",)
    search_fields = ("search_text__contains",)
    search_help_text = _("Name, telephone as +79161234567, or e-mail")
    ordering = ("-pk",)
    fields = ("name_shown", "phone_shown", "email_shown", "segment", "language", "created_at", "known_as", "merged_into")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Guest]":
        return super().get_queryset(request).filter(is_person=True)  # type: ignore[no-any-return]

    def get_search_results(self, request: HttpRequest, queryset: "models.QuerySet[Guest]", search_term: str) -> Any:
        # Finding by a telephone or an address would tell whose it is.
        if not _sees_contacts(request) and any(sign.isdigit() or sign == "@" for sign in search_term):
            return queryset.none(), False
        return super().get_search_results(request, queryset, searchable(search_term))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Guest | None:
        guest: Guest | None = super().get_object(request, object_id, from_field)
        if guest is not None and _sees_contacts(request):
            guest.contacts_open = True  # type: ignore[attr-defined]
            with transaction.atomic():
                record(request, "guest.contacts_seen", guest, {})
        return guest

    @admin.display(description=pgettext_lazy("person", "name"))
    def name_shown(self, guest: Guest) -> str:
        return str(guest)

    @admin.display(description=_("phone"))
    def phone_shown(self, guest: Guest) -> str:
        return guest.phone if _is_open(guest) else masked_phone(guest.phone)

    @admin.display(description=_("e-mail"))
    def email_shown(self, guest: Guest) -> str:
        return guest.email if _is_open(guest) else masked_email(guest.email)

    @admin.display(description=_("known as"))
    def known_as(self, guest: Guest) -> SafeString | str:
        shown = (
            (identity.channel, identity.external_id if _is_open(guest) else masked(identity.external_id, begin=2, end=2))
            for identity in guest.identities.order_by("pk")[:50]
        )
        return format_html_join("", "<div>{}: {}</div>", shown) or "–"


def _is_open(guest: Guest) -> bool:
    return bool(getattr(guest, "contacts_open", False))


def _sees_contacts(request: HttpRequest) -> bool:
    return isinstance(request.user, Staff) and request.user.has_right(Right.PERSONAL)


@admin.register(MatchRule)
class MatchRuleAdmin(AuditedAdmin):
    """How sure each reason makes us that two guests are one person."""

    list_display = ("code", "weight", "links_by_itself")
    ordering = ("code",)


@admin.register(MergePolicy)
class MergePolicyAdmin(OneRowAdmin):
    """One row; without it the shipped numbers hold."""

    list_display = ("numbers", "least_score", "undo_days")

    @admin.display(description=_("Numbers of joining guests"))
    def numbers(self, policy: MergePolicy) -> str:
        return str(policy)


@admin.register(GuestMerge)
class GuestMergeAdmin(ReadOnlyAdmin):
    """Who was joined to whom, by whom and why; what moved; whether it was undone."""

    list_display = ("at", "kept", "gone", "by", "score", "undone_at")
    list_select_related = ("kept", "gone", "by")
    ordering = ("-at",)
    fields = ("at", "kept", "gone", "by", "score", "why", "what_moved", "undone_at", "undone_by")
    readonly_fields = fields

    @admin.display(description=_("reason"))
    def why(self, merge: GuestMerge) -> str:
        names = dict(MatchRule._meta.get_field("code").flatchoices)
        return ", ".join(str(names.get(reason, reason)) for reason in merge.reasons) or "–"

    @admin.display(description=_("what moved"))
    def what_moved(self, merge: GuestMerge) -> SafeString:
        return in_lines(merge.moved.items())


class SegmentRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SegmentRule
        fields = ("measure", "least", "months")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"] = forms.ChoiceField(label=_("what is measured"), choices=measures.choices())


class SegmentRuleInline(Inline):
    model = SegmentRule
    form = SegmentRuleForm


@admin.register(Segment)
class SegmentAdmin(AuditedAdmin):
    """Looked at in order; any rule that fits brings a guest in, counted each night. Whom people have marked stays as marked."""

    list_display = ("position", "name", "code", "ways", "is_active")
    list_display_links = ("name",)
    list_editable = ("position", "is_active")
    ordering = ("position", "code")
    inlines = (SegmentRuleInline,)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Segment]":
        return super().get_queryset(request).prefetch_related("rules")  # type: ignore[no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Guests and rules of promises keep the code: another one is another segment."""
        return ("code",) if obj else ()

    @admin.display(description=_("how guests get here"))
    def ways(self, segment: Segment) -> str:
        names = dict(measures.choices())
        told = [f"{names.get(rule.measure, rule.measure)} ≥ {rule.least} · {rule.months}" for rule in segment.rules.all()]
        return "; ".join(told) or str(_("by hand only"))


@admin.register(SegmentMark)
class SegmentMarkAdmin(ReadOnlyAdmin):
    """Whom people have marked, and why. Marked at the desk, beside the guest."""

    list_display = ("at", "guest", "segment", "reason", "by")
    list_display_links = ("guest",)
    list_select_related = ("guest", "segment", "by")
    ordering = ("-at",)
    fields = list_display
    readonly_fields = fields
