"""Files of points: rows checked one by one, repeats and contradictions, kills in the middle, totals proved, rejects told."""

import contextlib
import io
from datetime import date

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from loyalty.import_rules import NoHeader, Row, Rules, Wrong, read_header, read_row
from loyalty.models import Account, Alarm, Card, Import, ImportReject, Lot, Transfer, Wallet
from loyalty.services import accounts, cards, checking, import_steps, imports, loading, proof
from loyalty.states import ImportKind, ImportState
from loyalty.tests.builders import NOW, a_chain, a_guest, a_wallet
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def a_file(text, kind=ImportKind.BALANCES, name="balances.csv", **fields):
    content = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    if kind == ImportKind.ACCRUAL:
        fields = {"period_from": date(2026, 10, 1), "period_to": date(2026, 10, 31), **fields}
    return import_steps.keep(Import(name=name, kind=kind, chain=a_chain(), **fields), by=None, now=NOW, content=content)


def checked(work):
    import_steps.start_check(work=work, by=None, now=NOW)
    assert imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    return work


def loaded(work):
    import_steps.approve(work=checked(work), by=None, now=NOW)
    assert imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    return work


def rejects(work):
    return list(ImportReject.objects.filter(owner=work).order_by("line").values_list("line", "code"))


BALANCES = """card,points,expires
10000001,100,
10000002,250,2030-12-31
10000003,0,
"""


def test_balances_are_opened_and_proved():
    work = loaded(a_file(BALANCES))
    assert (work.state, work.good_rows, work.loaded_rows, work.loaded_points) == (ImportState.DONE, 3, 3, 350)
    assert work.proof["file_points"] == work.proof["transferred_points"] == work.proof["lot_points"] == 350
    assert Account.objects.filter(kind="available").aggregate(all=Sum("balance"))["all"] == 350
    assert Card.objects.count() == Wallet.objects.count() == 3
    lot = Lot.objects.get(amount=250)
    assert lot.ends_at.isoformat() == "2030-12-31T21:00:00+00:00"  # to the end of the day in Moscow
    accounts.fold_house()
    assert Account.objects.get(code="opening:lukoshko").balance == -350
    assert proof.find_faults(now=timezone.now()) == []


WRONG_ROWS = [
    ("", Wrong.COLUMNS),
    ("1234,5,,7", Wrong.COLUMNS),
    (",5,", Wrong.CARD),
    ("карта,5,", Wrong.CARD),
    ("12,5,", Wrong.CARD),
    ("1234,,", Wrong.NUMBER),
    ("1234,5.5,", Wrong.NUMBER),
    ("1234,пять,", Wrong.NUMBER),
    ("1234,٣,", Wrong.NUMBER),
    ("1234,-5,", Wrong.NEGATIVE),
    ("1234,1000001,", Wrong.HUGE),
    (f"1234,{'9' * 400},", Wrong.HUGE),
    ("1234,5,31.12.2030", Wrong.DATE),
    ("1234,5,2030-02-30", Wrong.DATE),
    ("1234,5,2026-11-22", Wrong.OVER),
    ('1234,"5,', Wrong.COLUMNS),
]


def test_each_wrong_row_is_rejected_with_its_line_and_reason():
    text = "card,points,expires\n" + "".join(f"{row}\n" for row, _code in WRONG_ROWS) + '"12345","7",\n'
    work = checked(a_file(text.encode() + b"\xff\xfe,1,\n" + b"1234\x00,1,\n"))
    codes = [code for _row, code in WRONG_ROWS]
    assert rejects(work)[: len(codes)] == list(enumerate(codes, 2))
    assert [code for _line, code in rejects(work)[len(codes) :]] == [Wrong.ENCODING, Wrong.ENCODING]
    assert (work.state, work.good_rows, work.good_points, work.rejected_rows) == ("checked", 1, 7, len(codes) + 2)
    told = list(imports.rejects_of(work))
    assert len(told) == len(codes) + 2
    assert all(reason and reason != code for (_line, reason, _raw), (_l, code) in zip(told, rejects(work), strict=True))
    assert not Transfer.objects.exists()


def test_repeats_and_contradictions_within_the_file():
    text = "card,points\n1111,5\n2222,7\n1111,5\n3333,1\n3333,2\n1111,5\n"
    work = checked(a_file(text))
    assert rejects(work) == [(4, "repeated"), (5, "conflicting"), (6, "conflicting"), (7, "repeated")]
    assert (work.good_rows, work.good_points) == (2, 12)


def test_the_same_card_is_opened_once_whatever_the_file():
    loaded(a_file("card,points\n1111,5\n"))
    again = checked(a_file("card,points\n1111,6\n2222,1\n"))
    assert rejects(again) == [(2, "opened")]
    with pytest.raises(Refusal) as refused:
        a_file("card,points\n1111,5\n")
    assert refused.value.code == "same_file"


def test_what_another_file_brought_in_after_the_check_is_left_out():
    first, second = checked(a_file("card,points\n1111,5\n")), checked(a_file("card,points\n1111,6\n2222,1\n"))
    for work in (first, second):
        import_steps.approve(work=work, by=None, now=NOW)
        imports.carry_on(import_id=work.pk, seconds=60)
        work.refresh_from_db()
    assert (second.state, second.loaded_rows, second.rejected_rows, rejects(second)) == ("done", 1, 1, [(2, "opened")])
    assert proof.find_faults(now=timezone.now()) == []


def test_cards_of_one_wallet_add_up():
    guest = a_guest()
    a_wallet(card="1111", guest=guest)
    a_wallet(card="2222")
    cards.link(number="2222", guest=guest, now=NOW)
    loaded(a_file("card,points\n1111,5\n2222,7\n"))
    assert Account.objects.get(wallet__guest=guest, kind="available").balance == 12


def test_a_card_of_another_chain_is_rejected():
    a_wallet(card="1111", chain=a_chain("polka", "Полка"))
    assert rejects(checked(a_file("card,points\n1111,5\n2222,5\n"))) == [(2, "chain")]


def test_an_accrual_for_a_past_period():
    a_wallet(50, card="1111")
    rows = ["1111,5,r1,2026-10-01", "1111,6,r2,2026-10-31", "1111,6,r2,2026-10-31", "1111,1,r3,2026-11-01", "9999,1,r4,2026-10-02"]
    rows += ["1111,0,r5,2026-10-02", "1111,5,,2026-10-02", "1111,5,r6,", "1111,1,r7,2026-10-03", "1111,2,r7,2026-10-03"]
    text = "card;points;receipt;date\n" + "\n".join(rows).replace(",", ";")
    work = loaded(a_file(text, ImportKind.ACCRUAL))
    expected = ["repeated", "period", "unknown", "zero", "receipt", "date", "conflicting", "conflicting"]
    assert [code for _line, code in rejects(work)] == expected
    assert (work.state, work.loaded_points) == ("done", 11)
    assert Account.objects.get(wallet__cards__number="1111", kind="available").balance == 61
    again = checked(a_file(text + "\n1111;1;r8;2026-10-05", ImportKind.ACCRUAL))
    assert [code for _line, code in rejects(again)].count("accrued") == 2
    assert again.good_rows == 1
    assert proof.find_faults(now=timezone.now()) == []


@pytest.mark.parametrize("header", ["", "карта,баллы", "points", "\x00", "card points"])
def test_a_file_without_its_columns_is_stopped_with_a_reason(header):
    work = a_file(header + "\n1111,5\n")
    import_steps.start_check(work=work, by=None, now=NOW)
    imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    assert work.state == ImportState.STOPPED
    assert "card" in work.proof["reason"]


def test_a_stop_between_portions_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(checking, "LINES", 3)
    monkeypatch.setattr(loading, "ROWS", 4)
    work = a_file("card,points\n" + "".join(f"{n},{n % 7}\n" for n in range(1000, 1020)))
    import_steps.start_check(work=work, by=None, now=NOW)
    assert not imports.carry_on(import_id=work.pk, seconds=0)
    steps = []

    def until(number):
        def told(found):
            steps.append(found)
            if len(steps) == number:
                import_steps.stop(work=found, by=None, now=NOW)

        return told

    assert imports.carry_on(import_id=work.pk, seconds=60, told=until(3))
    work.refresh_from_db()
    assert (work.state, work.lines_read) == ("stopped", 9)
    with pytest.raises(Refusal):
        import_steps.approve(work=work, by=None, now=NOW)
    import_steps.start_check(work=work, by=None, now=NOW)
    assert imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    assert (work.state, work.good_rows) == ("checked", 20)
    import_steps.approve(work=work, by=None, now=NOW)
    steps.clear()
    assert imports.carry_on(import_id=work.pk, seconds=60, told=until(2))
    work.refresh_from_db()
    assert (work.state, work.loaded_rows, imports.share_done(work)) == ("stopped", 8, 1.0)
    with pytest.raises(Refusal):
        import_steps.start_check(work=work, by=None, now=NOW)
    import_steps.approve(work=work, by=None, now=NOW)
    assert imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    assert (work.state, work.loaded_rows, Transfer.objects.count()) == ("done", 20, 17)


def test_totals_that_differ_raise_an_alarm():
    work = checked(a_file(BALANCES))
    import_steps.approve(work=work, by=None, now=NOW)
    work.refresh_from_db()
    assert loading.load_portion(work, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("update loyalty_importrow set points = points + 1 where card = '10000001'")
    imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    assert work.state == ImportState.WRONG
    assert Alarm.objects.get().check_name == "import_totals"


def test_who_uploaded_does_not_let_it_in():
    chief = b.a_person()
    work = import_steps.keep(Import(name="x", chain=a_chain()), by=chief, now=NOW, content=io.BytesIO(BALANCES.encode()))
    checked(work)
    with pytest.raises(Refusal) as refused:
        import_steps.approve(work=work, by=chief, now=NOW)
    assert refused.value.code == "own"
    import_steps.approve(work=work, by=b.a_person("second", "Вторая"), now=NOW)


@given(st.lists(st.text(max_size=12), max_size=6), st.sampled_from(ImportKind.values))
def test_any_fields_give_a_row_or_a_reason(fields, kind):
    names = "card,points,expires,receipt,date"
    rules = Rules(kind, read_header(names, kind), 1000, date(2026, 11, 22), date(2026, 1, 1), date(2026, 2, 1))
    found = read_row(fields, rules)
    assert isinstance(found, Row | Wrong)
    if isinstance(found, Row):
        assert 0 <= found.points <= 1000


@given(st.text(max_size=60))
def test_any_first_line_is_a_header_or_refused(line):
    with contextlib.suppress(NoHeader):
        assert set(read_header(line, ImportKind.BALANCES).places) >= {"card", "points"}
