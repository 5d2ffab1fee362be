"""Composing with our ids and headers, and handing over to a real SMTP server in all its moods."""

import socket
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import Failed, Outgoing, OutgoingFile, Reason, Retry, Sent
from omni.channels.email.machine import classify
from omni.channels.email.parsing import parse_mail
from omni.channels.email.sending import NotSendable, Sender, SmtpSettings, compose, deliver, own_message_id, recipient_address, refusal
from omni.channels.email.tests.builders import DOMAIN, SECRET, simple
from omni.channels.email.threading import thread_keys

NOW = datetime(2026, 3, 3, 12, 40, 5, tzinfo=UTC)
SENDER = Sender(address="help@shop.example", domain=DOMAIN, thread_key=SECRET, name="Служба поддержки", subject="Ваше обращение")


def outgoing(**more):
    return Outgoing(
        **{"key": "m1", "recipient": "ivan@mail.example", "text": "Здравствуйте!\n\nБаллы начислены.\n.\nТочка", "token": "123456", **more}
    )


def composed(**more):
    return compose(outgoing(**more), SENDER, now=NOW)


def test_text_and_html_alternative_come_back():
    mail = parse_mail(composed().as_bytes())
    assert mail.text == "Здравствуйте!\n\nБаллы начислены.\n.\nТочка"
    assert mail.html == "<div><p>Здравствуйте!</p><p>Баллы начислены.<br>.<br>Точка</p></div>"
    assert (mail.sender[0].name, mail.sender[0].address) == ("Служба поддержки", "help@shop.example")
    assert mail.to[0].address == "ivan@mail.example"
    assert mail.date == NOW


def test_ids_and_tokens_are_ours():
    mail = composed(subject="Re: Заказ", reply_to="<a@mail.example>")
    answer = simple("да", f"Cc: {mail['Reply-To']}", f"In-Reply-To: {mail['Message-ID']}", subject=f"Re: {mail['Subject']}")
    keys = thread_keys(parse_mail(answer), SECRET, [DOMAIN])
    assert [str(key) for key in keys.keys] == ["plus:123456", "message-id:123456.m1", "subject:123456"]
    assert str(mail["Subject"]).startswith("Re: Заказ [#123456-")


def test_the_same_message_is_the_same_mail():
    assert composed()["Message-ID"] == composed()["Message-ID"] == f"<{own_message_id(outgoing(), SENDER)}>"
    assert composed()["Message-ID"] != composed(key="m2")["Message-ID"]


def test_references_are_capped_at_twenty():
    chain = [f"<r{number}@mail.example>" for number in range(40)]
    mail = composed(references=chain, reply_to="sha256:abc")
    assert mail["In-Reply-To"] is None
    ids = str(mail["References"]).split()
    assert (len(ids), ids[0], ids[-1]) == (20, "<r0@mail.example>", "<r39@mail.example>")


def test_the_answered_mail_is_the_last_reference():
    mail = composed(references=["a@x.example", "b@x.example"], reply_to="a@x.example")
    assert str(mail["References"]) == "<b@x.example> <a@x.example>"
    assert str(mail["In-Reply-To"]) == "<a@x.example>"


def test_automatic_mails_say_so_and_our_own_loop_is_known():
    mail = composed(automatic=True)
    assert {name: mail[name] for name in ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "X-Otklik-Loop")} == {
        "Auto-Submitted": "auto-replied",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
        "X-Otklik-Loop": DOMAIN,
    }
    assert classify(parse_mail(mail.as_bytes()), own_domains=[DOMAIN]).machine == "loop"
    assert composed()["Auto-Submitted"] is None


def test_files_keep_their_names_and_bytes():
    files = [
        OutgoingFile("Чек.pdf", "application/pdf", b"%PDF\x00\r\n.\r\n"),
        OutgoingFile("a.eml", "message/rfc822", b"Subject: x\n\n"),
        OutgoingFile("", "bad type", b"1"),
    ]
    mail = parse_mail(composed(files=files).as_bytes())
    assert [(file.name, file.data) for file in mail.attachments] == [
        ("Чек.pdf", b"%PDF\x00\r\n.\r\n"),
        ("a.eml", b"Subject: x\n\n"),
        ("file", b"1"),
    ]


@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=30))
def test_no_text_can_add_headers(subject, text, name):
    sender = Sender(address="help@shop.example", domain=DOMAIN, thread_key=SECRET, name=name)
    mail = compose(outgoing(subject=subject + "\r\nBcc: evil@x.example", text=text), sender, now=NOW)
    parsed = parse_mail(mail.as_bytes())
    assert "bcc" not in parsed.headers
    assert len(parsed.to) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ivan",
        "a@b",
        "a b@c.example",
        "a@b.example\r\nBcc: x@y.example",
        "unknown-1@sender.invalid",
        "a@b.example, c@d.example",
        "a@" + "ы" * 80 + ".рф",
    ],
)
def test_addresses_nothing_is_sent_to(address):
    with pytest.raises(NotSendable):
        recipient_address(address)


def test_international_domains():
    assert recipient_address("ivan@почта.рф") == "ivan@xn--80a1acny.xn--p1ai"


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_delivered_over_the_wire(smtp, security):
    server = smtp(security=security)
    mail = composed(files=[OutgoingFile("Чек.pdf", "application/pdf", b"%PDF")])
    assert deliver(mail, server.settings()) == Sent((own_message_id(outgoing(), SENDER),))
    envelope = server.sink.mails[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("help@shop.example", ["ivan@mail.example"])
    received = parse_mail(envelope.content)
    assert received.text == "Здравствуйте!\n\nБаллы начислены.\n.\nТочка"
    assert [file.name for file in received.attachments] == ["Чек.pdf"]


def test_bounces_go_to_the_envelope_sender(smtp):
    server = smtp()
    deliver(composed(), server.settings(), envelope_sender="help+bounce@shop.example")
    assert server.sink.mails[0].mail_from == "help+bounce@shop.example"


def test_an_international_address(smtp):
    server = smtp()
    assert isinstance(deliver(composed(recipient="иван@почта.рф"), server.settings()), Sent)
    assert server.sink.mails[0].rcpt_tos == ["иван@xn--80a1acny.xn--p1ai"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("password", ["correct", "верно"])
def test_signed_in(smtp, password):
    server = smtp(user="help", password=password)
    assert isinstance(deliver(composed(), server.settings(user="help", password=password)), Sent)
    refused = deliver(composed(), server.settings(user="help", password="неверно"))
    assert isinstance(refused, Failed)
    assert refused.reason is Reason.ACCOUNT_REFUSED


def test_an_untrusted_certificate_sends_nothing(smtp):
    server = smtp(security="starttls")
    result = deliver(composed(), server.settings(ca_file=""))
    assert isinstance(result, Retry)
    assert (result.code, result.whole_account, result.unknown) == ("tls", True, False)
    assert server.sink.mails == []


@pytest.mark.parametrize(
    ("stage", "answer", "expected"),
    [
        ("RCPT", "550 5.1.1 no such user", (Failed, Reason.CONTACT_GONE)),
        ("RCPT", "550 no such user", (Failed, Reason.CONTACT_GONE)),
        ("RCPT", "554 5.7.1 spam", (Failed, Reason.REJECTED)),
        ("RCPT", "550 5.7.1 not allowed", (Failed, Reason.REJECTED)),
        ("RCPT", "451 4.7.1 greylisted, come back", (Retry, 300.0)),
        ("RCPT", "552 5.2.2 mailbox full", (Retry, 3600.0)),
        ("RCPT", "421 too busy", (Retry, None)),
        ("MAIL", "550 5.7.1 sender is not you", (Failed, Reason.ACCOUNT_REFUSED)),
        ("MAIL", "552 5.3.4 too big", (Failed, Reason.TOO_LONG)),
        ("DATA", "552 5.3.4 too big", (Failed, Reason.TOO_LONG)),
        ("DATA", "554 5.6.0 virus", (Failed, Reason.REJECTED)),
        ("DATA", "452 4.3.1 disk full", (Retry, 300.0)),
    ],
)
def test_refusals(smtp, stage, answer, expected):
    server = smtp()
    server.sink.answers[stage] = answer
    result = deliver(composed(), server.settings())
    assert (type(result), result.after if isinstance(result, Retry) else result.reason) == expected
    assert answer[4:] in result.text
    assert not getattr(result, "unknown", False)


def test_silence_after_the_mail_may_mean_it_was_taken(smtp):
    server = smtp()
    server.sink.silent = True
    result = deliver(composed(), server.settings(timeout=0.3))
    assert isinstance(result, Retry)
    assert result.unknown
    assert len(server.sink.mails) == 1


def test_nobody_listens():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = deliver(composed(), SmtpSettings(host="127.0.0.1", port=port, security="none", timeout=2))
    assert isinstance(result, Retry)
    assert (result.unknown, result.whole_account) == (False, True)


@given(st.integers(400, 599), st.text(max_size=40), st.sampled_from(["auth", "mail", "rcpt", "data", "content"]))
def test_every_refusal_has_a_result(code, words, stage):
    assert isinstance(refusal(code, words, stage), Retry | Failed)
