"""The page and the download: rights, equal totals for every split, no limit."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.rights import Right
from reports.models import CaseFact
from reports.selectors import Dimension, Scope, read, whole_of
from reports.tests.builders import many_facts
from tests import builders as b

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def reader(client):
    person = b.a_person("analyst", role=b.a_role("analyst", [Right.REPORTS]))
    client.force_login(person)
    return client


def scope(**more):
    today = timezone.localdate(NOW)
    return Scope(since=today - timedelta(days=20), until=today, zone="Europe/Moscow", **more)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_totals_are_equal_for_every_split(seed):
    many_facts(300, now=NOW, seed=seed)
    group = CaseFact.objects.first().group_id
    store = b.a_store("1").pk
    for wanted in (scope(), scope(group_id=group), scope(channel="email"), scope(store_id=store, channel="telegram")):
        whole = whole_of(wanted)
        reports = [read(wanted, dimension) for dimension in Dimension]
        assert {report.total for report in reports} == {whole}
        for report in reports:
            assert sum(row.sums.closed for row in report.rows) == whole.closed
    assert 0 < whole_of(scope(channel="email")).closed < whole_of(scope()).closed < 300


def test_many_rows_are_shortened_and_still_add_up(monkeypatch):
    monkeypatch.setattr("reports.selectors.ROWS", 1)
    many_facts(50, now=NOW)
    report = read(scope(), Dimension.GROUP)
    assert len(report.rows) == 2
    assert sum(row.sums.messages_in for row in report.rows) == report.total.messages_in


def test_a_day_is_a_day_of_the_reader():
    fact = many_facts(1, now=NOW)[0]
    CaseFact.objects.filter(pk=fact.pk).update(closed_at="2026-03-01T22:30:00Z")  # 2 March, 01:30 in Moscow
    day = {"since": date(2026, 3, 2), "until": date(2026, 3, 2)}
    assert whole_of(Scope(**day, zone="Europe/Moscow")).closed == 1
    assert whole_of(Scope(**day, zone="UTC")).closed == 0


def test_days_stand_in_the_order_of_the_calendar():
    facts = many_facts(4, now=NOW)
    for fact, day in zip(facts, ("2026-10-30", "2026-11-02", "2026-11-10", "2026-11-09"), strict=True):
        CaseFact.objects.filter(pk=fact.pk).update(closed_at=f"{day}T09:00:00Z")
    report = read(Scope(since=date(2026, 10, 1), until=date(2026, 11, 30), zone="Europe/Moscow"), Dimension.DAY)
    assert [row.label for row in report.rows] == ["30.10.2026", "02.11.2026", "09.11.2026", "10.11.2026"]


def test_channels_are_named_as_people_call_them(reader):
    many_facts(60, now=NOW, days=20)
    page = reader.get("/reports/", {"by": "channel"}).content.decode()
    assert '<option value="webchat">Веб-чат</option>' in page
    assert '<th scope="row">Эл. почта</th>' in page


@pytest.mark.parametrize("by", [*Dimension.values, ""])
def test_the_page_shows_the_total(reader, by):
    many_facts(60, now=NOW, days=20)
    answer = reader.get("/reports/", {"by": by})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f"<td>{whole_of(scope()).closed}</td>" in page
    assert '<svg class="chart" role="img"' in page
    assert "style=" not in page


def test_the_page_asks_the_database_little(reader, django_assert_max_num_queries):
    many_facts(60, now=NOW)
    with django_assert_max_num_queries(8):
        reader.get("/reports/", {"by": "group"})


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "2000-01-01"},
        {"since": "x"},
        {"store": "0000"},
        {"by": "moon"},
        {"group": "999999"},
    ],
)
def test_a_wrong_question_is_answered_with_words(reader, query):
    answer = reader.get("/reports/", query)
    assert answer.status_code == 200
    assert "reports-error" in answer.content.decode()
    assert reader.get("/reports/cases.csv", query).status_code == 400


def test_the_download_has_every_row_and_no_formula(reader, django_assert_max_num_queries):
    many_facts(120, now=NOW, days=10)
    b.a_group("g0").__class__.objects.filter(code="g0").update(name="=cmd()")
    answer = reader.get("/reports/cases.csv")
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(rows) == whole_of(scope()).closed == 120
    assert sum(int(row["messages_in"]) for row in rows) == whole_of(scope()).messages_in
    assert {row["group"] for row in rows} == {"'=cmd()", "Группа 1", "Группа 2"}


def test_names_cannot_break_out_of_the_chart(reader):
    many_facts(10, now=NOW, days=10)
    b.a_group("g0").__class__.objects.update(name="</title><script>alert(1)</script>")
    page = reader.get("/reports/", {"by": "group"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_only_those_who_may(client):
    assert Client().get("/reports/").status_code == 302
    client.force_login(b.a_person("operator"))
    assert client.get("/reports/").status_code == 403
    assert client.get("/reports/cases.csv").status_code == 403
