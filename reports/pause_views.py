"""The page of pauses in which the guest wrote, and its download."""

import csv
from collections.abc import Iterator
from itertools import islice

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from accounts.entrance import require
from accounts.rights import Right
from reports.forms import ReportForm
from reports.pauses import Overlap, by_group, overlaps
from reports.views import FORMULA, Echo

# A page of a person; the download has them all.
SHOWN, COUNTED = 200, 10_000
COLUMNS = ("number", "group", "owner", "reason", "stood_since", "stood_until", "guest_wrote", "messages", "hidden_seconds")


def _form(request: HttpRequest) -> ReportForm:
    return ReportForm(request.GET, today=timezone.localdate(), zone=timezone.get_current_timezone_name())


def _found(form: ReportForm) -> Iterator[Overlap]:
    scope = form.scope()
    return overlaps(since=scope.since, until=scope.until, zone=scope.zone, now=timezone.now())


@require_safe
@require(Right.REPORTS)
def pauses(request: HttpRequest) -> HttpResponse:
    """Where a clock stood although the guest had written: by group, and one by one."""
    form = _form(request)
    context: dict[str, object] = {"form": form, "query": request.GET.urlencode()}
    if form.is_valid():
        found = list(islice(_found(form), COUNTED))
        context |= {"groups": by_group(found), "lines": [_line(one) for one in found[:SHOWN]], "number": len(found), "most": COUNTED}
    return render(request, "reports/pauses.html", context)


def _line(one: Overlap) -> tuple[Overlap, list[str]]:
    times = (one.starts_at, one.wrote_at, one.ends_at)
    return one, [date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–" for at in times]


@require_safe
@require(Right.REPORTS)
def download(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All of the period as CSV (RFC 4180, semicolons, UTF-8 with a mark), without a limit."""
    form = _form(request)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain; charset=utf-8")
    answer = StreamingHttpResponse(_csv(_found(form)), content_type="text/csv; charset=utf-8")
    name = f"otklik-pauses-{form.cleaned_data['since']}-{form.cleaned_data['until']}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _csv(found: Iterator[Overlap]) -> Iterator[str]:
    writer = csv.writer(Echo(), delimiter=";")
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    for one in found:
        hidden = "" if one.hidden_seconds is None else round(one.hidden_seconds)
        times = [timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else "" for at in (one.starts_at, one.ends_at, one.wrote_at)]
        row = [one.number, one.group, one.owner, one.reason, *times, one.messages, hidden]
        yield str(writer.writerow([f"'{cell}" if str(cell).startswith(FORMULA) else cell for cell in row]))
