"""Mail from a real mailbox to the operator and back: threading by our own ids, strangers outside, bounces in words, nothing twice."""

import re
import threading
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime

import pytest
from django.db import connection
from django.utils import timezone

from core.embedded.waiting import wait_until
from core.models import AuditEntry
from omni.channels.email.adapter import imap_settings
from omni.channels.email.fetching import Mailbox
from omni.channels.email.tests.conftest import dovecot, dovecot_server, oauth, oauth_dovecot, oauth_servers, smtp  # noqa: F401
from omni.channels.email.threading import message_id
from omni.management.commands import fetch_mail
from omni.models import Attempt, ChannelAccount, InboundEvent, MailboxCursor, Message, Session
from omni.services import answering, connections, conversations, journal, mailboxes, sending
from omni.states import AccountState, Direction, EventState, SendState, SessionState
from tests import builders as b
from tests.providers.oauth import CLIENT, REFRESH, SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.peer("Dovecot")]
in_threads = pytest.mark.django_db(transaction=True)
OURS = "help@shop.example"


@pytest.fixture
def sink(smtp):  # noqa: F811
    return smtp()


@pytest.fixture
def account(dovecot, sink):  # noqa: F811
    imap = {"host": dovecot.host, "port": dovecot.port, "tls": "none", "user": dovecot.user, "timeout": 5}
    outgoing = {"host": "127.0.0.1", "port": sink.settings().port, "tls": "none"}
    settings = {"address": OURS, "name": "Лукошко", "imap": imap, "smtp": outgoing, "poll_seconds": 0.2}
    return b.an_account("email", settings=settings, imap_password=dovecot.password, thread_key="test-thread-key")


@pytest.fixture
def operator():
    return b.a_person(groups=[b.a_group()])


@pytest.fixture
def threads():
    """Starts functions with a stop event as their last argument; all are stopped at the end."""
    started = []

    def start(run, *arguments):
        stop = threading.Event()
        thread = threading.Thread(target=_closing(run), args=(*arguments, stop), daemon=True)
        thread.start()
        started.append((thread, stop))
        return stop

    yield start
    for _thread, stop in started:
        stop.set()
    for thread, _stop in started:
        thread.join(10)
        assert not thread.is_alive()


def _closing(run):
    def call(*arguments):
        try:
            run(*arguments)
        finally:
            connection.close()

    return call


def read(account, stop):
    mailboxes.Reader(account.pk, stop).run()


def a_mail(text="Добрый день! Творог вздулся, срок ещё неделя.", *, sender="anna@example.com", subject="Творог", **headers):
    mail = EmailMessage()
    fields = {"From": f"Анна <{sender}>", "To": OURS, "Subject": subject, "Date": format_datetime(timezone.now())}
    for name, value in {**fields, "Message-ID": f"<{timezone.now().timestamp()}@example.com>", **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def process_all():
    for event_id in InboundEvent.objects.filter(state=EventState.RECEIVED).order_by("pk").values_list("pk", flat=True):
        journal.process(event_id, now=timezone.now())


def fetch(account):
    with Mailbox(imap_settings(account.config())) as mailbox:
        number = mailboxes.read_new(account=account, mailbox=mailbox, now=timezone.now())
    process_all()
    return number


def deliver(dovecot, account, mail):  # noqa: F811
    dovecot.append(mail.as_bytes())
    return fetch(account)


def answer(session, operator, sink, text="Спасибо, убрали с полки. Деньги вернём."):
    """The operator answers; returns the mail as the guest's server got it."""
    message = answering.answer(session_id=session.pk, text=text, by=operator, now=timezone.now(), over_newer=True)
    attempt = message.attempts.get()
    type(attempt).objects.filter(pk=attempt.pk).update(next_at=timezone.now())
    assert sending.send(attempt.pk, now=timezone.now()) == SendState.SENT
    mail = BytesParser(policy=default).parsebytes(bytes(sink.sink.mails[-1].content))
    mail.replace_header("Message-ID", mail["Message-ID"].strip())  # Python's parser keeps the blank of a folded line
    return mail


def test_a_mail_is_answered_and_the_reply_joins_the_same_dialogue(dovecot, account, operator, sink):  # noqa: F811
    first = a_mail()
    assert deliver(dovecot, account, first) == 1
    session = Session.objects.get()
    assert session.identity.external_id == "anna@example.com"
    assert session.subject == "Творог"

    ours = answer(session, operator, sink)
    assert ours["To"] == "anna@example.com"
    assert ours["In-Reply-To"] == first["Message-ID"]
    assert ours["Message-ID"].strip("<>") == Message.objects.get(direction=Direction.OUT).external_id

    reply = a_mail("Спасибо!", subject=f"Re: {ours['Subject']}", In_Reply_To=ours["Message-ID"], References=ours["Message-ID"])
    deliver(dovecot, account, reply)
    assert Session.objects.get() == session
    again = answer(session, operator, sink, "Всего доброго!")
    # Both sides' ids in the chain, so that any mail program keeps one thread.
    assert again["References"].split() == [first["Message-ID"], ours["Message-ID"], reply["Message-ID"]]


def test_two_answers_in_a_row_answer_the_guests_mail_both(dovecot, account, operator, sink):  # noqa: F811
    first = a_mail()
    deliver(dovecot, account, first)
    session = Session.objects.get()
    # The second one is written before the first one has gone out and has an id.
    for text in ("Проверяем.", "Проверили."):
        answering.answer(session_id=session.pk, text=text, by=operator, now=timezone.now(), over_newer=True)
    Attempt.objects.update(next_at=timezone.now())
    for attempt in Attempt.objects.order_by("pk"):
        assert sending.send(attempt.pk, now=timezone.now()) == SendState.SENT
    mails = [BytesParser(policy=default).parsebytes(bytes(one.content)) for one in sink.sink.mails[-2:]]
    assert [mail["In-Reply-To"].strip() for mail in mails] == [first["Message-ID"]] * 2
    assert [mail["Subject"].startswith("Re: Творог") for mail in mails] == [True, True]


@pytest.mark.parametrize("way", ["plus", "message-id", "subject", "own-id"])
def test_each_of_our_marks_finds_a_closed_dialogue_again(dovecot, account, operator, sink, way):  # noqa: F811
    first = a_mail()
    deliver(dovecot, account, first)
    session = Session.objects.get()
    ours = answer(session, operator, sink)
    conversations.close(session_id=session.pk, by=operator, now=timezone.now())
    token = re.search(r"\[#\d+-[0-9a-f]{6}\]", ours["Subject"])
    marks = {
        "plus": {"To": ours["Reply-To"].addresses[0].addr_spec},
        "message-id": {"In_Reply_To": ours["Message-ID"]},
        "subject": {"subject": f"Ответ: {token.group()}"},
        "own-id": {"References": first["Message-ID"]},
    }[way]
    automatic = a_mail("Я в отпуске.", **{"subject": "Отпуск", "Auto_Submitted": "auto-replied", **marks})
    deliver(dovecot, account, automatic)
    session.refresh_from_db()
    # An automatic answer joins what it answers, and neither opens it nor waits for anything.
    assert session.messages.filter(is_automatic=True, direction=Direction.IN).exists()
    assert (session.state, session.waiting_since) == (SessionState.CLOSED, None)

    deliver(dovecot, account, a_mail("А деньги?", **{"subject": "Вопрос", **marks}))
    session.refresh_from_db()
    assert session.state == SessionState.WAITING


def test_a_stranger_with_our_marks_gets_a_dialogue_of_his_own(dovecot, account, operator, sink):  # noqa: F811
    first = a_mail()
    deliver(dovecot, account, first)
    session = Session.objects.get()
    ours = answer(session, operator, sink)
    quoting = {"In_Reply_To": ours["Message-ID"], "References": first["Message-ID"], "To": ours["Reply-To"].addresses[0].addr_spec}
    deliver(dovecot, account, a_mail("И мне покажите.", sender="other@example.net", subject=ours["Subject"], **quoting))
    assert Session.objects.exclude(pk=session.pk).get().identity.external_id == "other@example.net"
    assert not session.messages.filter(text__contains="покажите").exists()


def test_a_forged_token_is_no_token(dovecot, account, operator, sink):  # noqa: F811
    deliver(dovecot, account, a_mail())
    session = Session.objects.get()
    ours = answer(session, operator, sink)
    conversations.close(session_id=session.pk, by=operator, now=timezone.now())
    forged = message_id("another key", str(session.pk), "1", "shop.example")
    mail = a_mail("Отпуск", subject="Отпуск", In_Reply_To=f"<{forged}>", Auto_Submitted="auto-replied")
    deliver(dovecot, account, mail)
    assert not Message.objects.filter(is_automatic=True).exists()
    assert forged not in ours["Message-ID"]


def test_machine_mail_that_answers_nothing_opens_nothing(dovecot, account):  # noqa: F811
    deliver(dovecot, account, a_mail("Меня нет на месте.", subject="Автоответ", Auto_Submitted="auto-replied"))
    assert not Session.objects.exists()
    assert InboundEvent.objects.get().state == EventState.PROCESSED


BOUNCE = """\
From: MAILER-DAEMON@mx.example.com
To: help@shop.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-{code}@mx.example.com>
Auto-Submitted: auto-replied
Return-Path: <>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; anna@example.com
Action: {action}
Status: {code}
Diagnostic-Code: smtp; 550 {code} no such user here

--b
Content-Type: text/rfc822-headers

Message-ID: {original}
Subject: Re

--b--
"""


@pytest.mark.parametrize(("action", "code", "state"), [("failed", "5.1.1", SendState.FAILED), ("delayed", "4.4.1", SendState.SENT)])
def test_a_bounce_tells_what_became_of_our_mail(dovecot, account, operator, sink, action, code, state):  # noqa: F811
    deliver(dovecot, account, a_mail())
    session = Session.objects.get()
    ours = answer(session, operator, sink)
    raw = BOUNCE.format(action=action, code=code, original=ours["Message-ID"]).encode()
    dovecot.append(raw)
    fetch(account)
    message = Message.objects.get(direction=Direction.OUT)
    assert message.send_state == state
    line = session.messages.get(direction=Direction.SYSTEM)
    assert "anna@example.com" in line.text
    assert code in line.text
    assert bool(message.send_error) == (state == SendState.FAILED)
    assert Session.objects.count() == 1
    event = InboundEvent.objects.latest("pk")
    journal.process(event.pk, now=timezone.now(), again=True)
    assert session.messages.filter(direction=Direction.SYSTEM).count() == 1


def test_a_bounce_without_the_original_is_known_by_its_address(dovecot, account, operator, sink):  # noqa: F811
    account.settings = {**account.settings, "verp": True}
    account.save()
    deliver(dovecot, account, a_mail())
    answer(Session.objects.get(), operator, sink)
    message = Message.objects.get(direction=Direction.OUT)
    back = sink.sink.mails[-1].mail_from
    assert re.fullmatch(rf"help\+r={message.public_id.hex}\.[0-9a-f]{{16}}@shop\.example", back)
    lost = BOUNCE.format(action="failed", code="5.1.1", original="<cut-off@mx.example.com>")
    forged = f"help+r={message.public_id.hex}.{'0' * 16}@shop.example"
    for number, (address, state) in enumerate(((forged, SendState.SENT), (back, SendState.FAILED))):
        raw = lost.replace("To: help@shop.example", f"To: {address}").replace("<bounce-", f"<bounce-{number}-")
        dovecot.append(raw.encode())
        fetch(account)
        message.refresh_from_db()
        assert message.send_state == state


def test_a_bounce_of_a_mail_that_is_not_ours_changes_nothing(dovecot, account, operator, sink):  # noqa: F811
    deliver(dovecot, account, a_mail())
    answer(Session.objects.get(), operator, sink)
    forged = message_id("another key", str(Session.objects.get().pk), str(Message.objects.get(direction="out").public_id), "shop.example")
    dovecot.append(BOUNCE.format(action="failed", code="5.1.1", original=f"<{forged}>").encode())
    fetch(account)
    assert Message.objects.get(direction=Direction.OUT).send_state == SendState.SENT


def test_a_mail_over_the_limit_reaches_the_operator_as_a_note(dovecot, account):  # noqa: F811
    ChannelAccount.objects.update(settings={**account.settings, "size_limit": 20_000})
    account.refresh_from_db()
    deliver(dovecot, account, a_mail("текст " * 20_000, subject="Большое письмо"))
    message = Message.objects.select_related("session").get()
    assert message.session.subject == "Большое письмо"
    assert len(message.text) < 200
    assert "текст текст" not in message.text
    assert len(InboundEvent.objects.get().body) < 2_000


def test_a_mail_is_kept_before_it_is_flagged_and_read_once(dovecot, account):  # noqa: F811
    dovecot.append(a_mail("один").as_bytes())
    dovecot.append(a_mail("два", sender="boris@example.com").as_bytes())
    assert fetch(account) == 2
    assert fetch(account) == 0
    with dovecot.client() as client:
        client.select("INBOX")
        assert client.search(None, "SEEN")[1] == [b"1 2"]
    dovecot.renumber()
    assert fetch(account) == 2  # given again, and known again
    assert InboundEvent.objects.count() == 2
    assert Message.objects.count() == 2


def test_stored_mails_can_be_moved_away(dovecot, account):  # noqa: F811
    account.settings["imap"]["move_to"] = "Разобрано"
    account.save()
    with Mailbox(imap_settings(account.config())) as mailbox:
        mailbox._open_client().create_folder("Разобрано")
    deliver(dovecot, account, a_mail())
    with dovecot.client() as client:
        assert client.select("INBOX")[1] == [b"0"]


@in_threads
def test_two_readers_of_one_mailbox_read_nothing_twice(dovecot, account, threads):  # noqa: F811
    threads(read, account)
    threads(read, account)
    for number in range(20):
        dovecot.append(a_mail(f"письмо {number}").as_bytes())
    assert wait_until(lambda: InboundEvent.objects.count() == 20, seconds=20)
    process_all()
    assert Message.objects.count() == 20
    assert Session.objects.count() == 1


@in_threads
def test_a_mail_server_that_restarts_is_read_on_and_the_fault_is_shown_meanwhile(dovecot, account, threads, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mailboxes, "BACK_OFF", (0.2,))
    dovecot.append(a_mail("до").as_bytes())
    threads(read, account)
    assert wait_until(lambda: InboundEvent.objects.count() == 1, seconds=10)
    dovecot.stop()
    assert wait_until(lambda: ChannelAccount.objects.get().state == AccountState.DEGRADED, seconds=10)
    assert str(dovecot.port) in ChannelAccount.objects.get().state_reason
    dovecot.start()
    dovecot.append(a_mail("после").as_bytes())
    assert wait_until(lambda: InboundEvent.objects.count() == 2, seconds=15)
    assert wait_until(lambda: ChannelAccount.objects.get().state == AccountState.ENABLED, seconds=10)


@in_threads
def test_a_degradation_of_the_sending_side_is_not_lifted_by_reading(dovecot, account, threads):  # noqa: F811
    ChannelAccount.objects.update(state=AccountState.DEGRADED, state_reason="535 wrong password")
    dovecot.append(a_mail().as_bytes())
    threads(read, account)
    assert wait_until(lambda: MailboxCursor.objects.exists(), seconds=10)
    assert ChannelAccount.objects.get().state == AccountState.DEGRADED


@in_threads
def test_a_reader_outlives_its_database_connection(dovecot, account, threads, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mailboxes, "BACK_OFF", (0.2,))
    threads(read, account)
    dovecot.append(a_mail("раз").as_bytes())
    assert wait_until(lambda: InboundEvent.objects.count() == 1, seconds=10)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    dovecot.append(a_mail("два").as_bytes())
    assert wait_until(lambda: InboundEvent.objects.count() == 2, seconds=15)


@in_threads
def test_the_command_notices_new_changed_and_switched_off_accounts(dovecot, account, threads, monkeypatch):  # noqa: F811
    monkeypatch.setattr(fetch_mail, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(mailboxes, "BACK_OFF", (0.2,))
    wrong = {**account.settings, "imap": {**account.settings["imap"], "port": 1}}
    ChannelAccount.objects.update(settings=wrong)
    threads(fetch_mail.watch)
    assert wait_until(lambda: ChannelAccount.objects.get().state == AccountState.DEGRADED, seconds=10)
    dovecot.append(a_mail("раз").as_bytes())
    ChannelAccount.objects.update(settings=account.settings)
    assert wait_until(lambda: InboundEvent.objects.count() == 1, seconds=10)
    ChannelAccount.objects.update(state=AccountState.DISABLED)
    assert wait_until(lambda: not any(thread.name.startswith("mailbox-") for thread in threading.enumerate()), seconds=10)


@pytest.fixture
def keyed(oauth, oauth_dovecot, smtp):  # noqa: F811
    """A mailbox of a provider that takes keys only (OAuth 2.0)."""
    sink = smtp(keys=oauth)
    settings = {
        "address": oauth.user,
        "sign_in": "oauth2",
        "oauth": {"token_address": f"{oauth.base}/oauth/token", "client_id": CLIENT},
        "imap": {"host": oauth_dovecot.host, "port": oauth_dovecot.port, "tls": "none", "timeout": 5},
        "smtp": {"host": "127.0.0.1", "port": sink.settings().port, "tls": "none"},
        "poll_seconds": 0.2,
    }
    return b.an_account("email", settings=settings, oauth_client_secret=SECRET, oauth_refresh_token=REFRESH, thread_key="test-thread-key")


@in_threads
def test_a_revoked_right_is_said_on_the_account_until_it_is_given_again(oauth, oauth_dovecot, keyed, threads, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mailboxes, "BACK_OFF", (0.2,))
    oauth_dovecot.append(a_mail("до").as_bytes())
    threads(read, keyed)
    assert wait_until(lambda: InboundEvent.objects.count() == 1, seconds=10)
    oauth.revoke()
    oauth_dovecot.stop()
    oauth_dovecot.start()
    said = "The mail provider does not give a key any more (Token has been expired or revoked.): the mailbox must be allowed anew."
    assert wait_until(lambda: ChannelAccount.objects.get().state_reason == said, seconds=15)
    assert ChannelAccount.objects.get().state == AccountState.DEGRADED
    oauth.refresh_tokens = {"1//given-anew"}
    account = ChannelAccount.objects.get()
    account.set_secrets(oauth_refresh_token="1//given-anew")
    account.save(update_fields=["closed_secrets"])
    assert wait_until(lambda: ChannelAccount.objects.get().state == AccountState.ENABLED, seconds=15)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_new_refresh_token_is_kept_closed(oauth, keyed):  # noqa: F811
    """The provider has made the old one void with it."""
    oauth.rotates = True
    assert [finding.works for finding in connections.check(keyed)] == [True, True]
    keyed.refresh_from_db()
    (new,) = oauth.refresh_tokens
    assert new != REFRESH
    assert keyed.config().secrets["oauth_refresh_token"] == new
    assert keyed.config().secrets["oauth_client_secret"] == SECRET
    assert new not in keyed.closed_secrets
    entry = AuditEntry.objects.get(action="account.secrets_renewed")
    assert entry.details == {"names": ["oauth_refresh_token"]}


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_an_answer_that_may_not_be_sent_any_more_degrades_the_account(oauth, oauth_dovecot, keyed, operator):  # noqa: F811
    deliver(oauth_dovecot, keyed, a_mail())
    session = Session.objects.get()
    oauth.revoke()
    message = answering.answer(session_id=session.pk, text="Здравствуйте!", by=operator, now=timezone.now(), over_newer=True)
    attempt = message.attempts.get()
    type(attempt).objects.filter(pk=attempt.pk).update(next_at=timezone.now())
    sending.send(attempt.pk, now=timezone.now())
    message.refresh_from_db()
    keyed.refresh_from_db()
    assert message.send_state == SendState.FAILED
    assert (keyed.state, "must be allowed anew" in keyed.state_reason) == (AccountState.DEGRADED, True)
