"""The admin panel and the reports in a real browser: accessible in both themes, no foreign host, the load refreshes by itself."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from omni.models import InboundEvent
from reports.tests.builders import many_facts
from tests.admin.conftest import an_administrator, one_of_everything
from tests.builders import a_person, a_topic, go_on_line

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = {
    "home": lambda: reverse("admin:index"),
    "journal": lambda: reverse("admin:omni_inboundevent_changelist"),
    "event": lambda: reverse("admin:omni_inboundevent_change", args=[InboundEvent.objects.latest("pk").pk]),
    "period": lambda: reverse("admin:omni_inboundevent_replay_period"),
    "topics": lambda: reverse("admin:tickets_topic_changelist"),
    "topic": lambda: reverse("admin:tickets_topic_change", args=[a_topic("child-1").pk]),
    "staff": lambda: reverse("admin:accounts_staff_add"),
    "role": lambda: reverse("admin:accounts_role_add"),
    "account": lambda: reverse("admin:omni_channelaccount_change", args=[InboundEvent.objects.latest("pk").account_id]),
    "calendar": lambda: reverse("admin:sla_calendar_changelist"),
    "reports": lambda: "/reports/?by=group",
}


@pytest.fixture
def signed_in(context, live_product):
    client = Client()
    client.force_login(an_administrator())
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_product.url}])
    return live_product.url


def filled():
    with transaction.atomic():
        one_of_everything(1)
        one_of_everything(2)
    many_facts(80, now=timezone.now(), days=20)
    go_on_line(a_person("ready", "Готовый Оператор"), now=timezone.now())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(page, signed_in, theme):
    filled()
    foreign, found = [], {}
    page.on("request", lambda asked: foreign.append(asked.url) if not asked.url.startswith((signed_in, "data:", "blob:")) else None)
    page.emulate_media(color_scheme=theme)
    page.add_init_script(f"localStorage.setItem('_x_adminTheme', '\"{theme}\"')")
    for name, address in PAGES.items():
        page.goto(signed_in + address())
        page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
        assert page.locator("h1").count() == 1, name
        violations = Axe().run(page, options=RULES).response["violations"]
        found |= {
            (name, fault["id"], node["html"][:160]): node.get("failureSummary", "")[:200] for fault in violations for node in fault["nodes"]
        }
    assert not found
    assert not foreign
