"""The demo's mail servers, as the product's own fetcher and sender and an ordinary client meet them."""

import imaplib
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from omni.channels.contract import Outgoing, Sent
from omni.channels.email.fetching import ImapSettings, Mailbox, MailboxRefused
from omni.channels.email.parsing import parse_mail
from omni.channels.email.sending import Sender, SmtpSettings, compose, deliver
from tests.providers.__main__ import parsed
from tests.providers.faults import Fault, FaultKind
from tests.providers.frame import Frame, Request
from tests.providers.mail import ADDRESS, GUEST_PASSWORD, PASSWORD, MailServers


@pytest.fixture(scope="module")
def servers():
    mail = MailServers()
    with Frame(mail):
        yield mail


@pytest.fixture
def mail(servers):
    servers.reset()
    return servers


def mailbox(mail, password=PASSWORD):
    return Mailbox(ImapSettings(host="127.0.0.1", port=mail.imap_port, user=ADDRESS, password=password, security="none", timeout=5))


def answer_to(recipient, mail, text="Уже разобрались."):
    outgoing = Outgoing(key="k1", recipient=recipient, text=text, reply_to="a@guests.example", subject="Кефир", token="7")
    made = compose(outgoing, Sender(ADDRESS, "lukoshko.example", "key", "Лукошко"), now=datetime.now(UTC))
    return deliver(made, SmtpSettings("127.0.0.1", mail.smtp_port, "none", timeout=5))


def test_the_products_fetcher_reads_what_a_guest_sends(mail):
    mail.send(**{"from": "anna@guests.example", "name": "Анна", "subject": "Кефир", "text": "Кефир скис.\nЧто делать?"})
    since = datetime.now(UTC) - timedelta(hours=1)
    with mailbox(mail) as box:
        [fetched] = box.new_mails(None, since=since)
        read = parse_mail(fetched.raw)
        assert (read.subject, read.text.strip(), read.sender[0].name) == ("Кефир", "Кефир скис.\nЧто делать?", "Анна")
        box.mark_seen([fetched.uid])
        assert list(box.new_mails(fetched.cursor, since=since)) == []
        mail.send(**{"from": "anna@guests.example", "text": "Ещё"})
        assert [parse_mail(one.raw).text.strip() for one in box.new_mails(fetched.cursor, since=since)] == ["Ещё"]
    assert mail.store.mails(ADDRESS)[0].flags == {"\\Seen"}


def test_a_mail_with_raw_eight_bit_headers_is_handed_out_whole_and_stops_nobody(mail):
    raw = b"From: anna@guests.example\r\nSubject: " + "Жалоба".encode("koi8-r") + b"\r\n\r\n" + "Кефир".encode("koi8-r")
    mail.store.deliver(ADDRESS, raw)
    mail.send(**{"from": "anna@guests.example", "subject": "Следующее", "text": "Ау"})
    with mailbox(mail) as box:
        first, second = box.new_mails(None, since=datetime.now(UTC) - timedelta(hours=1))
    assert first.raw == raw
    assert parse_mail(first.raw).subject == "Жалоба"
    assert parse_mail(second.raw).subject == "Следующее"


def test_a_waiting_client_is_told_of_a_new_mail(mail):
    with mailbox(mail) as box:
        assert box.can_idle
        waiting = threading.Timer(0.2, mail.send, kwargs={"from": "anna@guests.example", "text": "Ау"})
        waiting.start()
        assert box.wait(20, threading.Event())
        assert len(list(box.new_mails(None, since=datetime.now(UTC)))) == 1
        waiting.join()


def test_a_wrong_password_is_refused(mail):
    with pytest.raises(MailboxRefused), mailbox(mail, "wrong"):
        pass


def test_an_answer_reaches_the_guests_mailbox(mail):
    assert isinstance(answer_to("anna@guests.example", mail), Sent)
    [entry] = mail.accepted.wait_for(1)
    assert (entry["to"], entry["text"], entry["in_reply_to"]) == ("anna@guests.example", "Уже разобрались.", "<a@guests.example>")
    client = imaplib.IMAP4("127.0.0.1", mail.imap_port, timeout=5)
    client.login("anna@guests.example", GUEST_PASSWORD)
    client.select("INBOX")
    assert client.search(None, "UNSEEN")[1] == [b"1"]
    whole = client.fetch("1", "(RFC822)")[1][0][1]
    client.logout()
    assert parse_mail(whole).text.strip() == "Уже разобрались."


def test_a_reply_to_the_plus_address_reaches_the_product(mail):
    answer_to("anna@guests.example", mail)
    [entry] = mail.accepted.wait_for(1)
    mail.send(**{"from": "anna@guests.example", "text": "Спасибо", "to": entry["reply_to"], "in_reply_to": entry["message_id"]})
    with mailbox(mail) as box:
        [fetched] = box.new_mails(None, since=datetime.now(UTC))
    assert parse_mail(fetched.raw).in_reply_to[0] == entry["message_id"].strip("<>")


def test_faults_on_demand(mail):
    mail.faults.add(Fault(FaultKind.THROTTLED))
    assert answer_to("anna@guests.example", mail).code.startswith("451")
    mail.faults.add(Fault(FaultKind.BLOCKED))
    assert answer_to("anna@guests.example", mail).code.startswith("550")
    assert not mail.accepted.after(0)


def test_a_guests_mailbox_is_shown_on_its_page(mail):
    answer_to("anna@guests.example", mail)
    mail.accepted.wait_for(1)
    box = mail.handle(Request("GET", "/mail/box", {"address": "anna@guests.example"}))
    assert "Уже разобрались." in json.loads(box.body)["mails"][0]["text"]
    assert b"otklik@lukoshko.example" in mail.handle(Request("GET", "/mail/")).body


def test_the_process_takes_its_options_from_the_demo_day(tmp_path):
    demo = {
        "telegram": {"token": "1:t", "secret": "s", "webhook": "http://127.0.0.1:1/x"},
        "mail": {"address": "a@b.example", "smtp_port": 2},
    }
    path = tmp_path / "demo.json"
    path.write_text(json.dumps({**demo, "site_key": "k", "product": "http://127.0.0.1:1"}))
    options = parsed(["--demo", str(path), "--mail-password", "given"])
    assert (options.telegram_token, options.site_key, options.mail_address, options.smtp_port) == ("1:t", "k", "a@b.example", 2)
    assert options.mail_password == "given"
    assert parsed(["--demo", str(tmp_path / "none")]).mail_address == ADDRESS


def test_a_port_in_use_is_told(mail):
    with pytest.raises(OSError, match=str(mail.imap_port)):
        MailServers(imap_port=mail.imap_port).start("")
