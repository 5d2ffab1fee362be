"""The admin pages of points: a file from upload to proof by two people, decisions, budgets, alarms."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from core.models import AuditEntry
from loyalty.models import Account, Alarm, Budget, Compensation, Import, Processing
from loyalty.services import imports, proof
from loyalty.states import AlarmCheck
from loyalty.tests.builders import NOW, a_chain
from loyalty.tests.test_compensations import a_world, give
from tests import builders as b
from tests.admin.conftest import an_administrator, browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def change(model, pk):
    return reverse(f"admin:loyalty_{model}_change", args=[pk])


def upload(client, text="card,points\n1111,5\nкарта,7\n"):
    file = SimpleUploadedFile("b.csv", text.encode())
    fields = {"name": "Балансы", "kind": "balances", "chain": a_chain().pk, "largest": 1000, "file": file}
    return client.post(reverse("admin:loyalty_import_add"), fields)


def step(client, work, name):
    answer = client.post(change("import", work.pk), {"step": name}, follow=True)
    imports.carry_on(import_id=work.pk, seconds=60)
    work.refresh_from_db()
    return answer


def test_a_file_goes_in_by_two_people():
    first, second = browser(an_administrator("first")), browser(an_administrator("second"))
    assert upload(first).status_code == 302
    work = Import.objects.get()
    step(first, work, "check")
    assert (work.state, work.good_rows, work.rejected_rows) == ("checked", 1, 1)
    refused = step(first, work, "approve").content.decode()
    assert work.state == "checked"  # not by who uploaded it
    assert "Загрузку разрешает не тот, кто прислал файл." in refused
    assert "успешно" not in refused
    step(second, work, "approve")
    assert (work.state, work.loaded_points) == ("done", 5)
    page = first.get(change("import", work.pk)).content.decode()
    assert "<progress" in page
    assert "<dt>баллов в проводках</dt><dd>5</dd>" in page
    assert "transferred_points" not in page
    rejects = first.get(reverse("admin:loyalty_import_rejects", args=[work.pk]))
    assert "карта,7" in b"".join(rejects).decode()
    assert AuditEntry.objects.filter(action="points_import.rejects_seen").exists()


def test_the_same_file_is_not_taken_twice_and_a_running_one_renews_its_page():
    client = browser(an_administrator())
    upload(client)
    assert upload(client).status_code == 302
    work = Import.objects.get()
    client.post(change("import", work.pk), {"step": "check"})
    assert client.get(change("import", work.pk)).headers["Refresh"] == "5"


def test_a_file_of_another_charset_is_told_as_such_and_only_checked_again():
    client = browser(an_administrator())
    file = SimpleUploadedFile("b.csv", "card;points;имя\n1111;5;Анна\n".encode("cp1251"))
    fields = {"name": "Балансы", "kind": "balances", "chain": a_chain().pk, "largest": 1000, "file": file}
    client.post(reverse("admin:loyalty_import_add"), fields)
    work = Import.objects.get()
    step(client, work, "check")
    assert work.state == "stopped"
    page = client.get(change("import", work.pk)).content.decode()
    assert "Файл должен быть в формате CSV в кодировке UTF-8." in page
    assert ('value="check"' in page, 'value="approve"' in page) == (True, False)


def test_who_may_not_load_does_not():
    client = browser(an_administrator("narrow", ["admin", "configure", "points.read"]))
    assert upload(client).status_code == 403
    assert not Import.objects.exists()


def test_an_accrual_needs_its_period():
    client = browser(an_administrator())
    fields = {"name": "x", "kind": "accrual", "chain": a_chain().pk, "largest": 10, "file": SimpleUploadedFile("a.csv", b"card")}
    assert client.post(reverse("admin:loyalty_import_add"), fields).status_code == 200
    assert not Import.objects.exists()


def test_a_compensation_is_decided_on_its_page(monkeypatch):
    world = a_world(monkeypatch)
    asked, other = give(world, 1500), give(world, 1500, 1)
    lead = browser(world.lead)
    page = lead.get(change("compensation", asked.pk)).content.decode()
    assert "1500 &gt; 300" in page
    lead.post(change("compensation", asked.pk), {"decision": "approve"})
    lead.post(change("compensation", other.pk), {"decision": "refuse", "why": "Нет чека"})
    assert [Compensation.objects.get(pk=one.pk).state for one in (asked, other)] == ["granted", "refused"]
    assert lead.post(change("compensation", asked.pk), {"decision": "refuse", "why": "x"}).status_code == 403


def test_its_author_has_no_decision_on_the_page(monkeypatch):
    world = a_world(monkeypatch)
    own = give(world, 1500, by=world.lead)
    assert browser(world.lead).post(change("compensation", own.pk), {"decision": "approve"}).status_code == 403
    assert Compensation.objects.get().state == "awaiting"


def test_a_budget_is_opened_and_funded_once_for_each_form():
    client = browser(an_administrator())
    funding = "5b0a3c5e-0b1c-4a44-9d5d-111111111111"
    fields = {"name": "Доставка", "group": b.a_group().pk, "decision_days": 5, "add_points": 700, "funding": funding}
    client.post(reverse("admin:loyalty_budget_add"), fields)
    budget = Budget.objects.get()
    client.post(change("budget", budget.pk), fields)
    assert Account.objects.get(pk=budget.account_id).balance == 700
    assert proof.find_faults(now=NOW) == []


def test_an_alarm_is_closed_with_a_word():
    client = browser(an_administrator())
    alarm = proof.raise_alarm(proof.Finding(AlarmCheck.SUM_ZERO, "", 0, 5), now=NOW)
    client.post(change("alarm", alarm.pk), {"answer": " "})
    assert Alarm.objects.get().closed_at is None
    client.post(change("alarm", alarm.pk), {"answer": "Поправили"})
    assert Alarm.objects.get().closed_at is not None
    assert client.post(change("alarm", alarm.pk), {"answer": "ещё"}).status_code == 403


def test_a_processings_token_is_kept_closed():
    client = browser(an_administrator())
    fields = {"name": "П", "address": "https://points.example/api", "kinds": ["compensation"], "timeout_seconds": 5, "is_active": "on"}
    client.post(reverse("admin:loyalty_processing_add"), {**fields, "token": "very-secret"})
    found = Processing.objects.get()
    assert found.token == "very-secret"
    assert "very-secret" not in client.get(change("processing", found.pk)).content.decode()
    client.post(change("processing", found.pk), {**fields, "name": "Другая"})
    assert Processing.objects.get().token == "very-secret"
    assert "very-secret" not in str(list(AuditEntry.objects.values_list("details", flat=True)))
