"""Saving that asks first: what would the change do to the clocks that run?"""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t

from sla.models import Calendar, Policy
from sla.services import changes, clocks, previews
from sla.services.previews import Move, Preview

CHOICE = "_terms"
FOR_NEW, FOR_RUNNING = "new", "running"
NOT_SENT = (CHOICE, "csrfmiddlewaretoken")


class _Seen(Exception):
    """Undoes the saving and carries what it would have done out of the transaction."""

    def __init__(self, found: Preview) -> None:
        self.found = found


class PreviewedAdmin:
    """Mixed into the page of a policy or calendar. A change that clocks would feel is shown before it is kept; the person then chooses
    whether it holds for new clocks only, or for those that run, too."""

    model: Any
    admin_site: Any

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        page: Any = super().changeform_view  # type: ignore[misc]
        thing = self.model.objects.filter(pk=object_id).first() if request.method == "POST" and (object_id or "").isdecimal() else None
        if thing is None:
            return page(request, object_id, *args, **kwargs)
        try:
            return self._change(request, thing, lambda: page(request, object_id, *args, **kwargs))
        except _Seen as seen:
            return self._shown(request, thing, seen.found)
        finally:
            clocks.forget_hours()

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        """What the saving says is told once it is kept: until then it may be undone."""
        held: list[Any] | None = getattr(request, "held_messages", None)
        if held is None:
            super().message_user(request, message, *args, **kwargs)  # type: ignore[misc]
        else:
            held.append(lambda: super(PreviewedAdmin, self).message_user(request, message, *args, **kwargs))  # type: ignore[misc]

    def _change(self, request: HttpRequest, thing: Policy | Calendar, save: Any) -> Any:
        now, choice = timezone.now(), request.POST.get(CHOICE)
        with transaction.atomic():
            before = changes.said_by(thing)
            held: list[Any] = []
            request.held_messages = held  # type: ignore[attr-defined]
            answer = save()
            thing.refresh_from_db()
            if answer.status_code != 302 or before == changes.said_by(thing):
                return self._kept(request, held, answer)
            if choice not in {FOR_NEW, FOR_RUNNING} and changes.running_under(thing).exists():
                raise _Seen(previews.preview(thing, before, now=now))
            changes.keep_past(thing, before, now=now)
            if choice == FOR_RUNNING:
                person: Any = request.user
                changes.begin(thing, by=person, now=now)
                messages.info(request, _t("The change is being applied to the clocks that run."))
            return self._kept(request, held, answer)

    def _kept(self, request: HttpRequest, held: list[Any], answer: Any) -> Any:
        del request.held_messages  # type: ignore[attr-defined]
        for tell in held:
            tell()
        return answer

    def _shown(self, request: HttpRequest, thing: Policy | Calendar, found: Preview) -> TemplateResponse:
        meta = thing._meta
        context = {
            **self.admin_site.each_context(request),
            "title": _t("What the change would do: %(name)s") % {"name": thing},
            "sent": [
                (name, value) for name, values in request.POST.lists() for value in values if name not in {CHOICE, "csrfmiddlewaretoken"}
            ],
            "rows": counts(found),
            "found": found,
            "sample": [_line(move) for move in found.sample],
            "back": reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(thing.pk)]),
        }
        return TemplateResponse(request, "admin/sla/preview.html", context)


def counts(found: Preview) -> list[tuple[str, int, bool]]:
    """Names and numbers; True = a person should look."""
    rows = [
        (_t("due later"), found.later, False),
        (_t("due earlier"), found.earlier, False),
        (_t("stand, with another rest of time"), found.standing, False),
        (_t("not promised any more"), found.ended, False),
        (_t("as before"), found.same, False),
        (_t("would be broken at once"), found.breaks, True),
        (_t("are broken, and would have time again (that they were broken stays)"), found.relieved, False),
        (_t("could never be due: the calendar has no working time"), found.impossible, True),
    ]
    return [(name, number, is_alarm and number > 0) for name, number, is_alarm in rows]


def _line(move: Move) -> tuple[str, str, str, str, str]:
    return (move.name, str(move.metric.label), _at(move.before), _t("ends") if move.ends else _at(move.after), _verdict(move))


def _at(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT") if moment else _t("stands")


def _verdict(move: Move) -> str:
    if move.breaks:
        return _t("broken at once")
    return _t("has time again") if move.relieved else ""
