"""The home page: the live load, by rights, in few questions; the left menu; guests' contacts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.rights import Right
from core.models import AuditEntry
from customers.models import Guest
from customers.rules import masked, masked_email, masked_phone
from omni.models import ChannelAccount
from omni.services import distribution
from sla.services import clocks
from tests import builders as b
from tests.admin.conftest import an_administrator, browser, one_of_everything

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOME = reverse("admin:index")


def values(answer):
    return [card.value for card in answer.context["cards"]]


def test_the_load_is_told(admin_browser):
    account = b.an_account("webchat")
    operator = b.a_person("ivanova", "Анна Иванова", groups=[b.a_group()])
    now = timezone.now()
    early = now - timedelta(hours=2)
    for number in range(3):
        b.receive(account, b.webchat_event(visitor=f"v{number}"), now=early)
    b.go_on_line(operator, now=timezone.now(), capacity=1)
    assert distribution.give_out(group_id=b.a_group().pk, now=timezone.now()) == 1
    clocks.mark_breaches(now=now)
    b.receive(account, b"{broken", now=NOW)
    ChannelAccount.objects.update(state="degraded", state_reason="Пароль не подошёл")
    answer = admin_browser.get(HOME)
    queue, oldest, ready, overdue, at_risk, missed, closed = values(answer)
    assert (queue, ready, overdue, at_risk, closed) == ("2", "1", "3", "0", "0")
    due = early + timedelta(minutes=15)  # the promise of a first answer
    assert missed == ("3" if timezone.localdate(due) == timezone.localdate(now) else "0")
    assert oldest.startswith("2:0")  # hours and minutes: the page is opened a moment later
    page = answer.content.decode()
    assert "Анна Иванова" in page
    assert '<td class="otk-number">1/1</td>' in page
    assert "Пароль не подошёл" in page
    assert (answer.context["troubles"].unreadable, answer.context["troubles"].failed) == (1, 0)


def test_the_refresh_is_only_the_live_part_and_asks_little(admin_browser, django_assert_max_num_queries):
    for number in range(1, 4):
        one_of_everything(number)
    with django_assert_max_num_queries(20):
        answer = admin_browser.get(HOME, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert page.strip().startswith('<div id="live"')
    assert "<html" not in page
    assert "nav-sidebar" in admin_browser.get(HOME).content.decode()


def test_rights_decide_what_the_home_and_the_menu_show():
    one_of_everything(1)
    narrow = browser(an_administrator("narrow", [Right.ADMIN])).get(HOME)
    assert "cards" not in narrow.context
    assert "troubles" not in narrow.context
    page = narrow.content.decode()
    assert reverse("admin:accounts_staff_changelist") in page
    assert f'href="{reverse("admin:omni_inboundevent_changelist")}"' not in page
    keeper = browser(an_administrator("keeper", [Right.ADMIN, Right.JOURNAL])).get(HOME)
    assert keeper.context["troubles"].unreadable == 1
    assert "cards" not in keeper.context


def test_contacts_of_guests_are_hidden_without_the_right():
    b.receive(b.an_account("webchat"), b.webchat_event(name="Анна"), now=NOW)
    Guest.objects.update(phone="+79031112233", email="anna@example.com", search_text="анна +79031112233 anna@example.com")
    guest = Guest.objects.get()
    url, found = reverse("admin:customers_guest_change", args=[guest.pk]), reverse("admin:customers_guest_changelist")
    narrow = browser(an_administrator("narrow", [Right.ADMIN]))
    page = narrow.get(url).content.decode()
    assert "+79031112233" not in page
    assert "anna@example.com" not in page
    assert not AuditEntry.objects.filter(action="guest.contacts_seen").exists()
    wide = browser(an_administrator("wide", [Right.ADMIN, Right.PERSONAL]))
    assert "+79031112233" in wide.get(url).content.decode()
    assert AuditEntry.objects.get(action="guest.contacts_seen").subject == f"guest:{guest.pk}"
    assert "+79031112233" not in wide.get(found).content.decode()
    assert list(wide.get(found, {"q": "9031112233"}).context["cl"].result_list) == [guest]
    b.receive(b.an_account("webchat"), b.webchat_event(visitor="v2", name="Пётр"), now=NOW)
    assert len(narrow.get(found, {"q": "9031112233"}).context["cl"].result_list) == 0


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "+79031112233", "a@b", "@", "имя@пример.рф"])
def test_masks_hide_and_never_fail(text):
    assert len(masked(text)) == len(text)
    assert masked_phone(text) != text or len(text) == 0
    assert masked_email(text) != text or "@" in text or not text
