"""Rules of routing on their pages: where each leads today, and what is said when its groups are gone."""

import pytest
from django.contrib.messages import get_messages

from accounts.models import Group
from tests import builders as b
from tests.admin.test_settings_pages import change
from tickets.models import RouteRule

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/routerule/"
BY_TOPIC = "Правило не называет группу"


def leads(client, rule):
    page = client.get(LIST)
    found = next(row for row in page.context_data["cl"].result_list if row.pk == rule.pk)
    return page.context_data["cl"].model_admin.goes_to(found)


def a_rule(**fields):
    rule = RouteRule.objects.create(name="Возвраты по магазинам", **fields)
    rule.groups.set([b.a_group("refunds", "Возвраты"), b.a_group("night", "Ночная смена")])
    return rule


def told(answer):
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def test_a_rule_whose_last_group_is_taken_out_says_where_its_tickets_go_now(admin_browser):
    rule = a_rule(to_store=True)
    assert leads(admin_browser, rule) == "Возвраты, Ночная смена"
    assert BY_TOPIC not in told(
        change(admin_browser, rule, position="1", to_store="true", groups=[str(Group.objects.get(code="night").pk)])
    )
    answer = change(admin_browser, rule, position="1", to_store="true", groups=[])
    assert BY_TOPIC in told(answer)
    assert leads(admin_browser, rule) == "группа темы"


def test_a_group_switched_off_or_deleted_later_is_seen_in_the_list(admin_browser):
    rule = a_rule(person=b.a_person("chosen", "Анна Выбранная"))
    Group.objects.filter(code="refunds").update(is_active=False)
    assert leads(admin_browser, rule) == "Возвраты (больше не используется), Ночная смена, Анна Выбранная"
    Group.objects.filter(code__in=["refunds", "night"]).delete()
    assert leads(admin_browser, rule) == "группа темы, Анна Выбранная"


def test_a_rule_that_leads_nowhere_is_refused(admin_browser):
    rule = a_rule()
    with pytest.raises(AssertionError, match="группа, сотрудник или магазин"):
        change(admin_browser, rule, position="1", groups=[])
    assert rule.groups.count() == 2
