"""A supervisor types the number of a ticket, of a store or of a card, and finds the rows of that one, by an index."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalation.models import Alarm, Delivery, Run
from loyalty.models import Transfer
from sla.models import Clock
from tests import builders as b
from tests.admin.conftest import one_of_everything
from tickets.models import Approval, CallBack, Case, CaseLetter, CaseLink, GuestNotice, Incident, Likeness, MassJob, StoreLink, Survey

pytestmark = pytest.mark.django_db
BY_TICKET = (Approval, CallBack, CaseLetter, CaseLink, GuestNotice, Likeness, StoreLink, Survey)


def found(client, model, words, **query):
    page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), {"q": words, **query})
    assert page.status_code == 200
    return {row.pk for row in page.context_data["cl"].result_list}


def rows_of(model, case):
    names = getattr(admin.site._registry[model], "of_case", ("case",))
    return {row.pk for row in model.objects.all() if case.pk in {getattr(row, f"{name}_id") for name in names}}


@pytest.mark.parametrize("model", BY_TICKET)
def test_the_rows_of_one_ticket_are_found_by_its_number(admin_browser, model):
    one_of_everything(1)
    one_of_everything(2)
    case = next(
        case
        for case in Case.objects.order_by("pk")
        if rows_of(model, case) and rows_of(model, case) != set(model.objects.values_list("pk", flat=True))
    )
    for words in (case.number, f"№ {case.number}", f" #{case.number} "):
        assert found(admin_browser, model, words) == rows_of(model, case)
    assert found(admin_browser, model, case.number[:-1]) == set()


def test_clocks_and_escalations_are_found_by_the_number_of_the_ticket_or_of_its_store(admin_browser):
    one_of_everything(1)
    case = Case.objects.earliest("pk")
    Case.objects.filter(pk=case.pk).update(store=b.a_store("8812"))
    Run.objects.filter(pk=Run.objects.earliest("pk").pk).update(subject=f"case:{case.pk}")
    clocks = set(Clock.objects.filter(subject=f"case:{case.pk}").values_list("pk", flat=True))
    assert clocks
    run = Run.objects.get(subject=f"case:{case.pk}")
    for words in (case.number, f"№ {case.number}", "8812", f"case:{case.pk}"):
        assert found(admin_browser, Clock, words) == clocks
        assert found(admin_browser, Run, words, runs="all") == {run.pk}
        assert found(admin_browser, Delivery, words) == set(run.deliveries.values_list("pk", flat=True))
        assert found(admin_browser, Alarm, words) == set(Alarm.objects.filter(run=run).values_list("pk", flat=True))
    for words in ("8813", "nothing", case.number + "0"):
        for model in (Clock, Run, Delivery, Alarm):
            assert found(admin_browser, model, words) == set(), (model, words)
    assert found(admin_browser, Case, "8812") == {case.pk}
    session = Clock.objects.filter(subject__startswith="session:").first()
    assert session.pk in found(admin_browser, Clock, session.subject.removeprefix("session:"))


def test_incidents_jobs_and_transfers_are_found_as_people_call_them(admin_browser):
    one_of_everything(1)
    one_of_everything(2)
    incident, job = Incident.objects.order_by("pk").first(), MassJob.objects.get(title="Работа 1")
    assert found(admin_browser, Incident, incident.number) == {incident.pk}
    assert found(admin_browser, Incident, incident.store.number) == {incident.pk}
    assert found(admin_browser, MassJob, "Работа 1") == {job.pk}
    transfer = Transfer.objects.filter(credit__wallet__cards__number="7700000001").first()
    assert transfer.pk in found(admin_browser, Transfer, "7700000001")
    assert Transfer.objects.exclude(debit__wallet__cards__number="7700000002").exists()
    assert all(
        "7700000002"
        in {card for account in (row.debit, row.credit) if account.wallet for card in account.wallet.cards.values_list("number", flat=True)}
        for row in Transfer.objects.filter(pk__in=found(admin_browser, Transfer, " 7700000002 "))
    )
    assert found(admin_browser, Transfer, str(transfer.pk)) == {transfer.pk}


@pytest.mark.parametrize("model", [*BY_TICKET, Clock, Run, Delivery, Alarm, Case])
def test_no_search_looks_for_a_piece_of_a_number(admin_browser, model):
    one_of_everything(1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found(admin_browser, model, "100001")
    assert not [query["sql"] for query in queries if "LIKE" in query["sql"]]
