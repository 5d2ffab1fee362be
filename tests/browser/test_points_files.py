"""A file of balances is loaded by hand in the admin panel: checked by one person, let in by another; watched, killed, gone on with."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from core.models import AuditEntry
from loyalty.models import Account, Import
from loyalty.services import imports, loading
from loyalty.tests.builders import a_chain
from tests.admin.conftest import an_administrator
from tests.browser.desk import picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
GOOD = 1_200
WRONG = ("20000001,-5,", "20000002,1e9,", "карта,7,", "20000003,9999999,")


class Killed(BaseException):
    """The worker is gone in the middle of its work."""


@pytest.fixture
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def file(tmp_path):
    rows = ["card,points,expires", *(f"3{number:08},{number % 90 + 1},2030-12-31" for number in range(GOOD)), *WRONG]
    path = tmp_path / "Остатки сети Лукошко на 22 ноября.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def come_in(context, product, staff):
    client = Client()
    client.force_login(staff)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": product.url}])


def do(page, step):
    page.select_option("[name=step]", step)
    page.click("[name=_continue]")
    page.wait_for_load_state()


def row(page, label):
    return page.locator(".field-line").filter(has=page.get_by_text(label, exact=True))


def at(product, work):
    return product.url + reverse("admin:loyalty_import_change", args=[work.pk])


def in_view(page, selector):
    return page.locator(selector).evaluate("(one) => one.getBoundingClientRect().bottom < innerHeight - 80")


def test_a_file_of_balances_is_walked_from_the_upload_to_the_proof(live_product, context, page, folder, file, monkeypatch):
    a_chain()
    come_in(context, live_product, an_administrator("uploader"))
    page.goto(live_product.url + reverse("admin:loyalty_import_add"))
    expect(page.locator(".field-file")).to_contain_text("card (карта), points (баллы), expires")
    picture(page, "points-1-add")
    page.fill("#id_name", "Остатки Лукошко")
    page.select_option("#id_chain", index=1)
    page.set_input_files("#id_file", file)
    page.click("[name=_continue]")
    page.wait_for_selector("[name=step]")
    work = Import.objects.get()
    assert page.url == at(live_product, work)
    assert in_view(page, "[name=step]")
    do(page, "check")
    expect(row(page, "Состояние")).to_contain_text("проверяется")
    imports.carry_on(import_id=work.pk, seconds=60)
    page.wait_for_selector("text=проверен", timeout=15_000)  # the page renews itself
    picture(page, "points-2-checked")
    for name, told in {"Верных строк": str(GOOD), "Отклонено строк": str(len(WRONG)), "Загружено строк": "0"}.items():
        expect(row(page, name)).to_contain_text(told)
    assert not Account.objects.filter(wallet__isnull=False).exists()
    with page.expect_download() as download:
        page.click("text=Скачать")
    rejects = download.value.path().read_text("utf-8-sig").splitlines()
    assert rejects[0] == "строка файла,причина,строка"
    assert [line.split(",")[0] for line in rejects[1:]] == [str(GOOD + 2 + number) for number in range(len(WRONG))]
    assert all(given in line for given, line in zip(WRONG, rejects[1:], strict=True))
    assert AuditEntry.objects.filter(action="points_import.rejects_seen").count() == 1
    # Whoever uploaded it does not let it in, and is not offered to.
    expect(page.locator("[name=step] option[value=approve]")).to_have_count(0)
    expect(page.locator(".field-step")).to_contain_text("не тот, кто прислал")
    context.clear_cookies()
    come_in(context, live_product, an_administrator("approver"))
    page.goto(at(live_product, work))
    do(page, "approve")
    expect(row(page, "Состояние")).to_contain_text("загружается")
    killed_in_the_middle(work, monkeypatch)
    page.reload()
    expect(row(page, "Ход").locator("progress")).to_have_attribute("value", "42")
    expect(row(page, "Загружено строк")).to_contain_text("500")
    picture(page, "points-3-loading")
    do(page, "stop")
    expect(row(page, "Состояние")).to_contain_text("остановлен")
    picture(page, "points-4-stopped")
    do(page, "approve")
    imports.carry_on(import_id=work.pk, seconds=60)
    page.wait_for_selector("text=итоги сошлись", timeout=15_000)
    picture(page, "points-5-done")
    work.refresh_from_db()
    assert (work.state, work.loaded_rows) == ("done", GOOD)
    assert sum(Account.objects.filter(wallet__isnull=False).values_list("balance", flat=True)) == work.good_points
    totals = row(page, "Сверка итогов").inner_text()
    assert totals.count(str(GOOD)) == 3
    assert totals.count(str(work.good_points)) == 4
    expect(page.locator("[name=step]")).to_have_count(0)
    page.goto(live_product.url + reverse("admin:loyalty_import_changelist"))
    picture(page, "points-6-list")
    expect(page.locator("table tbody tr")).to_contain_text("загружен, итоги сошлись")


def killed_in_the_middle(work, monkeypatch):
    """The worker dies after its first portion is in and its second one is about to begin."""
    monkeypatch.setattr(loading, "ROWS", 500)
    plain, portions = imports.load_portion, []

    def load_portion(of, *, now):
        if portions:
            raise Killed
        portions.append(of)
        return plain(of, now=now)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(imports, "load_portion", load_portion)
        imports.carry_on(import_id=work.pk, seconds=60)
