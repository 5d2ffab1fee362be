"""The adapter: one mail, one item; who wrote, when, to which conversation, and what may be answered by itself."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.contract import AttachmentKind, DeliveryState, Failed, InboundKind, Outgoing, Sent
from omni.channels.email.adapter import TOO_LARGE_HEADER, EmailAdapter
from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import SECRET, account, event, file_part, lines, multipart, part, simple
from omni.channels.email.threading import message_id

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
ADAPTER = EmailAdapter()
OUR_ID = message_id(SECRET, "123456", "m1", "shop.example")


def parsed(raw, **headers):
    [item] = ADAPTER.parse(event(raw, NOW, **headers), account())
    return item


def test_an_ordinary_mail():
    raw = simple("Где заказ?\n\n-- \nИван", f"In-Reply-To: <{OUR_ID}>", sender="Иван Петров <IVAN@Mail.example>", subject="Re: Заказ")
    item = parsed(raw)
    assert item.kind is InboundKind.MESSAGE
    assert (item.external_id, item.guest_external_id, item.email, item.guest_name) == (
        "m1@mail.example",
        "ivan@mail.example",
        "ivan@mail.example",
        "Иван Петров",
    )
    assert (item.text, item.visible_text, item.subject) == ("Где заказ?\n\n--\nИван", "Где заказ?", "Re: Заказ")
    assert item.sent_at == datetime(2026, 3, 3, 9, 40, 5, tzinfo=UTC)
    assert item.sent_at.tzinfo is UTC
    assert list(item.thread_keys) == ["message-id:123456.m1"]
    assert item.extra["may_auto_answer"]
    json.dumps(dict(item.extra))


def test_files_come_along():
    raw = multipart(
        "mixed", part("text/plain", "x"), file_part("image/jpeg", b"\xff\xd8", "Content-Disposition: attachment; filename=a.jpg")
    )
    [file] = parsed(raw).attachments
    assert (file.kind, file.name, file.mime, file.size, file.data) == (AttachmentKind.IMAGE, "a.jpg", "image/jpeg", 2, b"\xff\xd8")
    assert ADAPTER.fetch(file, account(), limit=10) == b"\xff\xd8"


@pytest.mark.parametrize(
    ("headers", "guest"),
    [
        (["From: a@x.example", "Reply-To: b@x.example"], "b@x.example"),
        (["From: a@x.example", "Reply-To: HELP@shop.example"], "a@x.example"),
        (["From: a@x.example", "Reply-To: info@shop.example"], "a@x.example"),
        (["From: a@x.example", "Reply-To: no-reply@x.example"], "a@x.example"),
        (["From: a@x.example", "Reply-To: <>"], "a@x.example"),
        (["From: no-reply@x.example", "Reply-To: guest@y.example"], "guest@y.example"),
        (["From: no-reply@x.example"], "no-reply@x.example"),
        (["Sender: s@x.example"], "s@x.example"),
        (["Return-Path: <r@x.example>"], "r@x.example"),
    ],
)
def test_who_wrote(headers, guest):
    assert parsed(lines(*headers, body="x")).guest_external_id == guest


def test_mails_without_a_sender_never_share_a_conversation():
    one, two = parsed(lines("Subject: a", body="1")), parsed(lines("Subject: a", body="2"))
    assert one.kind is InboundKind.MESSAGE
    assert one.email == ""
    assert one.guest_external_id != two.guest_external_id
    assert isinstance(ADAPTER.send(Outgoing(key="1", recipient=one.guest_external_id, text="x"), account()), Failed)


@pytest.mark.parametrize(
    ("date", "sent_at"),
    [
        ("Tue, 3 Mar 2026 09:00:00 +0300", datetime(2026, 3, 3, 6, 0, tzinfo=UTC)),
        ("Tue, 3 Mar 2026 13:05:00 +0300", NOW + timedelta(minutes=5)),
        ("Tue, 3 Mar 2026 23:00:00 +0300", NOW),
        ("завтра", NOW),
        ("Thu, 1 Jan 1970 00:00:00 +0000", NOW),
        ("Tue, 1 Jan 2019 00:00:00 +0000", NOW),
        ("Fri, 27 Feb 2026 09:00:00 +0000", datetime(2026, 2, 27, 9, 0, tzinfo=UTC)),
    ],
)
def test_when(date, sent_at):
    assert parsed(lines("From: a@x.example", f"Date: {date}", body="x")).sent_at == sent_at


@pytest.mark.parametrize(
    ("extra", "kind"),
    [
        ("Auto-Submitted: auto-replied", InboundKind.AUTO_REPLY),
        ("X-Otklik-Loop: shop.example", InboundKind.IGNORED),
        ("List-Id: <x.example>", InboundKind.MESSAGE),
        ("Precedence: bulk", InboundKind.MESSAGE),
    ],
)
def test_kinds(extra, kind):
    item = parsed(simple("x", extra))
    assert item.kind is kind
    assert not item.extra["may_auto_answer"]


def test_a_bounce_finds_our_message():
    status = part(
        "message/delivery-status",
        "Final-Recipient: rfc822; ivan@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no user\r\n",
    )
    raw = multipart("report", part("text/plain", "x"), status, part("text/rfc822-headers", f"Message-ID: <{OUR_ID}>\r\n"))
    item = parsed(raw)
    assert (item.kind, item.guest_external_id, item.reply_to, item.state) == (
        InboundKind.BOUNCE,
        "ivan@mail.example",
        OUR_ID,
        DeliveryState.FAILED,
    )
    assert list(item.thread_keys) == ["message-id:123456.m1"]
    assert item.error == "5.1.1 550 no user"
    assert item.extra["bounce"]["address_invalid"]


def test_forged_tokens_are_told():
    item = parsed(simple("x", "In-Reply-To: <123456.m1.0123456789abcdef@shop.example>"))
    assert not item.thread_keys
    assert "forged thread token in the references: 123456" in item.extra["defects"]


def test_event_keys():
    assert ADAPTER.event_key(event(simple(), NOW)) == "message-id:m1@mail.example"
    without = [ADAPTER.event_key(event(lines("From: a@x.example", body=body), NOW)) for body in ("1", "1", "2")]
    assert without[0] == without[1] != without[2]
    assert without[0].startswith("sha256:")
    empty = ADAPTER.event_key(event(lines("Message-ID: <>", "From: a@x.example", body="1"), NOW))
    assert empty == without[0]
    long = ADAPTER.event_key(event(lines(f"Message-ID: <{'x' * 900}@y>", body="1"), NOW))
    assert long.startswith("sha256:")
    assert len(long) < 200


def test_a_mail_too_large_is_shown_as_such():
    header = simple("", subject="Видео")
    item = parsed(header, **{TOO_LARGE_HEADER: str(50 * 1024 * 1024)})
    assert "50" in item.text
    assert (item.visible_text, item.extra["too_large"], item.subject) == (item.text, True, "Видео")
    [limited] = ADAPTER.parse(event(simple("x" * 3000), NOW), account(size_limit=1000))
    assert limited.extra["too_large"]


@given(st.binary(max_size=500))
def test_any_bytes_are_one_item_with_a_key(raw):
    [item] = ADAPTER.parse(event(raw, NOW), account())
    assert ADAPTER.event_key(event(raw, NOW)).endswith(item.external_id)
    assert "@" in item.guest_external_id


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_sent_by_the_account(smtp):
    server = smtp(user="help", password="p")
    port = server.settings().port
    box = account(name="Поддержка", smtp={"host": "127.0.0.1", "port": port, "tls": "none", "user": "help"})
    box.secrets["smtp_password"] = "p"
    result = ADAPTER.send(
        Outgoing(key="m1", recipient="ivan@mail.example", text="Ответ", subject="Заказ", reply_to="a@b.example", token="123456"), box
    )
    assert result == Sent((OUR_ID,))
    mail = parse_mail(server.sink.mails[0].content)
    assert (mail.message_id, mail.text, mail.in_reply_to) == (OUR_ID, "Ответ", ("a@b.example",))


def test_explain_mail_prints_a_line_a_file(tmp_path, capsys):
    good, junk, missing = tmp_path / "good.eml", tmp_path / "junk", tmp_path / "missing"
    good.write_bytes(simple("Где заказ?\u2028\n\n-- \nИван", "Cc: x@y.example"))
    junk.write_bytes(b"\x00\xff" * 100)
    with pytest.raises(SystemExit) as ended:
        call_command("explain_mail", str(good), str(missing), str(junk))
    output = capsys.readouterr()
    first, second = (json.loads(line) for line in output.out.splitlines())
    assert ended.value.code == 1
    assert (first["from"], first["cc"], first["date"], first["visible_text"]) == (
        "ivan@mail.example",
        ["x@y.example"],
        "2026-03-03T12:40:05+03:00",
        "Где заказ?",
    )
    assert second["defects"]
    assert set(second) == {
        "message_id",
        "subject",
        "from",
        "from_name",
        "reply_to",
        "to",
        "cc",
        "date",
        "text",
        "html",
        "visible_text",
        "attachments",
        "machine",
        "thread_keys",
        "defects",
    }
    assert "missing cannot be read" in output.err
    call_command("explain_mail", str(junk))
