"""Reply windows, approved texts, another channel when one fails, and why a message has not arrived."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from core.models import AuditEntry
from core.refusal import Refusal
from customers.models import Identity
from customers.services import identities, merging
from omni import delivery, message_templates
from omni.channels.contract import Failed, Reason, Retry, Sent
from omni.models import Attempt, Fallback, FallbackStep, Message, MessageTemplate, Session
from omni.services import answering, conversations, fallbacks, outgoing, sending
from omni.services.approved import Choice
from omni.states import FallbackState, SendState, SessionState
from sla.services import clocks
from tests import builders as b

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def dialogue(operator):
    """A guest of Telegram, in the operator's hands, who is also known in the web chat."""
    telegram, chat = b.an_account(), b.an_account("webchat")
    b.receive(telegram, b.telegram_update(1, chat_id=1), now=NOW)
    session = Session.objects.get(account=telegram)
    b.receive(chat, b.webchat_event("visitor:1", "Я же в чате"), now=NOW)
    other = Session.objects.get(account=chat)
    merging.merge(kept_id=session.guest_id, gone_id=other.guest_id, by=operator, now=NOW)
    conversations.close(session_id=other.pk, by=operator, now=NOW)
    return conversations.take(session_id=session.pk, by=operator, now=NOW)


def failed(session, operator, result=None, now=NOW):
    """An answer that its channel refuses for good."""
    message = answering.answer(session_id=session.pk, text="Кефир уберут сегодня", by=operator, now=now)
    attempt = Attempt.objects.get(message=message)
    Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
    sending.finish(attempt_id=attempt.pk, result=result or Failed("403", "bot was blocked", Reason.CONTACT_BLOCKED), now=now)
    return Message.objects.get(pk=message.pk)


def the_chat():
    return Identity.objects.get(channel="webchat")


def agree(operator):
    identities.agree(identity_id=the_chat().pk, source="Сказал в диалоге", by=operator, now=NOW)


def settle(message, result):
    attempt = Attempt.objects.get(message=message)
    Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
    sending.finish(attempt_id=attempt.pk, result=result, now=NOW)


def test_without_consent_there_is_no_other_way(dialogue, operator):
    message = failed(dialogue, operator)
    assert fallbacks.list_ways(message, now=NOW) == []
    with pytest.raises(Refusal) as refused:
        fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
    assert refused.value.code == "no_way"
    agree(operator)
    assert [way.identity for way in fallbacks.list_ways(message, now=NOW)] == [the_chat()]
    identities.withdraw(identity_id=the_chat().pk, by=operator, now=NOW)
    assert fallbacks.list_ways(message, now=NOW) == []


def test_by_a_persons_word_the_text_goes_through_the_other_channel_once(dialogue, operator):
    agree(operator)
    message = failed(dialogue, operator)
    dialogue.refresh_from_db()
    assert dialogue.waiting_since is not None
    second = fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
    assert (second.text, second.account.kind, second.guest_id) == (message.text, "webchat", dialogue.guest_id)
    assert second.session.state == SessionState.CLOSED  # gives nobody work until the guest answers
    line = second.session.messages.get(direction="system")
    assert "blocked" in line.text or "заблокировал" in line.text
    with pytest.raises(Refusal) as twice:
        fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
    assert twice.value.code == "sent_otherwise"
    dialogue.refresh_from_db()
    assert dialogue.waiting_since is None
    assert clocks.running(dialogue.clock_subject)  # written is not sent
    settle(second, Sent(("out:1",)))
    fallbacks.sweep(now=NOW)
    assert not clocks.running(dialogue.clock_subject)
    assert AuditEntry.objects.get(action="message.sent_by_other_channel").details["reason"] == message.send_error


def test_when_the_other_channel_fails_too_the_guest_waits_again(dialogue, operator):
    agree(operator)
    message = failed(dialogue, operator)
    second = fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
    settle(second, Failed("gone", "closed", Reason.CONTACT_GONE))
    fallbacks.sweep(now=NOW)
    dialogue.refresh_from_db()
    assert dialogue.waiting_since is not None
    assert fallbacks.list_ways(Message.objects.get(pk=second.pk), now=NOW) == []  # both were tried


def test_the_queues_rule_sends_by_itself(dialogue, operator):
    agree(operator)
    FallbackStep.objects.create(queue=dialogue.queue, channel="viber", position=1)
    FallbackStep.objects.create(queue=dialogue.queue, channel="webchat", position=2)
    message = failed(dialogue, operator)
    wish = Fallback.objects.get(origin=message)
    assert (wish.state, wish.by) == (FallbackState.DUE, None)
    second = fallbacks.run(wish.pk, now=NOW)
    assert (second.account.kind, second.author) == ("webchat", operator)
    assert fallbacks.run(wish.pk, now=NOW) is None
    wish.refresh_from_db()
    assert (wish.state, wish.message_id, wish.reason) == (FallbackState.SENT, second.pk, message.send_error)


def test_the_rule_finds_nobody_without_consent_and_a_person_still_may(dialogue, operator):
    FallbackStep.objects.create(queue=dialogue.queue, channel="webchat")
    message = failed(dialogue, operator)
    assert fallbacks.run(Fallback.objects.get().pk, now=NOW) is None
    assert Fallback.objects.get().state == FallbackState.NONE
    agree(operator)
    assert fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
    assert Fallback.objects.get().state == FallbackState.SENT


def test_sent_again_in_its_own_channel_no_other_one_is_looked_for(dialogue, operator):
    agree(operator)
    FallbackStep.objects.create(queue=dialogue.queue, channel="webchat")
    message = failed(dialogue, operator, Failed("400", "bad request"))
    answering.resend(message_id=message.pk, by=operator, now=NOW)
    assert not Fallback.objects.exists()


# Reply windows and approved texts


@pytest.fixture
def closed_window(operator):
    """A WhatsApp dialogue whose guest wrote two days ago."""
    account = b.an_account("whatsapp", settings={"phone_number_id": "1"}, access_token="t", app_secret="s")
    identity = identities.recognise(
        channel="whatsapp", scope=str(account.public_id), external_id="79161234567", name="Анна", phone="+79161234567", now=NOW
    )
    session = conversations.join_or_open(account=account, identity=identity, subject="", now=NOW - timedelta(days=2))
    Session.objects.filter(pk=session.pk).update(last_inbound_at=NOW - timedelta(days=2))
    return conversations.take(session_id=session.pk, by=operator, now=NOW)


def a_template(account, state="approved", **fields):
    values = {"name": "answer_ready", "language": "ru", "body": "{{1}}, ответ по заказу {{2}} готов.", "parameters": ["Имя", "Заказ"]}
    return MessageTemplate.objects.create(account=account, state=state, **{**values, **fields})


def test_a_closed_window_is_refused_with_the_way_out(closed_window, operator):
    with pytest.raises(Refusal) as no_way:
        answering.answer(session_id=closed_window.pk, text="Добрый день", by=operator, now=NOW)
    a_template(closed_window.account)
    with pytest.raises(Refusal) as way_out:
        answering.answer(session_id=closed_window.pk, text="Добрый день", by=operator, now=NOW)
    with translation.override("en"):
        assert (no_way.value.code, "another channel" in str(no_way.value)) == ("window_closed", True)
        assert "approved text" in str(way_out.value)


def test_an_approved_text_goes_out_as_what_it_is(closed_window, operator):
    row = a_template(closed_window.account)
    message = answering.answer_with_template(session_id=closed_window.pk, choice=Choice(row.pk, ["Анна", "4711"]), by=operator, now=NOW)
    assert message.text == "Анна, ответ по заказу 4711 готов."
    MessageTemplate.objects.all().delete()
    attempt = Attempt.objects.select_related("account", "message__session__identity").get(message=message)
    built = outgoing.build(attempt)
    assert (built.template.name, built.template.language, built.template.parameters) == ("answer_ready", "ru", ("Анна", "4711"))


@pytest.mark.parametrize(
    ("state", "values", "code"),
    [
        ("approved", ["Анна"], "template_values"),
        ("approved", ["Анна", " "], "template_values"),
        ("approved", ["Анна", "47\n11"], "template_values"),
        ("paused", ["Анна", "4711"], "template_unknown"),
        ("pending", ["Анна", "4711"], "template_unknown"),
    ],
)
def test_what_is_not_approved_or_not_filled_in_is_refused(closed_window, operator, state, values, code):
    row = a_template(closed_window.account, state)
    with pytest.raises(Refusal) as refused:
        answering.answer_with_template(session_id=closed_window.pk, choice=Choice(row.pk, values), by=operator, now=NOW)
    assert refused.value.code == code


def test_another_accounts_text_is_unknown_and_a_channel_without_texts_says_so(closed_window, dialogue, operator):
    row = a_template(b.an_account("whatsapp"))
    with pytest.raises(Refusal) as unknown:
        answering.answer_with_template(session_id=closed_window.pk, choice=Choice(row.pk, ["А", "1"]), by=operator, now=NOW)
    assert unknown.value.code == "template_unknown"
    with pytest.raises(Refusal) as none:
        answering.answer_with_template(session_id=dialogue.pk, choice=Choice(row.pk, ["А", "1"]), by=operator, now=NOW)
    assert none.value.code == "no_templates"


def test_a_failed_message_is_not_sent_again_through_a_closed_window(closed_window, operator):
    Session.objects.filter(pk=closed_window.pk).update(last_inbound_at=NOW)
    message = failed(closed_window, operator, Failed("131000", "something", Reason.REJECTED))
    Session.objects.filter(pk=closed_window.pk).update(last_inbound_at=NOW - timedelta(hours=25))
    with pytest.raises(Refusal) as refused:
        answering.resend(message_id=message.pk, by=operator, now=NOW)
    assert refused.value.code == "window_closed"


PLACES = [
    ("Здравствуйте!", 0),
    ("{{1}}", 1),
    ("{{1}} {{2}} {{1}}", 2),
    ("{{2}}", -1),
    ("{{1}} {{3}}", -1),
    ("{{0}}", -1),
    ("{ {1} }", 0),
]


@pytest.mark.parametrize(("body", "count"), PLACES)
def test_places_of_a_text(body, count):
    assert message_templates.count_places(body) == count


# Why it has not arrived


def test_the_story_of_a_message_says_each_try_and_what_comes_next(dialogue, operator):
    message = answering.answer(session_id=dialogue.pk, text="Ответ", by=operator, now=NOW)
    with translation.override("en"):
        story = delivery.story_of(message, now=NOW)
        assert ([one.said for one in story.tries], story.next_at is not None) == (["Waits for its turn."], True)
        settle(message, Retry("no_answer", "ReadTimeout", unknown=True))
        story = delivery.story_of(Message.objects.get(pk=message.pk), now=NOW)
        assert [(one.code, one.possibly_delivered) for one in story.tries] == [("no_answer", True), ("", False)]
        assert story.next_step == "Try 2 of 6 is made by itself."
        second = Attempt.objects.get(message=message, number=2)
        Attempt.objects.filter(pk=second.pk).update(state=SendState.SENDING)
        sending.finish(attempt_id=second.pk, result=Failed("403", "bot was blocked", Reason.CONTACT_BLOCKED), now=NOW)
        agree(operator)
        story = delivery.story_of(Message.objects.get(pk=message.pk), now=NOW)
        assert story.tries[1].said == "The channel refused it for good."
        assert story.tries[1].detail == "bot was blocked"
        assert "somebody has to send it again" in story.next_step
        assert [way.account.kind for way in story.ways] == ["webchat"]
        second_message = fallbacks.send_by(message_id=message.pk, identity_id=the_chat().pk, by=operator, now=NOW)
        story = delivery.story_of(Message.objects.get(pk=message.pk), now=NOW)
        assert story.next_step == "It was sent through webchat instead."
        assert delivery.story_of(second_message, now=NOW).tries
