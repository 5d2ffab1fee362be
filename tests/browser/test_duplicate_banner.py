"""A second message on the same receipt in another channel: told above the dialogue, compared and joined in two keys, undone in seconds."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.rights import Right
from customers.models import Guest, MatchRule
from omni.models import Session
from tests import builders as b
from tests.browser.desk import WATCH, focus_is_visible, go, picture, sign_in, world  # noqa: F401
from tests.browser.test_workstation_look import violations
from tickets.models import Case, CaseLink
from tickets.services import defaults, duplicates, opening
from tickets.states import CaseState

pytestmark = pytest.mark.django_db(transaction=True)
RECEIPT = "004512349876"


@pytest.fixture
def pair(world):  # noqa: F811
    """Two tickets of one matter from two channels, by people whom nothing but the receipt connects; nobody has seen that yet."""
    now = timezone.now()
    defaults.load(now=now)
    world.topic = b.a_topic(group=b.a_group())
    first = world.write(text=f"Просроченный творог, чек {RECEIPT}")
    mail = b.an_account("telegram")
    b.receive(mail, b.telegram_update(1, text="Здравствуйте, у вас на полке просрочка", name="Анна"), now=now)
    second = Session.objects.order_by("-pk").first()
    open_ticket = {"topic": world.topic, "by": world.operator, "store": b.a_store()}
    made = [opening.open_ticket(session_id=session.pk, now=timezone.now(), **open_ticket) for session in (first, second)]
    world.mail = mail
    return made


def says(world, number, text):  # noqa: F811
    b.receive(world.mail, b.telegram_update(number, text=text, name="Анна"), now=timezone.now())


def compared():
    """What the worker does a moment later."""
    now = timezone.now() + timedelta(minutes=10)
    return [duplicates.look_again(pk, now=now) for pk in duplicates.find_due(now=now)]


def test_told_compared_joined_and_undone(live_product, page, pair, world):  # noqa: F811
    first, second = pair
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"case/{second.pk}/")
    expect(page.locator("#panel [data-belonging]")).not_to_be_empty()
    expect(page.locator("#banner")).to_be_hidden()
    says(world, 2, f"Просроченный творог, вот чек {RECEIPT}")
    assert compared()
    expect(page.locator("#banner")).to_contain_text(f"№ {first.number}")
    picture(page, "duplicate-banner")
    before = _state(pair)
    page.focus("#feed")
    page.keyboard.press("d")
    expect(page.locator("#dialog")).to_contain_text(RECEIPT)
    expect(page.locator("#compare-join")).to_be_focused()
    assert violations(page) == []
    picture(page, "duplicate-compare")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("теперь одно обращение")
    expect(page.locator("#banner")).to_be_hidden()
    assert focus_is_visible(page)
    link = CaseLink.objects.get()
    assert (link.case_id, link.main_id) == (second.pk, first.pk)
    assert Case.objects.get(pk=second.pk).state == CaseState.CLOSED
    page.focus("#feed")
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_have_text("Отменено.")
    expect(page.locator("#banner")).to_contain_text(f"№ {first.number}")
    after = _state(pair)
    assert [(one[0], one[1]) for one in after] == [(one[0], one[1]) for one in before]
    assert Case.objects.get(pk=second.pk).state != CaseState.CLOSED
    assert page.evaluate("window.violations") == []


def _state(pair):
    return [(case.pk, case.session_id, case.state) for case in Case.objects.filter(pk__in=[one.pk for one in pair]).order_by("pk")]


def test_two_guests_of_one_telephone_are_joined_and_parted(live_product, page, world):  # noqa: F811
    role = world.operator.roles.get()
    role.rights = [*role.rights, Right.JOIN_GUESTS]
    role.save()
    session, other = world.give(text="Один", visitor="v1"), world.give(text="Другой", visitor="v2", name="Маша К.")
    MatchRule.objects.create(code="phone", weight=60)
    Guest.objects.update(phone="+79161234567")
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    expect(page.locator("#banner")).to_contain_text("Маша К.")
    page.focus("#feed")
    page.keyboard.press("d")
    expect(page.locator("#join-now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("один гость")
    assert Session.objects.get(pk=other.pk).guest_id == session.guest_id
    page.focus("#feed")
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("снова два гостя")
    assert Session.objects.get(pk=other.pk).guest_id == other.guest_id


def test_where_nothing_is_alike_the_key_says_so(live_product, page, world):  # noqa: F811
    sign_in(page, live_product)
    go(page, live_product, f"session/{world.give().pk}/")
    page.focus("#feed")
    page.keyboard.press("d")
    expect(page.locator(".toast")).to_contain_text("Ничего похожего")
