"""Every page of the admin opens, asks the database equally often for few and many rows, and speaks the reader's language."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.functional import Promise

from accounts.rights import Right
from tests.admin.conftest import an_administrator, browser, one_of_everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_contexts")]
PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)
BUDGET = 16


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def queries(client, url):
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return [query["sql"] for query in asked.captured_queries]


def test_lists_ask_equally_often_however_many_rows(admin_browser):
    one_of_everything(1)
    few = {model: queries(admin_browser, address(model, "changelist")) for model in PAGES}
    for number in range(2, 5):
        one_of_everything(number)
    for model in PAGES:
        many = queries(admin_browser, address(model, "changelist"))
        assert len(many) <= len(few[model]), (model, many)
        assert len(many) <= BUDGET, (model, many)


def test_big_tables_are_never_counted(admin_browser):
    one_of_everything(1)
    for name in (
        "omni.Session",
        "omni.Attempt",
        "omni.InboundEvent",
        "tickets.Case",
        "customers.Guest",
        "core.AuditEntry",
        "loyalty.Transfer",
        "loyalty.Account",
        "loyalty.Wallet",
        "worklist.Item",
    ):
        model = next(model for model in PAGES if model._meta.label == name)
        assert not [sql for sql in queries(admin_browser, address(model, "changelist")) if "COUNT(" in sql], name


def test_every_object_has_a_page_and_every_form_opens(admin_browser):
    one_of_everything(1)
    for model in PAGES:
        found = model._default_manager.order_by("pk").last()
        assert found is not None, model
        assert admin_browser.get(address(model, "change", found.pk)).status_code == 200, model
        expected = 200 if _may_add(model) else 403
        assert admin_browser.get(address(model, "add")).status_code == expected, model


def _may_add(model):
    return type(admin.site._registry[model]).has_add_permission is admin.ModelAdmin.has_add_permission


WORDS = ("4001", "ёлка", "№ 7", "'\"%", "9" * 30)


def test_searches_take_any_words(admin_browser, administrator, rf):
    """Each is asked of the database as the list asks it; the page around what was found is looked at once a list."""
    one_of_everything(1)
    for number, model in enumerate(searched := [model for model in PAGES if admin.site._registry[model].search_fields]):
        for words in WORDS:
            request = rf.get("/", {"q": words})
            request.user = administrator
            list(admin.site._registry[model].get_changelist_instance(request).result_list)
        words = WORDS[number % len(WORDS)]
        assert admin_browser.get(address(model, "changelist"), {"q": words}).status_code == 200, (model, words)
    assert len(searched) > len(PAGES) / 3


def test_every_label_can_be_translated():
    for model, page in admin.site._registry.items():
        assert isinstance(model._meta.verbose_name, Promise), model
        for name in [*page.list_display, *page.readonly_fields]:
            label = model._meta.pk.verbose_name if name == "id" else raw_label(name, model, page)
            assert name == "id" or isinstance(label, Promise), (model, name, label)


def raw_label(name, model, page):
    method = getattr(page, name, None)
    if method is not None:
        return getattr(method, "short_description", name)
    label_for_field(name, model, page)
    return model._meta.get_field(name).verbose_name


def test_who_may_not_enter_enters_nowhere(client):
    client.force_login(an_administrator("operator", [Right.DESK, Right.ANSWER]))
    for model in PAGES:
        assert client.get(address(model, "changelist")).status_code == 302, model


def test_who_may_only_look_changes_nothing():
    one_of_everything(1)
    viewer = browser(an_administrator("viewer", [Right.ADMIN]))
    narrow = {"omni.InboundEvent", "omni.Session", "omni.Attempt", "omni.Decision", "omni.Presence", "tickets.Case", "worklist.Item"}
    narrow |= {"omni.Call", "omni.PresenceSpan", "omni.Silence", "omni.Notice"}
    points = ("Wallet", "Card", "Account", "Transfer", "Reservation", "Compensation", "Import", "Operation")
    narrow |= {f"loyalty.{name}" for name in points}
    narrow |= {"bots.Run", "orders.Order"}
    narrow |= {"suggestions.ModelVersion", "suggestions.Suggestion"}
    narrow |= {f"tickets.{name}" for name in ("Approval", "StoreLink", "CaseLetter", "GuestNotice", "Survey")}
    narrow |= {"tickets.CallBack"}
    narrow |= {f"tickets.{name}" for name in ("Likeness", "CaseLink", "Incident", "MassJob")}
    for model in PAGES:
        hidden = model._meta.label in narrow or model._meta.label == "reports.CaseFact"
        assert viewer.get(address(model, "changelist")).status_code == (403 if hidden else 200), model
        assert viewer.get(address(model, "add")).status_code == 403, model
        found = model._default_manager.order_by("pk").last()
        assert viewer.post(address(model, "change", found.pk), {}).status_code == 403, model
        assert viewer.post(address(model, "delete", found.pk), {"post": "yes"}).status_code == 403, model
