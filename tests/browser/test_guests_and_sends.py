"""At the desk in a browser: two guests become one and are parted, an answer that failed is explained and goes another way."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.rights import Right
from customers.models import Consent, Guest, GuestMerge, Identity, MatchRule
from customers.services import identities, merging
from omni.channels.contract import Failed, Reason
from omni.models import Attempt, Message, MessageTemplate, Session
from omni.services import answering, conversations, sending
from omni.states import SendState
from tests import builders as b
from tests.browser.desk import WATCH, go, picture, sign_in, world  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+79161234567"


@pytest.fixture
def joiner(world):  # noqa: F811
    """The operator may join guests."""
    role = world.operator.roles.get()
    role.rights = [*role.rights, Right.JOIN_GUESTS]
    role.save()
    return world


def test_two_guests_become_one_and_are_parted(live_product, page, joiner):
    MatchRule.objects.create(code="phone", weight=60)
    MatchRule.objects.create(code="email", weight=60)
    session = joiner.give(text="Где мой заказ?")
    b.receive(b.an_account(), b.telegram_update(1, chat_id=5, name="Маша", text="Писала вам в чат"), now=timezone.now())
    other = Identity.objects.get(channel="telegram").guest
    Guest.objects.filter(pk__in=[session.guest_id, other.pk]).update(phone=PHONE)
    page.add_init_script(WATCH)
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.wait_for_selector("text=Возможно, тот же гость")
    page.wait_for_selector("[data-do=compare]")
    picture(page, "candidates")
    page.click("[data-do=compare]")
    page.wait_for_selector("#join-now:enabled")
    assert "Маша" in page.inner_text("#join-body")
    picture(page, "preview")
    page.click("#join-now")
    page.wait_for_selector("text=Теперь это один гость")
    page.wait_for_selector(".feed >> text=Писала вам в чат")  # the one feed of both, without a reload
    made = GuestMerge.objects.get()
    assert (made.kept_id, made.gone_id, made.by) == (session.guest_id, other.pk, joiner.operator)
    page.wait_for_selector("[data-do=part]")
    picture(page, "joined")
    page.click("[data-do=part]")
    page.wait_for_selector("text=Это снова два гостя")
    page.wait_for_selector(".feed >> text=Писала вам в чат", state="detached")
    assert Guest.objects.get(pk=other.pk).merged_into is None
    assert page.evaluate("window.violations") == []


def test_a_failed_answer_is_explained_and_goes_through_another_channel(live_product, page, world):  # noqa: F811
    chat = world.write("Здравствуйте!")
    b.receive(b.an_account(), b.telegram_update(1, chat_id=5, name="Маша"), now=timezone.now())
    session = Session.objects.get(account__kind="telegram")
    merging.merge(kept_id=session.guest_id, gone_id=chat.guest_id, by=world.operator, now=timezone.now())
    conversations.take(session_id=session.pk, by=world.operator, now=timezone.now())
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    message = answering.answer(session_id=session.pk, text="Уберут сегодня", by=world.operator, now=timezone.now())
    attempt = Attempt.objects.get(message=message)
    Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
    result = Failed("403", "Forbidden: bot was blocked by the user", Reason.CONTACT_BLOCKED)
    sending.finish(attempt_id=attempt.pk, result=result, now=timezone.now())
    page.wait_for_selector(".toast >> text=Ответ не отправлен")  # the notice comes by itself
    chat_identity = Identity.objects.get(channel="webchat")
    page.click(f"[data-do=consent][data-identity='{chat_identity.pk}']")
    page.wait_for_selector("text=Согласие отмечено")
    assert Consent.objects.get().by == world.operator
    page.click(f"#m{message.pk} [data-do=story]")
    page.wait_for_selector("#story-body [data-way]")
    assert "bot was blocked" in page.inner_text("#story-body")
    picture(page, "story")
    page.click("#story-body [data-way]")
    page.wait_for_selector("text=Отправлено через другой канал")
    assert Message.objects.filter(account__kind="webchat", text="Уберут сегодня").count() == 1


def test_when_the_reply_window_is_over_an_approved_text_goes_out(live_product, page, world):  # noqa: F811
    now = timezone.now()
    account = b.an_account("whatsapp", settings={"phone_number_id": "1"}, access_token="t", app_secret="s")
    with transaction.atomic():
        guest = identities.recognise(channel="whatsapp", scope=str(account.public_id), external_id="79161234567", name="Анна", now=now)
        session = conversations.join_or_open(account=account, identity=guest, subject="", now=now)
    Session.objects.filter(pk=session.pk).update(last_inbound_at=now - timedelta(days=2))
    conversations.take(session_id=session.pk, by=world.operator, now=now)
    MessageTemplate.objects.create(
        account=account,
        name="answer_ready",
        language="ru",
        body="{{1}}, ответ по заказу {{2}} готов.",
        parameters=["Имя", "Номер заказа"],
        state="approved",
    )
    sign_in(page, live_product)
    go(page, live_product, f"session/{session.pk}/")
    page.wait_for_selector("text=Можно отправить только утверждённый текст")
    page.click("[data-do=approved]")
    page.fill("#place-0", "Анна")
    page.fill("#place-1", "4711")
    assert page.inner_text("#approved-text") == "Анна, ответ по заказу 4711 готов."
    picture(page, "approved")
    page.click("#dialog [type=submit]")
    page.wait_for_selector(".feed >> text=Анна, ответ по заказу 4711 готов.")
    assert Message.objects.get(direction="out").template_use.parameters == ["Анна", "4711"]
