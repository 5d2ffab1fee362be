"""The inbound journal: what could not be read or processed, why, and its replay after a mend."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Staff
from accounts.rights import Right
from core.admin import PeriodFilter, ReadOnlyAdmin, in_lines, record
from omni.models import ChannelAccount, InboundEvent
from omni.services import journal
from omni.states import EventState

TROUBLED = (EventState.UNREADABLE, EventState.FAILED)
# What one click replays; the answer says how many are left.
AT_ONCE = 500
SHOWN_BYTES = 64 * 1024
# Shorter words are no secrets, and would tear holes into the text.
HIDDEN_FROM = 6
HEX_BYTES = 2048


class StateFilter(admin.SimpleListFilter):
    """Troubled events unless something else is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("all")), *EventState.choices]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("in trouble")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: "models.QuerySet[InboundEvent]") -> "models.QuerySet[InboundEvent]":
        if self.value() is None:
            return queryset.filter(state__in=TROUBLED)
        return queryset if self.value() == "all" else queryset.filter(state=self.value())


class ReceivedFilter(PeriodFilter):
    field = "received_at"


class PeriodForm(forms.Form):
    """Which events to replay."""

    account = forms.ModelChoiceField(
        label=_("Account"), queryset=ChannelAccount.objects.all(), required=False, empty_label=_("all"), widget=UnfoldAdminSelectWidget
    )
    since = forms.DateTimeField(label=_("Received from"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(label=_("Received until"), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))
    states = forms.MultipleChoiceField(
        label=_("States"), choices=EventState.choices, initial=list(TROUBLED), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", _("The period ends before it begins."))
        return cleaned

    def events(self) -> "models.QuerySet[InboundEvent]":
        asked = self.cleaned_data
        found = InboundEvent.objects.filter(received_at__gte=asked["since"], received_at__lt=asked["until"], state__in=asked["states"])
        return found.filter(account=asked["account"]) if asked["account"] else found


@admin.register(InboundEvent)
class JournalAdmin(ReadOnlyAdmin):
    """Events as they arrived. Replaying what went well changes nothing; what failed is tried anew."""

    view_right = Right.JOURNAL
    list_display = ("received_at", "account", "state", "why", "tries", "processed_at")
    list_filter = (StateFilter, "account", ReceivedFilter)
    list_select_related = ("account",)
    search_fields = ("key__startswith",)
    search_help_text = _("The provider's key of the event")
    ordering = ("-received_at",)
    actions = ("replay_chosen",)
    fields = ("account", "key", "state", "reason", "tries", "received_at", "processed_at", "sent_headers", "text_body", "hex_body", "made")
    readonly_fields = fields
    change_form_outer_before_template = "admin/omni/event_buttons.html"
    list_before_template = "admin/omni/journal_buttons.html"

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[InboundEvent]":
        found: models.QuerySet[InboundEvent] = super().get_queryset(request)
        opened = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return found if opened else found.defer("body", "headers", "query")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> InboundEvent | None:
        event: InboundEvent | None = super().get_object(request, object_id, from_field)
        if event is not None:
            with transaction.atomic():
                record(request, "journal.seen", event, {"key": event.key})
        return event

    @admin.display(description=_("reason"))
    def why(self, event: InboundEvent) -> str:
        return event.reason[:160] or "–"

    @admin.display(description=_("headers"))
    def sent_headers(self, event: InboundEvent) -> SafeString | str:
        pairs = [*event.headers.items(), *((f"?{name}", value) for name, value in event.query.items())]
        return in_lines(pairs) if pairs else "–"

    @admin.display(description=_("body as text"))
    def text_body(self, event: InboundEvent) -> SafeString:
        return format_html('<pre class="otk-body" tabindex="0">{}</pre>', as_text(shown_body(event)))

    @admin.display(description=_("first bytes"))
    def hex_body(self, event: InboundEvent) -> SafeString:
        return format_html('<pre class="otk-body" tabindex="0">{}</pre>', as_hex(shown_body(event)[:HEX_BYTES]))

    @admin.display(description=_("numbers of the messages it made"))
    def made(self, event: InboundEvent) -> str:
        return ", ".join(str(number) for number in event.message_ids) or "–"

    @admin.action(description=_("Replay the chosen events"))
    def replay_chosen(self, request: HttpRequest, queryset: "models.QuerySet[InboundEvent]") -> None:
        self._replay(request, queryset)

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        own = [
            path("replay/", guarded(self.replay_period), name="omni_inboundevent_replay_period"),
            path("<int:event_id>/replay/", guarded(require_POST(self.replay_one)), name="omni_inboundevent_replay"),
        ]
        return [*own, *super().get_urls()]

    def replay_one(self, request: HttpRequest, event_id: int) -> HttpResponse:
        self._check_right(request)
        self._replay(request, InboundEvent.objects.filter(pk=event_id))
        return HttpResponseRedirect(reverse("admin:omni_inboundevent_change", args=[event_id]))

    def replay_period(self, request: HttpRequest) -> HttpResponse:
        """A form, then the same with the number of events to confirm, then the replay."""
        self._check_right(request)
        form = PeriodForm(request.POST or None)
        count = None
        if request.method == "POST" and form.is_valid():
            if "confirmed" in request.POST:
                self._replay(request, form.events())
                return HttpResponseRedirect(reverse("admin:omni_inboundevent_changelist"))
            count = form.events().count()
        context = {**self.admin_site.each_context(request), "title": _("Replay a period"), "opts": self.opts, "form": form, "count": count}
        return TemplateResponse(request, "admin/omni/replay_period.html", context)

    def _check_right(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _replay(self, request: HttpRequest, queryset: "models.QuerySet[InboundEvent]") -> None:
        """Replay in the order of arrival and say what came of it."""
        ids = list(queryset.order_by("received_at", "pk").values_list("pk", flat=True)[: AT_ONCE + 1])
        ended = journal.replay(event_ids=ids[:AT_ONCE], by=cast(Staff, request.user), now=timezone.now())
        messages.info(request, told(ended))
        if len(ids) > AT_ONCE:
            messages.warning(
                request, _t("There were more; these were the first %(count)d. Please repeat for the rest.") % {"count": AT_ONCE}
            )


def told(ended: Mapping[str, int]) -> str:
    """What came of a replay, in a sentence: counts by state."""
    count = sum(ended.values())
    if not count:
        return _t("Nothing to replay.")
    names = {**dict(EventState.choices), "busy": _("being processed by somebody else")}
    parts = ", ".join(f"{names.get(state, state)} – {number}" for state, number in ended.items())
    text = ngettext("%(count)d event replayed: %(parts)s.", "%(count)d events replayed: %(parts)s.", count)
    return text % {"count": count, "parts": parts}


def shown_body(event: InboundEvent) -> bytes:
    """The body as it came, but for the account's own secrets: some vendors send them along instead of signing (VK's `secret`)."""
    body = bytes(event.body)
    for secret in event.account.config().secrets.values():
        if len(secret) >= HIDDEN_FROM:
            body = body.replace(secret.encode(), b"*" * 8)
    return body


def as_text(body: bytes) -> str:
    """The body as UTF-8, JSON indented; what is not UTF-8 is marked. At most SHOWN_BYTES of it."""
    shown = body[:SHOWN_BYTES]
    text = shown.decode("utf-8", "backslashreplace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return text if len(body) <= SHOWN_BYTES else f"{text}\n… {len(body)} B"


def as_hex(body: bytes) -> str:
    """Sixteen bytes a line: place, hexadecimal, printable ASCII."""
    lines = []
    for place in range(0, len(body), 16):
        part = body[place : place + 16]
        signs = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{place:06x}  {part.hex(' '):<47}  {signs}")
    return "\n".join(lines)
