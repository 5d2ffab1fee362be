"""A map as PDF: A4 across, page numbers, a font with Cyrillic letters."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import unfold
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableCellFillMode

from escalation.documents.describe import Fact, LinePage, MapPage

_FONT = "Inter"
# The admin panel's own font: it is installed with it, and has every letter that we use.
_FOLDER = Path(unfold.__file__).parent / "static" / "unfold" / "fonts" / "inter"
_WIDTHS = (14, 18, 30, 34, 36, 42, 42)
_TEXT, _SMALL, _HEADING, _TITLE = 9, 8, 12, 16


@cache
def _font_file(name: str) -> Path:
    """The font unpacked: the document needs TrueType, the wheel holds its compressed form (WOFF2)."""
    font = TTFont(_FOLDER / f"{name}.woff2")
    font.flavor = None
    target = Path(mkdtemp(prefix="otklik-font-")) / f"{name}.ttf"
    font.save(target)
    return target


class _Document(FPDF):
    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FONT, size=_SMALL)
        self.cell(0, 6, _("Page %(number)d of {nb}") % {"number": self.page_no()}, align="R")


def document(page: MapPage) -> bytes:
    """The map as PDF bytes."""
    paper = _Document(orientation="landscape", format="A4")
    for style, name in (("", "Inter-Regular"), ("B", "Inter-Bold")):
        paper.add_font(_FONT, style, _font_file(name))
    paper.set_title(page.name)
    paper.set_auto_page_break(auto=True, margin=15)
    paper.add_page()
    _heading(paper, page)
    for line in page.lines:
        _line(paper, page, line)
    return bytes(paper.output())


def _heading(paper: FPDF, page: MapPage) -> None:
    paper.set_font(_FONT, "B", _TITLE)
    paper.multi_cell(0, 8, page.name, align="L", new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FONT, size=_TEXT)
    if page.about:
        paper.multi_cell(0, 5, page.about, align="L", new_x="LMARGIN", new_y="NEXT")
    _facts(paper, page.facts)


def _facts(paper: FPDF, facts: Sequence[Fact]) -> None:
    for name, value in facts:
        paper.multi_cell(0, 5, f"{name}: {value}", align="L", new_x="LMARGIN", new_y="NEXT")


def _line(paper: FPDF, page: MapPage, line: LinePage) -> None:
    paper.ln(4)
    if paper.will_page_break(40):
        paper.add_page()
    paper.set_font(_FONT, "B", _HEADING)
    paper.multi_cell(0, 7, line.title, align="L", new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FONT, size=_TEXT)
    _facts(paper, line.facts)
    paper.ln(1)
    paper.set_font(_FONT, size=_SMALL)
    with paper.table(
        col_widths=_WIDTHS,
        line_height=4.5,
        text_align="LEFT",
        padding=1,
        cell_fill_color=(244, 246, 249),
        cell_fill_mode=TableCellFillMode.ROWS,
    ) as table:
        for cells in (page.heads, *line.rows):
            row = table.row()
            for cell in cells:
                row.cell(cell)
