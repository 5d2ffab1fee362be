"""A map as people read it: page, PDF, spreadsheet; and the panel's buttons."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone, translation
from fpdf import FPDF
from fpdf.enums import Align
from openpyxl import load_workbook

from accounts.rights import Right
from escalation.documents import describe, pdf, xlsx
from escalation.models import EscalationMap, Run, Swap
from escalation.services import swaps, tick
from escalation.states import RunState, SwapState
from escalation.tests.builders import NOW, a_colleague, a_ladder, a_line, a_run, a_schedule
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def page():
    line, people = a_ladder()
    line.may_do, line.message = "Перезапустить кассу", "=1+1"
    line.save()
    line.steps.filter(level=2).update(message='=HYPERLINK("x")')
    EscalationMap.objects.update(name="Карта эскалации: ёжики № 1", owner=people["tretii"])
    with translation.override("ru"):
        yield describe.describe(EscalationMap.objects.get(), now=NOW)


def test_the_map_in_words(page):
    (line,) = page.lines
    assert [row[:2] for row in line.rows] == [("L1", "сразу"), ("L1", "5 минут"), ("L2", "сразу"), ("L3", "сразу")]
    assert [row[4] for row in line.rows] == ["Pervyi", "Pervyi", "Vtoroi", "Tretii"]
    assert dict(page.facts)["Владелец карты"] == "Tretii"


def test_the_spreadsheet_holds_every_step_and_no_formula(page):
    book = load_workbook(BytesIO(xlsx.workbook(page)))
    steps = book.worksheets[1]
    assert steps.max_row == 5
    assert "f" not in {cell.data_type for row in steps.iter_rows() for cell in row}
    assert steps.cell(4, 9).value == '=HYPERLINK("x")'
    assert (steps.print_title_rows, steps.freeze_panes, steps.auto_filter.ref) == ("$1:$1", "A2", "A1:I5")
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.sheet_properties.pageSetUpPr.fitToPage) == ("landscape", True)


def test_the_pdf_holds_cyrillic_text(page, tmp_path):
    content = pdf.document(page)
    assert content.startswith(b"%PDF-")
    # The text's letters are mapped back to Unicode: whoever copies from the document gets Russian.
    assert b"ToUnicode" in content
    assert len(re.findall(rb"/Type /Page\b", content)) >= 1


def test_words_of_the_pdf_are_not_drawn_apart(page, monkeypatch):
    """A justified line stretches the gaps between its words."""
    aligned, plain = [], FPDF.multi_cell

    def multi_cell(self, *args, **given):
        aligned.append(given.get("align"))
        return plain(self, *args, **given)

    monkeypatch.setattr(FPDF, "multi_cell", multi_cell)
    pdf.document(page)
    own = [align for align in aligned if align is not None]  # the table's cells name none: it was told once
    assert {Align.coerce(align) for align in own} == {Align.L}
    assert len(own) > len(page.facts)


def test_a_map_of_hundred_lines_and_one_of_none_are_documents():
    for number in range(100):
        a_line(f"line-{number}", levels=[[("wait", {"minutes": 5})]])
    EscalationMap.objects.create(code="empty", name="Пусто")
    for found in EscalationMap.objects.all():
        page = describe.describe(found, now=NOW)
        assert pdf.document(page).startswith(b"%PDF-")
        assert xlsx.workbook(page)


@pytest.fixture
def duty(client):
    person = b.a_person("duty", "Дежурный", role=b.a_role("duty", [Right.ADMIN, Right.CASES_WORK]))
    client.force_login(person)
    return person


def test_the_page_and_the_files_open_for_whoever_may_look(client, duty):
    line, _people = a_ladder()
    base = f"/admin/escalation/escalationmap/{line.map_id}/"
    assert "Pervyi" in client.get(f"{base}read/").content.decode()
    for part, kind in (("pdf", "application/pdf"), ("xlsx", "application/vnd.openxmlformats")):
        assert client.get(f"{base}{part}/").headers["Content-Type"].startswith(kind)
    client.force_login(b.a_person("novice", "Новичок", role=b.a_role("nobody", [])))
    assert client.get(f"{base}read/").status_code in {302, 403}


def test_the_buttons_of_a_run(client, duty):
    line, _people = a_ladder()
    run = a_run(line)
    tick.tick(now=NOW)
    base = f"/admin/escalation/run/{run.pk}/"
    assert "Pervyi" in client.get(f"{base}change/").content.decode()
    for verb, state, level in (("take", "taken", 1), ("climb", "calling", 2), ("take", "taken", 2), ("hand-back", "calling", 1)):
        assert client.post(f"{base}do/{verb}/", {"reason": "так"}).status_code == 302
        run.refresh_from_db()
        assert (run.state, run.level) == (state, level), verb
    client.post(f"{base}do/resolve/")
    run.refresh_from_db()
    assert run.state == RunState.RESOLVED
    assert client.get(f"{base}do/take/").status_code == 405
    assert client.post(f"{base}do/nonsense/").status_code == 404
    assert client.post("/admin/escalation/run/999999/do/take/").status_code == 404


def test_who_may_not_work_on_tickets_acts_on_no_run(client):
    run = a_run(a_ladder()[0])
    client.force_login(b.a_person("viewer", "Зритель", role=b.a_role("viewer", [Right.ADMIN])))
    assert client.post(f"/admin/escalation/run/{run.pk}/do/take/").status_code == 403
    assert Run.objects.get().state == RunState.CALLING


def test_the_buttons_of_a_swap(client, duty):
    one = a_colleague("odin")
    schedule = a_schedule(people=[one])
    now = timezone.now()
    swap = swaps.propose(schedule=schedule, who=one, by=duty, starts_at=now, ends_at=now + timedelta(days=1), now=now)
    page = f"/admin/escalation/swap/{swap.pk}/"
    assert "answer/accept/" in client.get(f"{page}change/").content.decode()
    client.post(f"{page}answer/accept/")
    assert Swap.objects.get().state == SwapState.ACCEPTED


def test_replanning_by_hand_says_when_there_is_nothing_new(client, duty):
    run = a_run(a_ladder()[0])
    answer = client.post(f"/admin/escalation/run/{run.pk}/do/replan/", follow=True)
    assert answer.status_code == 200
