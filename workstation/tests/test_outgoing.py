"""A message on its way out, at the desk: its story, another channel, approved texts, consent."""

import json
from datetime import timedelta

import pytest

from core.refusal import Refusal
from customers.models import Consent, Identity
from customers.services import identities, merging
from omni.channels.contract import Failed, OutgoingFile, Reason
from omni.models import Attempt, Message, MessageTemplate, Session, TemplateUse
from omni.services import answering, conversations, sending
from omni.states import SendState
from tests import builders as b
from workstation.tests.conftest import Desk


@pytest.fixture
def failed(write, operator, now):
    """An answer that Telegram refused; the guest is known in the web chat too."""
    chat = write()
    b.receive(b.an_account(), b.telegram_update(1, chat_id=5, name="Мария"), now=now)
    session = Session.objects.get(account__kind="telegram")
    merging.merge(kept_id=session.guest_id, gone_id=chat.guest_id, by=operator, now=now)
    conversations.take(session_id=session.pk, by=operator, now=now)
    message = answering.answer(session_id=session.pk, text="Уберут сегодня", by=operator, now=now)
    attempt = Attempt.objects.get(message=message)
    Attempt.objects.filter(pk=attempt.pk).update(state=SendState.SENDING)
    sending.finish(attempt_id=attempt.pk, result=Failed("403", "bot was blocked", Reason.CONTACT_BLOCKED), now=now)
    return Message.objects.get(pk=message.pk)


def test_the_bubble_offers_why_and_says_what_is_doubtful(desk, failed):
    Message.objects.filter(pk=failed.pk).update(possibly_delivered=True)
    page = desk.read(f"session/{failed.session_id}/open/").json()["dialogue"]
    assert f'data-do="story" data-message="{failed.pk}"' in page
    assert "may have arrived all the same" in page or "могло всё-таки дойти" in page


def test_the_story_offers_only_channels_with_consent_and_sends_through_them(desk, failed):
    chat = Identity.objects.get(channel="webchat")
    story = desk.read(f"messages/{failed.pk}/story/").json()["html"]
    assert "bot was blocked" in story
    assert "data-way" not in story
    consent = f"guests/{failed.guest_id}/identities/{chat.pk}/consent/"
    assert desk.command(consent, agrees="1").status_code == 200
    assert Consent.objects.get().by == desk.staff
    assert f'data-way="{chat.pk}"' in desk.read(f"messages/{failed.pk}/story/").json()["html"]
    answer = desk.command(f"messages/{failed.pk}/other-channel/", identity=chat.pk).json()
    assert Message.objects.get(pk=answer["message_id"]).session.account.kind == "webchat"
    assert "data-way" not in desk.read(f"messages/{failed.pk}/story/").json()["html"]
    assert desk.command(consent, agrees="0").status_code == 200
    assert Consent.objects.get().withdrawn_at is not None


def test_a_strangers_message_is_not_explained(failed):
    stranger = Desk(b.a_person("sidorova", "Ирина Сидорова", groups=[b.a_group("mail", "Почта")]))
    assert stranger.read(f"messages/{failed.pk}/story/").status_code == 404
    assert stranger.command(f"guests/{failed.guest_id}/identities/{Identity.objects.first().pk}/consent/", agrees="1").status_code == 404


@pytest.fixture
def closed_window(operator, now):
    account = b.an_account("whatsapp", settings={"phone_number_id": "1"}, access_token="t", app_secret="s")
    scope = str(account.public_id)
    with_guest = identities.recognise(channel="whatsapp", scope=scope, external_id="79161234567", name="Анна", now=now)
    session = conversations.join_or_open(account=account, identity=with_guest, subject="", now=now)
    Session.objects.filter(pk=session.pk).update(last_inbound_at=now - timedelta(days=2))
    return conversations.take(session_id=session.pk, by=operator, now=now)


@pytest.mark.django_db
def test_when_the_window_is_over_an_approved_text_is_offered_and_sent(desk, closed_window):
    row = MessageTemplate.objects.create(
        account=closed_window.account, name="ready", language="ru", body="{{1}}, ответ готов.", parameters=["Имя"], state="approved"
    )
    page = desk.read(f"session/{closed_window.pk}/open/").json()["dialogue"]
    assert 'data-do="approved"' in page
    assert 'data-silent=""' not in page
    assert desk.command(f"session/{closed_window.pk}/answer/", text="Добрый день").json()["code"] == "window_closed"
    assert [one["id"] for one in desk.read(f"session/{closed_window.pk}/approved/").json()["found"]] == [row.pk]
    sent = desk.command(f"session/{closed_window.pk}/approved/send/", template=row.pk, values=json.dumps(["Анна"])).json()
    assert Message.objects.get(pk=sent["message_id"]).text == "Анна, ответ готов."
    assert TemplateUse.objects.get().parameters == ["Анна"]
    assert desk.command(f"session/{closed_window.pk}/approved/send/", template=row.pk, values="{").json()["code"] == "choose"


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "guest"), [("rss", "e1"), ("ok", "comments:570"), ("mango", "+79161234567")])
def test_where_nobody_can_be_answered_the_editor_says_so_beforehand(desk, operator, now, kind, guest):
    account = b.an_account(kind)
    identity = identities.recognise(channel=kind, scope=str(account.public_id), external_id=guest, name="Анна", now=now)
    session = conversations.join_or_open(account=account, identity=identity, subject="", now=now)
    conversations.take(session_id=session.pk, by=operator, now=now)
    assert 'data-silent=""' not in desk.read(f"session/{session.pk}/open/").json()["dialogue"]
    refused = desk.command(f"session/{session.pk}/answer/", text="Спасибо!")
    assert (refused.status_code, refused.json()["code"]) == (400, "unanswerable")


@pytest.mark.django_db
def test_a_file_is_refused_at_once_where_the_channel_takes_none(operator, now):
    account = b.an_account("google_play")
    identity = identities.recognise(channel="google_play", scope=str(account.public_id), external_id="r1", name="Анна", now=now)
    session = conversations.join_or_open(account=account, identity=identity, subject="", now=now)
    picture = OutgoingFile("a.png", "image/png", b"1")
    with pytest.raises(Refusal) as refused:
        answering.answer(session_id=session.pk, text="Спасибо", by=operator, now=now, uploads=[picture])
    assert refused.value.code == "no_files"
