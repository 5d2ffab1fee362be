"""Charts as inline SVG made on the server: no script, no inline style; colours come from the page's style sheet by class.

Every chart has a title and a description, shows its values as text, and stands beside a table that says the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, COLUMN_HEIGHT, ROW_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 960, 160, 26, 260, 90
MOST_LABELS = 12  # a date with its year needs 80 of the 960


@dataclass(frozen=True)
class Bar:
    """`shown` is the value as people read it."""

    label: str
    value: float
    shown: str


def columns(bars: Sequence[Bar], *, title: str, description: str) -> SafeString:
    """Upright bars from left to right, for values over time."""
    top = max((bar.value for bar in bars), default=0) or 1
    step = WIDTH / max(len(bars), 1)
    every = -(-len(bars) // MOST_LABELS)
    drawn = [_column(bar, number, step=step, top=top, labelled=number % max(every, 1) == 0) for number, bar in enumerate(bars)]
    return _picture(drawn, height=COLUMN_HEIGHT + 44, title=title, description=description)


def _column(bar: Bar, number: int, *, step: float, top: float, labelled: bool) -> SafeString:
    height = COLUMN_HEIGHT * bar.value / top
    middle = f"{(number + 0.5) * step:.1f}"
    return format_html(
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>{}{}',
        f"{number * step + step * 0.12:.1f}",
        f"{20 + COLUMN_HEIGHT - height:.1f}",
        f"{step * 0.76:.1f}",
        f"{height:.1f}",
        bar.label,
        bar.shown,
        _text("label", middle, COLUMN_HEIGHT + 38, bar.label, "middle") if labelled else "",
        _text("value", middle, 14 + COLUMN_HEIGHT - height, bar.shown, "middle") if labelled else "",
    )


def rows(bars: Sequence[Bar], *, title: str, description: str) -> SafeString:
    """Lying bars one below the other, for values of things with names."""
    top = max((bar.value for bar in bars), default=0) or 1
    drawn = [_row(bar, number * ROW_HEIGHT, top=top) for number, bar in enumerate(bars)]
    return _picture(drawn, height=len(bars) * ROW_HEIGHT + 4, title=title, description=description)


def _row(bar: Bar, y: float, *, top: float) -> SafeString:
    length = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * bar.value / top
    label = bar.label if len(bar.label) <= 34 else f"{bar.label[:33]}…"
    return format_html(
        '{}<rect class="bar" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>{}',
        _text("label", LABEL_WIDTH - 12, y + 18, label, "end"),
        LABEL_WIDTH,
        f"{y + 4:.1f}",
        f"{length:.1f}",
        ROW_HEIGHT - 8,
        bar.label,
        bar.shown,
        _text("value", f"{LABEL_WIDTH + length + 8:.1f}", y + 18, bar.shown, "start"),
    )


def _text(kind: str, x: float | str, y: float, words: str, anchor: str) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>', kind, x, f"{y:.1f}", anchor, words)


def _picture(parts: Sequence[SafeString], *, height: float, title: str, description: str) -> SafeString:
    return format_html(
        '<svg class="chart" role="img" viewBox="0 0 {} {}" preserveAspectRatio="xMinYMin meet"><title>{}</title><desc>{}</desc>{}</svg>',
        WIDTH,
        f"{height:.0f}",
        title,
        description,
        format_html_join("", "{}", ((part,) for part in parts)),
    )
