"""A map as a spreadsheet: one sheet of facts, one of steps that can be filtered."""

from io import BytesIO

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from escalation.documents.describe import MapPage

_WIDTHS = (12, 34, 9, 14, 24, 30, 36, 28, 60)


def workbook(page: MapPage) -> bytes:
    """The map as XLSX bytes. Every cell is text: what begins with `=` is no formula."""
    book = Workbook()
    _facts_sheet(book.worksheets[0], page)
    _steps_sheet(book.create_sheet(_("Steps")), page)
    written = BytesIO()
    for sheet in book.worksheets:  # printed as it is seen: no column on another page
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.page_setup.fitToHeight = 0
    book.save(written)
    return written.getvalue()


def _facts_sheet(sheet: Worksheet, page: MapPage) -> None:
    sheet.title = _("Map")
    rows = [(page.name, ""), *page.facts]
    for line in page.lines:
        rows += [("", ""), (line.title, ""), *line.facts]
    for row, pair in enumerate(rows, 1):
        for column, value in enumerate(pair, 1):
            _write(sheet, row, column, value, bold=pair[1] == "")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 44, 80


def _steps_sheet(sheet: Worksheet, page: MapPage) -> None:
    heads = (_("Line"), _("What happens"), *page.heads)
    rows = [(line.code, line.title, *row) for line in page.lines for row in line.rows]
    for number, cells in enumerate((heads, *rows), 1):
        for column, value in enumerate(cells, 1):
            _write(sheet, number, column, value, bold=number == 1)
    for column, width in enumerate(_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.print_title_rows = "1:1"
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _write(sheet: Worksheet, row: int, column: int, value: str, *, bold: bool) -> None:
    cell = sheet.cell(row, column, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if bold:
        cell.font = Font(bold=True)
