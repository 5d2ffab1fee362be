"""At the desk in a browser: a possible duplicate is seen, joined and parted; an incident's guests are answered at once."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.rights import Right
from customers.services import merging
from tests import builders as b
from tests.browser.desk import WATCH, go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import violations
from tickets.models import Case, CaseLink, Incident, IncidentCase, MassJob
from tickets.services import defaults, mass, opening

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
NOW = timezone.now()


@pytest.fixture
def lead(world):  # noqa: F811
    """The operator may work on many tickets at once."""
    defaults.load(now=NOW)
    role = world.operator.roles.get()
    role.rights = [*role.rights, Right.MASS_WORK, Right.EVERYTHING]
    role.save()
    world.topic = b.a_topic(group=b.a_group())
    return world


def tickets(lead):
    """Two tickets of one guest from two dialogues."""
    made = []
    for visitor, text in (("visitor-1", "На полке просроченный творог"), ("visitor-2", "Просроченный творог так и лежит на полке")):
        session = lead.write(text=text, visitor=visitor)
        if made:
            merging.merge(kept_id=made[0].guest_id, gone_id=session.guest_id, by=lead.operator, now=NOW)
        made.append(opening.open_ticket(session_id=session.pk, topic=lead.topic, by=lead.operator, now=timezone.now(), store=b.a_store()))
    return made


def test_a_possible_duplicate_is_joined_and_parted(live_product, page, lead):
    first, second = tickets(lead)
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"case/{second.pk}/")
    page.wait_for_selector("text=Возможно, о том же")
    picture(page, "alike")
    page.click("[data-do=join-case]")
    page.wait_for_selector("text=Объединено. Отменить можно здесь же.")
    page.wait_for_selector("[data-do=undo-link]")
    picture(page, "joined")
    assert CaseLink.objects.get().main_id == first.pk
    page.click("[data-do=undo-link]")
    page.wait_for_selector("[data-do=join-case]")
    assert Case.objects.get(pk=second.pk).state == "reopened"
    assert page.evaluate("window.violations") == []


def test_the_form_of_a_new_ticket_tells_of_one_on_this_matter(live_product, page, lead):
    first, _second = tickets(lead)
    session = lead.write(text="Творог просроченный, третий раз пишу", visitor="visitor-2")
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.click("[data-panel=ticket]")
    page.fill("#topic", lead.topic.name)
    page.click(f"#ticket-form [role=option]:has-text('{lead.topic.name}')")
    page.wait_for_selector("text=Возможно, о том же:")
    assert first.number in page.inner_text("[data-alike]")
    picture(page, "new-ticket")


def test_a_word_of_the_feed_becomes_a_ticket_and_goes_back(live_product, page, lead):
    case = tickets(lead)[0]
    said = lead.write(text="И ещё: касса не принимает карты", visitor="visitor-1").messages.latest("pk")
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"case/{case.pk}/")
    entry = page.locator(f"#m{said.pk}")
    button = entry.locator("[data-do=split]")
    expect(button).not_to_be_visible()
    entry.focus()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    picture(page, "split-button")
    page.keyboard.press("Enter")
    expect(page.locator("#split-text")).to_have_text(said.text)
    expect(page.locator("#split-topic")).to_be_focused()
    page.keyboard.type(lead.topic.name)
    page.click(f"#dialog [role=option]:has-text('{lead.topic.name}')")
    page.fill("#dialog [name='detail.product']", "Касса № 3")
    page.fill("#split-store", "4217")
    page.click("#dialog [data-picker=stores] [role=option]")
    picture(page, "split-dialog")
    assert violations(page) == []
    page.click("#dialog button[type=submit]")
    expect(page.locator(".toast")).to_contain_text("выделено")
    link = CaseLink.objects.get(kind="split")
    assert (link.main_id, link.case.summary) == (case.pk, said.text)
    page.click(".toast button")
    page.wait_for_selector(".toast:has-text('Отменено')")
    assert Case.objects.get(pk=link.case_id).state == "closed"
    assert page.evaluate("window.violations") == []


def test_an_incidents_guests_are_answered_at_once(live_product, page, lead):
    made = tickets(lead)
    place = {"branch": lead.topic, "group": b.a_group(), "store": b.a_store()}
    incident = Incident.objects.create(number="900", scope="store", seen=6, usual=0.4, since=NOW, made_at=NOW, **place)
    IncidentCase.objects.bulk_create(IncidentCase(incident=incident, case=case, at=NOW) for case in made)
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    page.goto(f"{live_product.url}/desk/incidents/")
    picture(page, "incidents")
    page.click("text=Это инцидент")
    page.click("text=Ответить всем гостям")
    page.fill("#id_text", "{guest}, убрали, спасибо!")
    picture(page, "mass")
    page.click("text=Собрать обращения")
    mass.carry_on(now=NOW)
    page.wait_for_selector("text=Запустить")
    picture(page, "mass-job")
    page.click("text=Запустить")
    mass.carry_on(now=NOW)
    page.wait_for_selector(".mass-state:has-text('выполнено')")
    assert MassJob.objects.get().done == 2
    assert page.evaluate("window.violations") == []


def test_an_incident_gets_a_ticket_of_its_own_and_ends_with_its_tickets(live_product, page, lead):
    made = tickets(lead)
    place = {"branch": lead.topic, "group": b.a_group(), "store": b.a_store(), "priority": 2}
    incident = Incident.objects.create(number="901", scope="store", seen=6, usual=0.4, since=NOW, made_at=NOW, **place)
    IncidentCase.objects.bulk_create(IncidentCase(incident=incident, case=case, at=NOW) for case in made)
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    page.goto(f"{live_product.url}/desk/incidents/")
    page.click("text=Это инцидент")
    page.wait_for_selector("text=Собственное обращение")
    own = Incident.objects.get(pk=incident.pk).main
    picture(page, "incident-own")
    go(page, live_product, f"case/{own.pk}/")
    expect(page.locator("#guest-name")).to_contain_text("Инцидент № 901")
    expect(page.locator("#open-item")).to_contain_text("Среди своих")
    page.wait_for_selector("text=Это собственное обращение инцидента.")
    expect(page.locator("input[name=mode][value=note]")).to_be_checked()
    picture(page, "incident-ticket")
    page.fill("#text", "Позвонили в магазин: холодильник чинят")
    page.click("#send")
    page.wait_for_selector("#feed >> text=холодильник чинят")
    page.click("[data-panel=guest]")
    page.wait_for_selector("text=Гостя здесь нет")
    picture(page, "incident-ticket-guest")
    assert violations(page) == []
    page.goto(f"{live_product.url}/desk/incidents/")
    page.click("summary:has-text('Инцидент исчерпан')")
    page.check("input[name=members]")
    page.fill("textarea[name=text]", "{guest}, холодильник починили, спасибо!")
    picture(page, "incident-end")
    assert violations(page) == []
    page.click("button:has-text('Завершить инцидент')")
    page.wait_for_url("**/desk/mass/*/")
    while mass.carry_on(now=NOW):
        pass
    page.wait_for_selector(".mass-state:has-text('выполнено')")
    picture(page, "incident-end-job")
    assert Case.objects.filter(state="closed").count() == 3
    assert Incident.objects.get().state == "closed"
    assert page.evaluate("window.violations") == []
