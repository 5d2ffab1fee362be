"""Reads of the fact table: sums by one dimension, and the rows themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from omni.channels.registry import adapter_for
from reports.figures import Sums, total
from reports.models import CaseFact
from tickets.states import Cause

# More rows than a person reads on a page: the smallest are shown as one.
ROWS = 100


class Dimension(models.TextChoices):
    """By what a report is split."""

    DAY = "day", _("by day")
    GROUP = "group", _("by group")
    TOPIC = "topic", _("by topic")
    CHANNEL = "channel", _("by channel")
    STORE = "store", _("by store")
    REGION = "region", _("by region")
    OWNER = "owner", _("by person")
    CAUSE = "cause", _("by cause")


@dataclass(frozen=True)
class Scope:
    """Which tickets: closed from the first to the last day (both included) in the zone; empty filters take all."""

    since: date
    until: date
    zone: str
    group_id: int | None = None
    topic_id: int | None = None
    channel: str = ""
    store_id: int | None = None

    def facts(self) -> "QuerySet[CaseFact]":
        zone = ZoneInfo(self.zone)
        begins = datetime.combine(self.since, time(), zone)
        ends = datetime.combine(self.until + timedelta(days=1), time(), zone)
        wanted = {"group_id": self.group_id, "topic_id": self.topic_id, "channel": self.channel, "store_id": self.store_id}
        narrowed = {name: value for name, value in wanted.items() if value}
        return CaseFact.objects.filter(closed_at__gte=begins, closed_at__lt=ends, **narrowed)


@dataclass(frozen=True)
class Row:
    label: str
    sums: Sums


@dataclass(frozen=True)
class Report:
    """Rows of one dimension, and their total: the same whatever the dimension."""

    rows: Sequence[Row]
    total: Sums


_SUMS: Mapping[str, Any] = {
    "closed": Count("pk"),
    "answered": Count("first_answer_seconds"),
    "first_answer_seconds": Sum("first_answer_seconds"),
    "resolution_seconds": Sum("resolution_seconds"),
    "answer_promised": Count("answered_in_time"),
    "answer_kept": Count("pk", filter=Q(answered_in_time=True)),
    "resolution_promised": Count("resolved_in_time"),
    "resolution_kept": Count("pk", filter=Q(resolved_in_time=True)),
    "messages_in": Sum("messages_in"),
    "messages_out": Sum("messages_out"),
    "reopened": Sum("reopened"),
    # Who gave a mark was asked, whatever became of the row since.
    "asked": Count("pk", filter=Q(was_asked=True) | Q(mark__isnull=False)),
    "marked": Count("mark"),
    "marks": Sum("mark"),
    "good_marks": Count("pk", filter=Q(mark__gte=4)),
}
# Prefixed: the sums would hide the columns of the same names from each other.
_ANNOTATIONS = {f"sum_{name}": sums for name, sums in _SUMS.items()}


def read(scope: Scope, dimension: Dimension) -> Report:
    """The report; days are in their order, all else begins with the most tickets."""
    names = _names(dimension)
    grouped = scope.facts().annotate(day=TruncDate("closed_at", tzinfo=ZoneInfo(scope.zone))).order_by().values(*names)
    found = [(_key(row, names), _sums(row)) for row in grouped.annotate(**_ANNOTATIONS)]
    found.sort(key=lambda row: row[0] if dimension == Dimension.DAY else (-row[1].closed, str(row[0])))
    rows = [Row(label=_label(dimension, key), sums=sums) for key, sums in found]
    whole = total(row.sums for row in rows)
    return Report(rows=_shortened(rows, whole, dimension), total=whole)


def _shortened(rows: list[Row], whole: Sums, dimension: Dimension) -> list[Row]:
    if dimension == Dimension.DAY or len(rows) <= ROWS:
        return rows
    shown = rows[:ROWS]
    rest = _("%(count)d others") % {"count": len(rows) - ROWS}
    return [*shown, Row(label=rest, sums=whole - total(row.sums for row in shown))]


def _names(dimension: Dimension) -> tuple[str, ...]:
    english = get_language() == "en"
    return {
        Dimension.DAY: ("day",),
        Dimension.GROUP: ("group_id", *(("group__name_en",) if english else ()), "group__name"),
        Dimension.TOPIC: ("topic_id", *(("topic__name_en",) if english else ()), "topic__name"),
        Dimension.CHANNEL: ("channel",),
        Dimension.STORE: ("store_id", "store__number", "store__name"),
        Dimension.REGION: ("region_id", "region__name"),
        Dimension.OWNER: ("owner_id", "owner__full_name"),
        Dimension.CAUSE: ("cause",),
    }[dimension]


def _key(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _sums(row: Mapping[str, Any]) -> Sums:
    return Sums(**{name: row[f"sum_{name}"] or 0 for name in _SUMS})


def _label(dimension: Dimension, key: tuple[Any, ...]) -> str:
    if dimension == Dimension.DAY:
        return date_format(key[0], "SHORT_DATE_FORMAT")
    if dimension == Dimension.CAUSE:
        return str(dict(Cause.choices).get(key[0], "")) or str(_("not named"))
    if dimension == Dimension.CHANNEL and key[0]:
        return channel_name(key[0])
    if dimension == Dimension.STORE and key[0]:
        return f"{key[1]} · {key[2]}"
    named = [str(part) for part in (key[1:] or key) if part]
    return named[0] if named else str(_("not named"))


def stream(scope: Scope) -> Iterator[CaseFact]:
    """Every counted ticket of the scope in the order of closing, read in parts from the server."""
    facts = scope.facts().select_related("group", "topic", "store", "region", "owner").order_by("closed_at", "pk")
    return facts.iterator(chunk_size=2000)


def channel_name(kind: str) -> str:
    """The channel as people call it; one that is no longer there by its code."""
    try:
        return str(adapter_for(kind).form.name)
    except LookupError:
        return kind


def list_channels() -> Sequence[str]:
    """Channels that have ever had a counted ticket."""
    # One step through the index per channel instead of a walk over all rows is not worth an index: the page is opened seldom.
    return list(CaseFact.objects.order_by("channel").values_list("channel", flat=True).distinct())


def whole_of(scope: Scope) -> Sums:
    """The total without any split: what every report of the scope must add up to."""
    return _sums(scope.facts().aggregate(**_ANNOTATIONS))
