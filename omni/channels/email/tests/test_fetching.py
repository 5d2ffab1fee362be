"""Fetching from a real Dovecot: every mail once, whatever people, servers and networks do."""

import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest

from omni.channels.email.fetching import Cursor, ImapSettings, Mailbox, MailboxRefused, TemporaryMailboxFault
from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import COMPLAINT, simple

pytestmark = pytest.mark.peer("Dovecot")


@pytest.fixture
def since():
    return datetime.now(UTC) - timedelta(hours=1)


def settings(dovecot, **more):
    return ImapSettings(
        **{
            "host": dovecot.host,
            "port": dovecot.port,
            "user": dovecot.user,
            "password": dovecot.password,
            "security": "none",
            "timeout": 10,
            **more,
        }
    )


def texts(mails):
    return [parse_mail(mail.raw).text for mail in mails]


def test_new_mails_in_order_with_their_bytes(dovecot, since):
    raws = [simple(f"{number}. {COMPLAINT}") for number in range(5)]
    for raw in raws:
        dovecot.append(raw)
    with Mailbox(settings(dovecot)) as mailbox:
        mails = list(mailbox.new_mails(None, since=since))
    assert [mail.raw for mail in mails] == raws
    assert [mail.size for mail in mails] == [len(raw) for raw in raws]
    assert all(since < mail.internaldate < since + timedelta(hours=2) and mail.internaldate.tzinfo is UTC for mail in mails)


def test_the_cursor_gives_each_mail_once_seen_or_not(dovecot, since):
    dovecot.append(simple("один"))
    with Mailbox(settings(dovecot)) as mailbox:
        [first] = mailbox.new_mails(None, since=since)
        assert list(mailbox.new_mails(first.cursor, since=since)) == []
        dovecot.append(simple("два"), flags=r"(\Seen)")
        assert texts(mailbox.new_mails(first.cursor, since=since)) == ["два"]


def test_deleted_mails_are_skipped(dovecot, since):
    dovecot.append(simple("удалено"), flags=r"(\Deleted)")
    dovecot.append(simple("осталось"))
    with Mailbox(settings(dovecot)) as mailbox:
        assert texts(mailbox.new_mails(None, since=since)) == ["осталось"]


def test_fetching_does_not_mark_as_seen_confirming_does(dovecot, since):
    dovecot.append(simple())
    with Mailbox(settings(dovecot)) as mailbox:
        [mail] = mailbox.new_mails(None, since=since)
        assert unseen(dovecot) == [b"1"]
        mailbox.mark_seen([mail.uid])
        mailbox.mark_seen([])
    assert unseen(dovecot) == [b""]


def unseen(dovecot):
    with dovecot.client() as client:
        client.select(readonly=True)
        return client.search(None, "UNSEEN")[1]


def test_moving_to_a_cyrillic_folder(dovecot, since):
    dovecot.append(simple("в архив"))
    with Mailbox(settings(dovecot)) as mailbox:
        mailbox._open_client().create_folder("Обработано")
        [mail] = mailbox.new_mails(None, since=since)
        mailbox.move([mail.uid], "Обработано")
        assert list(mailbox.new_mails(None, since=since)) == []
    with Mailbox(settings(dovecot, folder="Обработано")) as archive:
        assert texts(archive.new_mails(None, since=since)) == ["в архив"]


def test_a_mail_over_the_limit_comes_as_its_headers(dovecot, since):
    dovecot.append(simple("x" * 5000, subject="Video"))
    dovecot.append(simple("обычное"))
    with Mailbox(settings(dovecot, size_limit=2000)) as mailbox:
        large, ordinary = mailbox.new_mails(None, since=since)
    assert (large.too_large, parse_mail(large.raw).subject, parse_mail(large.raw).text) == (True, "Video", "")
    assert large.size > 5000
    assert (ordinary.too_large, parse_mail(ordinary.raw).text) == (False, "обычное")


def test_a_renumbered_folder_is_read_again(dovecot, since):
    dovecot.append(simple("один"))
    with Mailbox(settings(dovecot)) as mailbox:
        [before] = mailbox.new_mails(None, since=since)
    dovecot.renumber()
    with Mailbox(settings(dovecot)) as mailbox:
        [after] = mailbox.new_mails(Cursor(before.uidvalidity, 1000), since=since)
    assert after.uidvalidity != before.uidvalidity
    assert after.raw == before.raw


def test_old_mails_are_left_alone_at_the_first_reading(dovecot):
    dovecot.append(simple())
    with Mailbox(settings(dovecot)) as mailbox:
        assert list(mailbox.new_mails(None, since=datetime.now(UTC) + timedelta(days=3))) == []


def test_more_than_one_batch(dovecot, since):
    with dovecot.client() as client:
        for number in range(230):
            client.append("INBOX", "", "", simple(str(number)))
    with Mailbox(settings(dovecot)) as mailbox:
        assert texts(mailbox.new_mails(None, since=since)) == [str(number) for number in range(230)]


def test_idle_tells_of_a_new_mail(dovecot, since):
    with Mailbox(settings(dovecot)) as mailbox:
        assert mailbox.can_idle
        assert list(mailbox.new_mails(None, since=since)) == []
        delivery = threading.Timer(0.2, dovecot.append, [simple("новое")])
        delivery.start()
        assert mailbox.wait(20, threading.Event())
        delivery.join()
        assert texts(mailbox.new_mails(None, since=since)) == ["новое"]


def test_a_mail_that_came_during_another_command_ends_the_wait_at_once(dovecot, since):
    dovecot.append(simple("раз"))
    with Mailbox(settings(dovecot)) as mailbox:
        [first] = mailbox.new_mails(None, since=since)
        dovecot.append(simple("два"))
        mailbox.mark_seen([first.uid])  # the server tells of the second mail here
        assert mailbox.wait(5, threading.Event())
        assert texts(mailbox.new_mails(first.cursor, since=since)) == ["два"]
        assert not mailbox.wait(0.1, threading.Event())


def test_a_stop_ends_the_wait(dovecot):
    stop = threading.Event()
    stop.set()
    with Mailbox(settings(dovecot)) as mailbox:
        assert not mailbox.wait(60, stop)


@pytest.mark.parametrize("password", ["wrong", "неверный", 'q"\\ {5}'])
def test_wrong_password(dovecot, password):
    with pytest.raises(MailboxRefused, match="does not accept the password"):
        Mailbox(settings(dovecot, password=password)).open()


def test_no_such_folder(dovecot):
    with pytest.raises(MailboxRefused, match="Folder Нет cannot be opened"):
        Mailbox(settings(dovecot, folder="Нет")).open()


def test_a_stopped_server_is_a_temporary_fault_and_comes_back(dovecot, since):
    dovecot.append(simple())
    mailbox = Mailbox(settings(dovecot))
    mailbox.open()
    dovecot.stop()
    with pytest.raises(TemporaryMailboxFault):
        list(mailbox.new_mails(None, since=since))
    mailbox.close()
    with pytest.raises(TemporaryMailboxFault):
        mailbox.open()
    dovecot.start()
    with mailbox:
        assert len(list(mailbox.new_mails(None, since=since))) == 1


def test_a_mailbox_that_was_never_opened(dovecot, since):
    with pytest.raises(TemporaryMailboxFault, match="not connected"):
        list(Mailbox(settings(dovecot)).new_mails(None, since=since))


def encrypted(dovecot, security, **more):
    port = dovecot.tls_port if security == "tls" else dovecot.port
    return settings(dovecot, **{"security": security, "port": port, "ca_file": dovecot.ca_file, **more})


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mails_are_fetched_over_tls(dovecot, since, security):
    dovecot.append(simple("по секрету"))
    with Mailbox(encrypted(dovecot, security)) as mailbox:
        [mail] = mailbox.new_mails(None, since=since)
        assert parse_mail(mail.raw).text == "по секрету"
        mailbox.mark_seen([mail.uid])
        assert mailbox._client.socket().version() in ("TLSv1.2", "TLSv1.3")
    assert unseen(dovecot) == [b""]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_news_wake_a_listener_over_tls(dovecot, security):
    with Mailbox(encrypted(dovecot, security)) as mailbox:
        threading.Timer(0.3, dovecot.append, args=(simple(),)).start()
        assert mailbox.wait(20, threading.Event())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_trusts_is_refused_before_the_password_is_said(dovecot, security):
    with pytest.raises(MailboxRefused, match="not trusted"), Mailbox(encrypted(dovecot, security, ca_file="")):
        pass
    assert f"user=<{dovecot.user}>" not in dovecot.log()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_another_name_is_refused(dovecot, security):
    """The certificate is the address's: under the host's name it is somebody else's."""
    with pytest.raises(MailboxRefused, match="not trusted"), Mailbox(encrypted(dovecot, security, host="localhost")):
        pass


def test_a_wrong_password_is_refused_over_tls(dovecot):
    with pytest.raises(MailboxRefused, match="password"), Mailbox(encrypted(dovecot, "tls", password="guessed")):
        pass


def test_tls_where_the_server_speaks_plainly_is_a_fault_in_words(dovecot):
    with pytest.raises(TemporaryMailboxFault), Mailbox(settings(dovecot, security="tls", ca_file=dovecot.ca_file)):
        pass


class Hasty(threading.Thread):
    """A server of one connection after another that tells of a mail before it agrees to IDLE, and hears nothing but DONE then."""

    ANSWERS = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n",
        b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 2] ok\r\n",
        b"LOGOUT": b"* BYE\r\n",
    }

    def __init__(self):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.signed_in = 0

    def run(self):
        while True:
            try:
                connection, _address = self.listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", buffering=0) as wire:
                wire.write(b"* OK ready\r\n")
                self.serve(wire)

    def serve(self, wire):
        for line in wire:
            tag, command, *_rest = line.split()
            if command == b"IDLE":
                wire.write(b"* 2 EXISTS\r\n+ idling\r\n")
                while wire.readline() not in (b"DONE\r\n", b""):
                    pass
                continue
            self.signed_in += command == b"LOGIN"
            wire.write(self.ANSWERS.get(command, b"") + tag + b" OK done\r\n")


@pytest.fixture
def hasty():
    server = Hasty()
    server.start()
    yield server
    server.listening.close()


def test_a_server_that_tells_before_it_agrees_to_wait_is_understood(hasty):
    given = ImapSettings(host="127.0.0.1", port=hasty.port, user="anna", password="x", security="none", timeout=5)
    with Mailbox(given) as mailbox:
        assert mailbox.wait(5, threading.Event())
        assert mailbox.wait(5, threading.Event())
    assert hasty.signed_in == 3


def test_after_a_fault_nobody_waits_for_a_farewell(hasty):
    given = ImapSettings(host="127.0.0.1", port=hasty.port, user="anna", password="x", security="none", timeout=60)
    with pytest.raises(ZeroDivisionError), Mailbox(given) as mailbox:
        mailbox._client._imap.send(b"A1 IDLE\r\n")  # it hears nothing but DONE now
        raise ZeroDivisionError
    assert mailbox._client is None
