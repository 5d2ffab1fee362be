"""The page of reports and its download."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.entrance import require
from accounts.rights import Right
from reports import charts
from reports.figures import FIGURES, Figure, Sums
from reports.forms import ReportForm
from reports.models import CaseFact
from reports.selectors import Dimension, Report, read, stream

CHART_ROWS = 20
# Spreadsheets run what begins so; a quote before it makes it a text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Line:
    label: str
    cells: Sequence[str]


def shown(figure: Figure, sums: Sums) -> str:
    """A figure as people read it; a dash where there is nothing to count."""
    value = figure.value(sums)
    if value is None:
        return "–"
    if figure.unit == "share":
        return f"{number_format(value * 100, 1)} %"
    if figure.unit == "mark":
        return str(number_format(value, 2))
    return _duration(round(value)) if figure.unit == "seconds" else str(round(value))


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _form(request: HttpRequest) -> ReportForm:
    return ReportForm(request.GET, today=timezone.localdate(), zone=timezone.get_current_timezone_name())


@require_safe
@require(Right.REPORTS)
def report(request: HttpRequest) -> HttpResponse:
    """Figures of closed tickets: a period, filters, one split; the totals are the same for every split."""
    form = _form(request)
    context: dict[str, object] = {"form": form, "figures": FIGURES, "query": request.GET.urlencode()}
    if form.is_valid():
        found, split = read(form.scope(), form.cleaned_data["by"]), form.cleaned_data["by"]
        context |= {
            "lines": [_line(row.label, row.sums) for row in found.rows],
            "total": _line(_("Total"), found.total),
            "split": Dimension(split).label,
            "chart": _chart(found, split),
        }
    return render(request, "reports/report.html", context)


def _line(label: str, sums: Sums) -> Line:
    return Line(label=label, cells=[shown(figure, sums) for figure in FIGURES])


def _chart(found: Report, split: Dimension) -> SafeString | str:
    bars = [charts.Bar(label=row.label, value=row.sums.closed, shown=str(row.sums.closed)) for row in found.rows]
    if not bars:
        return ""
    title = _("Closed tickets %(split)s") % {"split": Dimension(split).label}
    description = _("The table below says the same in numbers.")
    if split == Dimension.DAY:
        return charts.columns(bars, title=title, description=description)
    return charts.rows(bars[:CHART_ROWS], title=title, description=description)


class Echo:
    """Gives each written line back, so that a download is sent while it is read."""

    def write(self, line: str) -> str:
        return line


COLUMNS = (
    "number",
    "opened_at",
    "closed_at",
    "group",
    "topic",
    "store",
    "region",
    "channel",
    "owner",
    "cause",
    "first_answer_seconds",
    "resolution_seconds",
    "answered_in_time",
    "resolved_in_time",
    "messages_in",
    "messages_out",
    "reopened",
    "mark",
)


@require_safe
@require(Right.REPORTS)
def download(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every counted ticket of the period and filters as CSV (RFC 4180, semicolons, UTF-8 with a mark), without a limit."""
    form = _form(request)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain; charset=utf-8")
    answer = StreamingHttpResponse(_csv(stream(form.scope())), content_type="text/csv; charset=utf-8")
    name = f"otklik-{form.cleaned_data['since']}-{form.cleaned_data['until']}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _csv(facts: Iterator[CaseFact]) -> Iterator[str]:
    writer = csv.writer(Echo(), delimiter=";")
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    for fact in facts:
        yield str(writer.writerow([_cell(fact, name) for name in COLUMNS]))


def _cell(fact: CaseFact, name: str) -> str:
    value = getattr(fact, name)
    if value is None:
        return ""
    if name in {"opened_at", "closed_at"}:
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "1" if value else "0"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
